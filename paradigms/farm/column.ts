/**
 * Numbers that are gathered, and leave together. A message of ours is a list of columns in one piece of memory: how many numbers
 * each has, and then the numbers, each column from a multiple of eight bytes on.
 */
type Numbers = Uint8Array | Int32Array | Uint32Array | Float64Array;
type Kind<A> = (new (length: number) => A) & (new (buffer: ArrayBufferLike, from: number, length: number) => A);

const WORD = 8;
/** Below this a loop is faster than `set`. Bytes. */
const FEW = 24;
const LITTLE = 64;
/** Memory for more than that is not kept. Bytes. */
const KEPT = 4 << 20;

export class Column<A extends Numbers = Numbers> {
  length = 0;
  #kind: Kind<A>;
  #numbers: A;
  /** The same memory. */
  #bytes: Uint8Array;

  constructor(kind: Kind<A>) {
    this.#kind = kind;
    this.#numbers = new kind(FEW);
    this.#bytes = new Uint8Array(this.#numbers.buffer);
  }

  get byteLength(): number {
    return this.length * this.#numbers.BYTES_PER_ELEMENT;
  }

  push(number: number): void {
    if (this.length === this.#numbers.length) this.#grow(this.length + 1);
    this.#numbers[this.length++] = number;
  }

  pushAll(...numbers: number[]): void {
    for (const number of numbers) this.push(number);
  }

  /** Several at a time. */
  append(source: Numbers, from: number, count: number): void {
    const at = this.length;
    if (at + count > this.#numbers.length) this.#grow(at + count);
    const numbers = this.#numbers;
    if (count < FEW) for (let i = 0; i < count; i++) numbers[at + i] = source[from + i]!;
    else numbers.set(source.subarray(from, from + count), at);
    this.length += count;
  }

  /** A copy. */
  list(): A {
    return this.#numbers.slice(0, this.length) as A;
  }

  /** Moves all numbers; it begins anew then. */
  moveTo(target: Uint8Array, at: number): void {
    const size = this.byteLength;
    const bytes = this.#bytes;
    if (size <= LITTLE) for (let i = 0; i < size; i++) target[at + i] = bytes[i]!;
    else target.set(bytes.subarray(0, size), at);
    this.length = 0;
    if (bytes.length > KEPT) this.#take(new this.#kind(FEW));
  }

  #grow(least: number): void {
    const larger = new this.#kind(Math.max(least, 2 * this.#numbers.length));
    larger.set(this.#numbers);
    this.#take(larger);
  }

  #take(numbers: A): void {
    this.#numbers = numbers;
    this.#bytes = new Uint8Array(numbers.buffer);
  }
}

/** All that is in the columns, which begin anew. */
export function packColumns(columns: readonly Column[]): Uint8Array {
  let at = inWords(4 * columns.length);
  let size = at;
  for (const column of columns) size += inWords(column.byteLength);
  const bytes = new Uint8Array(size);
  let head = 0;
  for (const column of columns) {
    const { byteLength, length } = column;
    for (let shift = 0; shift < 32; shift += 8) bytes[head++] = length >>> shift;
    if (length) column.moveTo(bytes, at);
    at += inWords(byteLength);
  }
  return bytes;
}

/** Reads them in the order in which they were given. They share the memory of the message. */
export class ColumnReader {
  #bytes: Uint8Array;
  #head = 0;
  #at: number;

  constructor(message: Uint8Array, count: number) {
    this.#bytes = message.byteOffset % WORD ? Uint8Array.prototype.slice.call(message) : message;
    this.#at = inWords(4 * count);
    this.#check(0);
  }

  next<A extends Numbers>(kind: Kind<A> & { BYTES_PER_ELEMENT: number }): A {
    const bytes = this.#bytes;
    let length = 0;
    for (let shift = 0; shift < 32; shift += 8) length += (bytes[this.#head++]! << shift) >>> 0;
    if (!length) return nothing(kind);
    const size = length * kind.BYTES_PER_ELEMENT;
    this.#check(size);
    const column = new kind(bytes.buffer, bytes.byteOffset + this.#at, length);
    this.#at += inWords(size);
    return column;
  }

  #check(size: number): void {
    if (this.#at + size > this.#bytes.length) throw new RangeError('A message of the farm that is too short');
  }
}

const NOTHING = [Uint8Array, Int32Array, Uint32Array, Float64Array].map((kind) => new kind(0));

/** Most columns of most messages are empty. */
function nothing<A extends Numbers>(kind: Kind<A>): A {
  for (const empty of NOTHING) if (empty.constructor === kind) return empty as A;
  return new kind(0);
}

const inWords = (size: number): number => Math.ceil(size / WORD) * WORD;
