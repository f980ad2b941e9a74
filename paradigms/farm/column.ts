/**
 * Numbers that are gathered, and leave together. A message of ours is a list of columns in one piece of memory: how many numbers
 * each has, and then the numbers, each column from a multiple of eight bytes on.
 */
type Numbers = Uint8Array | Int32Array | Uint32Array | Float64Array;
type Kind<A> = (new (length: number) => A) & (new (buffer: ArrayBufferLike, from: number, length: number) => A);

const WORD = 8;
/** Below this a loop is faster than `set`. Bytes. */
const FEW = 24;
/** Memory for more than that is not kept. Bytes. */
const KEPT = 1 << 20;

export class Column<A extends Numbers = Numbers> {
  length = 0;
  #kind: Kind<A>;
  #numbers: A;

  constructor(kind: Kind<A>) {
    this.#kind = kind;
    this.#numbers = new kind(FEW);
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
    const { buffer } = this.#numbers;
    target.set(new Uint8Array(buffer, 0, this.byteLength), at);
    if (buffer.byteLength > KEPT) this.#numbers = new this.#kind(FEW);
    this.length = 0;
  }

  #grow(least: number): void {
    const larger = new this.#kind(Math.max(least, 2 * this.#numbers.length));
    larger.set(this.#numbers);
    this.#numbers = larger;
  }
}

/** All that is in the columns, which begin anew. */
export function packColumns(columns: readonly Column[]): Uint8Array {
  let at = inWords(4 * columns.length);
  let size = at;
  for (const { byteLength } of columns) size += inWords(byteLength);
  const bytes = new Uint8Array(size);
  const lengths = new Uint32Array(bytes.buffer, 0, columns.length);
  for (const [i, column] of columns.entries()) {
    const { byteLength, length } = column;
    lengths[i] = length;
    if (length) column.moveTo(bytes, at);
    at += inWords(byteLength);
  }
  return bytes;
}

/** Reads them in the order in which they were given. They share the memory of the message. */
export class ColumnReader {
  #bytes: Uint8Array;
  #lengths: Uint32Array;
  #next = 0;
  #at: number;

  constructor(message: Uint8Array, count: number) {
    this.#bytes = message.byteOffset % WORD ? Uint8Array.prototype.slice.call(message) : message;
    this.#lengths = new Uint32Array(this.#bytes.buffer, this.#bytes.byteOffset, count);
    this.#at = inWords(4 * count);
  }

  next<A extends Numbers>(kind: Kind<A> & { BYTES_PER_ELEMENT: number }): A {
    const length = this.#lengths[this.#next++]!;
    const size = length * kind.BYTES_PER_ELEMENT;
    if (this.#at + size > this.#bytes.length) throw new RangeError('A message of the farm that is too short');
    const column = new kind(this.#bytes.buffer, this.#bytes.byteOffset + this.#at, length);
    this.#at += inWords(size);
    return column;
  }
}

const inWords = (size: number): number => Math.ceil(size / WORD) * WORD;
