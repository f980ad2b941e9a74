/** The engine's end of the ring: records go in whole; where there is no room, the writer waits, like one at a full pipe. */
import { AWAKE, READ, RING, type SharedMemory, WRITTEN } from './memory.ts';

/** Bytes of a record's head: its length, what it is, whose, of which call, and of how many parts. */
export const HEAD = 20;
/** A record's last byte: whether its writer came to its end. */
export const WHOLE = 1;
/** Characters that a record of text has at most; longer texts become several. */
const PIECE = 16 << 10;
/** ms after which a waiting writer looks again by itself. */
const LOOK_AGAIN = 100;

const END = Buffer.from([WHOLE]);

export class RingWriter {
  #ints: Int32Array;
  #ring: Buffer;
  #head = Buffer.alloc(HEAD);
  /** The record that is being written, and how much of it is in the ring. Its writer may be stopped in the middle. */
  #length = 0;
  #done = 0;
  #end: number;

  constructor({ ints, ring }: SharedMemory) {
    this.#ints = ints;
    this.#ring = ring;
    this.#end = ints[WRITTEN]!;
  }

  /** Bytes that have been written so far. The reader counts the same; to be asked once in 2 GB. */
  get end(): number {
    this.#end += (this.#ints[WRITTEN]! - this.#end) | 0;
    return this.#end;
  }

  text(stream: number, client: number, call: number, text: string): void {
    for (let from = 0; from < text.length; ) {
      let to = Math.min(from + PIECE, text.length);
      // Not between the halves of a character.
      if (to < text.length && (text.charCodeAt(to - 1) & 0xfc00) === 0xd800) to--;
      this.#piece(stream, client, call, from || to < text.length ? text.slice(from, to) : text);
      from = to;
    }
  }

  /** A payload in its parts. */
  parts(stream: number, client: number, call: number, parts: readonly Uint8Array[]): void {
    const lengths = Buffer.alloc(parts.length * 4);
    let bytes = 0;
    for (const [i, part] of parts.entries()) {
      lengths.writeInt32LE(part.byteLength, i * 4);
      bytes += part.byteLength;
    }
    this.#record([lengths, ...parts], lengths.byteLength + bytes, stream, client, call, parts.length);
  }

  /** The usual case needs no copy and no allocation: there is room, and the end of the ring is not near. */
  #piece(stream: number, client: number, call: number, text: string): void {
    this.#repair();
    const ints = this.#ints;
    const written = Atomics.load(ints, WRITTEN);
    const at = written & (RING - 1);
    const free = RING - ((written - Atomics.load(ints, READ)) | 0);
    if (HEAD + text.length * 3 + 1 > Math.min(free, RING - at)) {
      const body = Buffer.from(text);
      this.#record([body], body.byteLength, stream, client, call, 0);
      return;
    }
    const bytes = this.#ring.write(text, at + HEAD);
    writeHead(this.#ring, at, bytes, stream, client, call, 0);
    this.#ring[at + HEAD + bytes] = WHOLE;
    Atomics.store(ints, WRITTEN, (written + HEAD + bytes + 1) | 0);
    this.#wake();
  }

  #record(
    body: readonly Uint8Array[],
    bytes: number,
    stream: number,
    client: number,
    call: number,
    count: number,
  ): void {
    this.#repair();
    writeHead(this.#head, 0, bytes, stream, client, call, count);
    this.#length = HEAD + bytes + 1;
    this.#done = 0;
    this.#put(this.#head);
    for (const part of body) this.#put(part);
    this.#put(END);
    this.#done = 0;
  }

  #put(bytes: Uint8Array): void {
    const ints = this.#ints;
    for (let from = 0; from < bytes.byteLength; ) {
      const free = this.waitForRoom();
      const written = ints[WRITTEN]!;
      const at = written & (RING - 1);
      const length = Math.min(free, RING - at, bytes.byteLength - from);
      this.#ring.set(bytes.subarray(from, from + length), at);
      from += length;
      this.#done += length;
      Atomics.store(ints, WRITTEN, (written + length) | 0);
      this.#wake();
    }
  }

  /** The supervisor knows this name: a task that waits here may be stopped. */
  waitForRoom(): number {
    const ints = this.#ints;
    for (;;) {
      const read = Atomics.load(ints, READ);
      const free = RING - ((ints[WRITTEN]! - read) | 0);
      if (free) return free;
      this.#wake();
      Atomics.wait(ints, READ, read, LOOK_AGAIN);
    }
  }

  /**
   * What follows must not be taken for the rest of a record whose writer was stopped: it gets its length, and no end. Of one
   * that has not begun nothing is there.
   */
  #repair(): void {
    if (this.#done === 0) return;
    if (this.#done < HEAD) this.#put(this.#head.subarray(this.#done));
    while (this.#done < this.#length) this.#put(Buffer.alloc(Math.min(this.#length - this.#done, RING)));
    this.#done = 0;
  }

  #wake(): void {
    if (Atomics.exchange(this.#ints, AWAKE, 1) === 0) Atomics.notify(this.#ints, AWAKE);
  }
}

function writeHead(
  into: Buffer,
  at: number,
  bytes: number,
  stream: number,
  client: number,
  call: number,
  count: number,
): void {
  into.writeInt32LE(bytes, at);
  into.writeInt32LE(stream, at + 4);
  into.writeInt32LE(client, at + 8);
  into.writeInt32LE(call | 0, at + 12);
  into.writeInt32LE(count, at + 16);
}
