/**
 * The thread that writes. A commit waits for the disk, which the controller's event loop must not; and what goes wrong in
 * it is thrown here, while lmdb's own queue would print it and leave its promises pending.
 */
import path from 'node:path';
import type { MessagePort } from 'node:worker_threads';
import { crc32 } from 'node:zlib';
import { StoreError } from '../errors.ts';
import { DATA_FILE, type Environment, openEnvironment } from './lmdb-environment.ts';
import { checkFile } from './lmdb-file.ts';
import { type Need, Room } from './lmdb-room.ts';
import { type PackedChange, unpacked } from './packed-writes.ts';

export interface WriterOptions {
  readonly folder: string;
  readonly sync: boolean;
  readonly maxBytes: number;
  /** The data file is there and has to be whole. */
  readonly existing: boolean;
}

/** What became of one write: nothing to say when it is durable. */
export type Outcome =
  | undefined
  | { readonly kind: 'conflict'; readonly change: number }
  | { readonly kind: 'full' | 'failed'; readonly why: string };

export type WriterMessage =
  | { readonly opened: true }
  | { readonly refused: { readonly code: string; readonly message: string } }
  | { readonly outcomes: readonly Outcome[] };

export type WriterCommand = { readonly memory: ArrayBuffer; readonly size: number } | 'close';

type Changes = readonly PackedChange[];

/** Serves until it is told to close. */
export async function serveWriter(port: MessagePort, options: WriterOptions): Promise<void> {
  const say = (message: WriterMessage): void => port.postMessage(message);
  let writer: Writer;
  try {
    writer = await Writer.open(options);
  } catch (error) {
    const { message } = error as Error;
    say({ refused: { code: error instanceof StoreError ? error.code : 'STORE', message } });
    return;
  }
  port.on('message', (command: WriterCommand) => {
    if (command === 'close') void writer.close().then(() => port.close());
    else say({ outcomes: writer.commit(unpacked(command)) });
  });
  say({ opened: true });
}

class Writer {
  readonly #db: Environment;
  readonly #room: Room;

  static async open({ folder, sync, maxBytes, existing }: WriterOptions): Promise<Writer> {
    const file = path.join(folder, DATA_FILE);
    if (existing) checkFile(file);
    const db = await openEnvironment(folder, sync);
    return new Writer(db, new Room(db, folder, file, maxBytes));
  }

  constructor(db: Environment, room: Room) {
    this.#db = db;
    this.#room = room;
  }

  /** One transaction for all of them; if that fails, one for each, so that none suffers from another. */
  commit(writes: readonly Changes[]): Outcome[] {
    const outcomes: Outcome[] = [];
    try {
      const refusals = this.#refusals(writes);
      this.#db.transactionSync(() => {
        writes.forEach((changes, i) => {
          outcomes.push(refusals[i] ?? this.#apply(changes));
        });
      });
      return outcomes;
    } catch (error) {
      if (writes.length > 1) return writes.flatMap((changes) => this.commit([changes]));
      return [this.#failure(error as Error & { code?: unknown })];
    }
  }

  async close(): Promise<void> {
    this.#room.close();
    await this.#db.close();
  }

  /** Those that would not fit. Writes that only remove always go on. */
  #refusals(writes: readonly Changes[]): Outcome[] {
    const puts = writes.map((changes) => changes.some(({ record }) => record));
    if (!puts.includes(true)) return [];
    if (!this.#room.lacks(writes.reduce<Need | undefined>((need, w) => this.#room.need(w, need), undefined)!))
      return [];
    let accepted: Need | undefined;
    return writes.map((changes, i) => {
      const need = this.#room.need(changes, accepted);
      const why = puts[i] ? this.#room.lacks(need) : undefined;
      if (why) return { kind: 'full', why };
      accepted = need;
      return undefined;
    });
  }

  #apply(changes: Changes): Outcome {
    const change = changes.findIndex(({ key, expected }) => expected !== undefined && !this.#holds(key, expected));
    if (change >= 0) return { kind: 'conflict', change };
    for (const { key, record } of changes) {
      if (record) void this.#db.put(key, sealed(key, record));
      else void this.#db.remove(key);
    }
    return undefined;
  }

  #holds(key: Buffer, expected: Buffer | null): boolean {
    const record = this.#db.get(key);
    if (!record || !expected) return !record && !expected;
    return Buffer.compare(record.subarray(0, -CHECKSUM), expected) === 0;
  }

  #failure({ code, message }: Error & { code?: unknown }): Outcome {
    const full = FULL.includes(code as number) || (code === EIO && this.#room.isFull());
    return full ? { kind: 'full', why: 'the disk is full' } : { kind: 'failed', why: message };
  }
}

const CHECKSUM = 4;
/** lmdb's errors have the system's numbers: ENOSPC, EFBIG, EDQUOT. */
const FULL = [28, 27, 122];
const EIO = 5;

/** Fills in the checksum, over key and value, that the record has room for. */
function sealed(key: Buffer, record: Buffer): Buffer {
  const end = record.length - CHECKSUM;
  new DataView(record.buffer, record.byteOffset + end).setUint32(0, crc32(record.subarray(0, end), crc32(key)), true);
  return record;
}

/** The value of a record, of its own memory; undefined if it is not what was written. */
export function unsealed(key: Buffer, record: Buffer): Uint8Array | undefined {
  const end = record.length - CHECKSUM;
  if (end < 0) return undefined;
  const value = new Uint8Array(end);
  value.set(record.subarray(0, end));
  const sum = new DataView(record.buffer, record.byteOffset + end).getUint32(0, true);
  return crc32(value, crc32(key)) === sum ? value : undefined;
}
