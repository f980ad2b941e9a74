import { ProtocolError } from '../errors.ts';
import { MAX_PARTS } from './frame-outbox.ts';
import { takeMemory } from './memory-pool.ts';

/** From this size on a part has an ArrayBuffer to itself, so that any typed array can be made over it. */
export const OWN_BUFFER_BYTES = 4096;
/** Below this, reading into the part directly saves less than it costs. */
const DIRECT_BYTES = 16 * 1024;

/** The parts of a message whose one frame lies complete in a buffer that will be used again. */
export function wholeMessage(bytes: Uint8Array, start: number, end: number, limit: number): Uint8Array[] {
  if (end - start < 4) throw new ProtocolError('a first frame without a part table');
  const count = u32(bytes, start);
  checkCount(count, limit);
  let at = start + 4 + 4 * count;
  if (count === 1 && u32(bytes, start + 4) === end - at) {
    checkTotal(end - at, limit);
    return [copy(bytes, at, end)];
  }
  const lengths = readLengths(bytes, start + 4, Math.min(count, Math.floor((end - start - 4) / 4)));
  if (lengths.length < count || at + sum(lengths, limit) !== end) {
    throw new ProtocolError('a message whose last frame is not where its part table puts it');
  }
  const parts = allocate(lengths);
  for (const part of parts) {
    part.set(bytes.subarray(at, at + part.length));
    at += part.length;
  }
  return parts;
}

/** A message that arrives in pieces. Its memory is allocated once, when the part table is complete and makes sense. */
export class PartialMessage {
  parts: Uint8Array[] = [];
  readonly #limit: number;
  #table: Uint8Array | undefined = new Uint8Array(4);
  #tableFilled = 0;
  #part = 0;
  #offset = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get complete(): boolean {
    return this.#table === undefined && this.#part === this.parts.length;
  }

  take(bytes: Uint8Array, start: number, end: number): void {
    let at = start;
    while (this.#table && at < end) at += this.#takeTable(this.#table, bytes, at, end);
    while (at < end) {
      const part = this.parts[this.#part];
      if (!part) throw new ProtocolError('a message longer than its part table says');
      const n = Math.min(end - at, part.length - this.#offset);
      // Bytes that were read into `memory` are where they belong already.
      if (bytes.buffer !== part.buffer || bytes.byteOffset + at !== part.byteOffset + this.#offset) {
        part.set(bytes.subarray(at, at + n), this.#offset);
      }
      at += n;
      this.#advance(n);
    }
  }

  memory(frameLeft: number, extra: number): Uint8Array | undefined {
    const part = this.parts[this.#part];
    if (!part) return undefined;
    const left = part.length - this.#offset;
    if (left < DIRECT_BYTES || frameLeft < DIRECT_BYTES) return undefined;
    return part.subarray(this.#offset, this.#offset + Math.min(left, frameLeft + extra));
  }

  #takeTable(table: Uint8Array, bytes: Uint8Array, at: number, end: number): number {
    const n = Math.min(end - at, table.length - this.#tableFilled);
    table.set(bytes.subarray(at, at + n), this.#tableFilled);
    this.#tableFilled += n;
    if (this.#tableFilled < table.length) return n;
    const count = u32(table, 0);
    if (table.length === 4 && count > 0) {
      checkCount(count, this.#limit);
      this.#table = new Uint8Array(4 + 4 * count);
      this.#table.set(table);
      return n;
    }
    const lengths = readLengths(table, 4, count);
    sum(lengths, this.#limit);
    this.parts = allocate(lengths);
    this.#table = undefined;
    this.#advance(0);
    return n;
  }

  #advance(n: number): void {
    this.#offset += n;
    while (this.#part < this.parts.length && this.#offset === this.parts[this.#part]!.length) {
      this.#part++;
      this.#offset = 0;
    }
  }
}

function checkCount(count: number, limit: number): void {
  if (count > MAX_PARTS || 4 * count > limit) throw new ProtocolError(`a message of ${count} parts`);
}

function checkTotal(total: number, limit: number): void {
  if (total > limit) throw new ProtocolError(`a message of ${total} bytes; the limit is ${limit} here and now`);
}

function sum(lengths: readonly number[], limit: number): number {
  let total = 0;
  for (const length of lengths) total += length;
  checkTotal(total, limit);
  return total;
}

function readLengths(bytes: Uint8Array, at: number, count: number): number[] {
  const lengths: number[] = [];
  for (let i = 0; i < count; i++) lengths.push(u32(bytes, at + 4 * i));
  return lengths;
}

/** Small parts of one message share an ArrayBuffer: one allocation instead of many. Each begins where numbers of any kind may. */
export function allocate(lengths: readonly number[]): Uint8Array[] {
  let small = 0;
  for (const length of lengths) if (length < OWN_BUFFER_BYTES) small = aligned(small) + length;
  const shared = small > 0 ? new ArrayBuffer(small) : undefined;
  let at = 0;
  return lengths.map((length) => {
    if (length >= OWN_BUFFER_BYTES) return fresh(length);
    if (!shared || length === 0) return new Uint8Array(0);
    const from = aligned(at);
    at = from + length;
    return new Uint8Array(shared, from, length);
  });
}

/** The next place at which any number may lie. */
export function aligned(at: number): number {
  return (at + 7) & -8;
}

/** Memory of its own that nobody has cleared: it is about to be filled. */
export function fresh(length: number): Uint8Array {
  return takeMemory(length);
}

function copy(bytes: Uint8Array, start: number, end: number): Uint8Array {
  // Called as Uint8Array's: Buffer's own slice shares memory.
  return Uint8Array.prototype.slice.call(bytes, start, end);
}

export function u32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}
