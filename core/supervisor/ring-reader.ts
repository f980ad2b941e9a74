/** The supervisor's end of the ring. */
import { READ, RING, type SharedMemory, WRITTEN } from './memory.ts';
import { HEAD, WHOLE } from './ring-writer.ts';

export interface Told {
  readonly stream: number;
  readonly client: number;
  readonly call: number;
  /** Bytes of its own. Text has one part. */
  readonly parts: Uint8Array[];
  /** Where it ends in all that was written (`RingWriter.end`). */
  readonly end: number;
}

export class RingReader {
  #ints: Int32Array;
  #ring: Buffer;
  #head = Buffer.alloc(HEAD);
  #inHead = 0;
  #body: Buffer | undefined;
  #inBody = 0;
  #end: number;

  constructor({ ints, ring }: SharedMemory) {
    this.#ints = ints;
    this.#ring = ring;
    this.#end = ints[READ]!;
  }

  /** Bytes that have been read so far. */
  get end(): number {
    return this.#end;
  }

  get empty(): boolean {
    return Atomics.load(this.#ints, WRITTEN) === this.#ints[READ];
  }

  /** Takes whole records (one whose writer was stopped is left out) until there is none, or `take` returns false: it has enough for now. */
  drain(take: (told: Told) => boolean): void {
    for (;;) {
      if (!this.#body) {
        if (!this.#fill(this.#head, this.#inHead, (n) => (this.#inHead = n))) return;
        this.#body = Buffer.allocUnsafe(this.#head.readInt32LE(0) + 1);
        this.#inBody = 0;
      }
      const body = this.#body;
      if (!this.#fill(body, this.#inBody, (n) => (this.#inBody = n))) return;
      this.#body = undefined;
      this.#inHead = 0;
      if (body.at(-1) !== WHOLE) continue;
      const head = this.#head;
      const told: Told = {
        stream: head.readInt32LE(4),
        client: head.readInt32LE(8),
        call: head.readUInt32LE(12),
        parts: partsOf(body.subarray(0, -1), head.readInt32LE(16)),
        end: this.#end,
      };
      if (!take(told)) return;
    }
  }

  /** False: there is not enough yet. */
  #fill(into: Buffer, from: number, at: (filled: number) => void): boolean {
    const ints = this.#ints;
    let filled = from;
    while (filled < into.byteLength) {
      const read = ints[READ]!;
      const there = (Atomics.load(ints, WRITTEN) - read) | 0;
      if (!there) break;
      const start = read & (RING - 1);
      const length = Math.min(there, RING - start, into.byteLength - filled);
      into.set(this.#ring.subarray(start, start + length), filled);
      filled += length;
      this.#end += length;
      Atomics.store(ints, READ, (read + length) | 0);
      Atomics.notify(ints, READ);
    }
    at(filled);
    return filled === into.byteLength;
  }
}

function partsOf(body: Buffer, count: number): Uint8Array[] {
  if (!count) return [body];
  const parts: Uint8Array[] = [];
  let at = count * 4;
  for (let i = 0; i < count; i++) {
    const length = body.readInt32LE(i * 4);
    parts.push(body.subarray(at, at + length));
    at += length;
  }
  return parts;
}
