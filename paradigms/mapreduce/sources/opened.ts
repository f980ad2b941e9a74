/** A file open for reading, as it was when the splits were planned. */
import { type FileHandle, open } from 'node:fs/promises';
import { fileError, InputError } from './errors.ts';
import type { Piece } from './split.ts';

/** Read at a time. */
export const BLOCK = 1 << 20;
/** Of what is to be unpacked. */
const RAW = 1 << 18;
/** Free room in front of each block, where the rest of the block before it goes. */
const HEADROOM = 1 << 16;
/** The one that is parsed, the one that is read, and the one whose rest is still to be copied. */
const BUFFERS = 3;

export class Opened {
  readonly piece: Piece;
  readonly #file: FileHandle;
  #rawBytes = 0;

  constructor(piece: Piece, file: FileHandle) {
    this.piece = piece;
    this.#file = file;
  }

  static async open(piece: Piece): Promise<Opened> {
    const file = await open(piece.path).catch((error: unknown) => {
      throw fileError(piece.path, 'read', error);
    });
    const opened = new Opened(piece, file);
    try {
      await opened.check();
    } catch (error) {
      await file.close();
      throw error;
    }
    return opened;
  }

  /** Throws if the file is not the one that was planned with. */
  async check(): Promise<void> {
    const { path, size, mtimeMs } = this.piece;
    const now = await this.#file.stat();
    if (now.size === size && now.mtimeMs === mtimeMs) return;
    const change = now.size === size ? 'its time of modification' : `${size} bytes, now ${now.size}`;
    throw new InputError(`${path} has changed since the job began: ${change}. Run the job again`, { path });
  }

  /** Of the file as it is on disk, at most BLOCK at a time, the next one read ahead. A block is valid until the one after the next. */
  async *blocks(start: number, end: number): AsyncGenerator<Block> {
    const room = Math.min(BLOCK, end - start);
    const buffers: Buffer[] = [];
    let position = start;
    let turn = 0;
    const fill = async (): Promise<Block | undefined> => {
      if (position >= end) return undefined;
      const length = Math.min(room, end - position);
      const memory = (buffers[turn++ % BUFFERS] ??= Buffer.allocUnsafeSlow(HEADROOM + room));
      await this.#fill(memory, HEADROOM, length, position);
      position += length;
      return { memory, from: HEADROOM, to: HEADROOM + length };
    };
    const read = (): Promise<Block | undefined> => {
      const block = fill();
      // If it fails, whoever comes for it is told.
      block.catch(() => undefined);
      return block;
    };
    let next = read();
    try {
      for (;;) {
        const block = await next;
        if (!block) return;
        next = read();
        yield block;
      }
    } finally {
      // Nobody closes the file under a read.
      await next.catch(() => undefined);
    }
  }

  /** Bytes of the file on disk from `position`, fewer at its end. */
  async at(position: number, length: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafeSlow(Math.max(0, Math.min(length, this.piece.size - position)));
    await this.#fill(bytes, 0, bytes.length, position);
    return bytes;
  }

  /** All of the file as it is on disk, in pieces whose memory belongs to whoever gets them. */
  async *raw(): AsyncGenerator<Buffer> {
    for (let position = 0; position < this.piece.size; position += RAW) {
      const bytes = await this.at(position, RAW);
      this.#rawBytes += bytes.length;
      yield bytes;
    }
  }

  /** How many bytes `raw` has given since this was asked. */
  takeRawBytes(): number {
    const bytes = this.#rawBytes;
    this.#rawBytes = 0;
    return bytes;
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  async #fill(memory: Buffer, offset: number, length: number, position: number): Promise<void> {
    const { path } = this.piece;
    for (let done = 0; done < length; ) {
      const { bytesRead } = await this.#file
        .read(memory, offset + done, length - done, position + done)
        .catch((error: unknown) => {
          throw fileError(path, 'read', error);
        });
      if (bytesRead === 0)
        throw new InputError(`${path} has become shorter while it was read: it ends at byte ${position + done}`, {
          path,
        });
      done += bytesRead;
    }
  }
}

/** Files that are open before it is their turn: small ones take longer to open than to read. */
const AHEAD = 4;

/** In their order. Whoever takes one closes it. */
export async function* openAhead(pieces: readonly Piece[]): AsyncGenerator<Opened> {
  const ahead: Promise<Opened>[] = [];
  try {
    for (const piece of pieces) {
      const opening = Opened.open(piece);
      // Whoever comes for it is told.
      opening.catch(() => undefined);
      if (ahead.push(opening) > AHEAD) yield await ahead.shift()!;
    }
    while (ahead.length > 0) yield await ahead.shift()!;
  } finally {
    for (const opening of ahead) await opening.then((file) => file.close()).catch(() => undefined);
  }
}

/** `memory` from `from` to `to`. */
export interface Block {
  memory: Buffer;
  from: number;
  to: number;
}

/** What was left of the block before, and the block, in one piece of memory. */
export function joined(rest: Buffer, { memory, from, to }: Block): Buffer {
  if (rest.length === 0) return memory.subarray(from, to);
  if (rest.length > from) return Buffer.concat([rest, memory.subarray(from, to)]);
  rest.copy(memory, from - rest.length);
  return memory.subarray(from - rest.length, to);
}
