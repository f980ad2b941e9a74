/**
 * Columns of values as bytes. Where all values of a column are texts or numbers they lie side by side; the same value again and again is
 * there once; all else takes the way of the codec.
 */
import { decode, encode } from '../../../core/index.ts';
import { MapReduceError } from '../errors.ts';

const Column = { same: 0, latin1: 1, utf16: 2, int32: 3, float64: 4, any: 5 };

/** A tag, the size of what follows, and how many values there are. */
const HEAD = 12;

/** Memory that is written to from its beginning, again and again, and grows. */
export class Scratch {
  #bytes = Buffer.allocUnsafeSlow(256 << 10);
  #end = 0;

  begin(): void {
    this.#end = 0;
  }

  /** What was written since. The next `begin` makes it void. */
  get written(): Uint8Array {
    return new Uint8Array(this.#bytes.buffer, 0, this.#end);
  }

  /** @throws CannotTravelError */
  column(values: readonly unknown[]): void {
    const first = values[0];
    if (typeof first !== 'object' && all(values, (value) => Object.is(value, first)))
      this.#column(Column.same, values.length, () => this.#value(first));
    else if (typeof first === 'string' && all(values, (value) => typeof value === 'string'))
      this.#texts(values as readonly string[]);
    else if (typeof first === 'number' && all(values, (value) => typeof value === 'number'))
      this.#numbers(values as readonly number[]);
    else this.#column(Column.any, values.length, () => this.#value(values));
  }

  #column(tag: number, count: number, write: () => void): void {
    const head = this.#end;
    this.#room(HEAD);
    this.#end += HEAD;
    write();
    this.#bytes.writeUInt32BE(tag, head);
    this.#bytes.writeUInt32BE(this.#end - head - HEAD, head + 4);
    this.#bytes.writeUInt32BE(count, head + 8);
  }

  #texts(texts: readonly string[]): void {
    const whole = texts.join('');
    const narrow = isLatin1(whole);
    this.#column(narrow ? Column.latin1 : Column.utf16, texts.length, () => {
      const lengths = new Uint32Array(texts.length);
      for (let i = 0; i < texts.length; i++) lengths[i] = texts[i]!.length;
      this.#memory(lengths);
      this.#room(2 * whole.length);
      this.#end += this.#bytes.write(whole, this.#end, narrow ? 'latin1' : 'utf16le');
    });
  }

  #numbers(numbers: readonly number[]): void {
    const small = all(numbers, (n) => (n | 0) === n && !Object.is(n, -0));
    this.#column(small ? Column.int32 : Column.float64, numbers.length, () =>
      this.#memory(small ? Int32Array.from(numbers) : Float64Array.from(numbers)),
    );
  }

  /** The codec's parts, after how many there are and their sizes. */
  #value(value: unknown): void {
    const { parts } = encode(value, { root: 'emitted' });
    this.#memory(Uint32Array.of(parts.length, ...parts.map((part) => part.byteLength)));
    for (const part of parts) this.#memory(part);
  }

  #memory({ buffer, byteOffset, byteLength }: ArrayBufferView): void {
    this.#room(byteLength);
    this.#bytes.set(new Uint8Array(buffer, byteOffset, byteLength), this.#end);
    this.#end += byteLength;
  }

  #room(bytes: number): void {
    if (this.#end + bytes <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * (this.#end + bytes));
    larger.set(this.written);
    this.#bytes = larger;
  }
}

/** As `every`, for short tests of long lists. */
function all<T>(values: readonly T[], test: (value: T) => boolean): boolean {
  for (let i = 0; i < values.length; i++) if (!test(values[i]!)) return false;
  return true;
}

function isLatin1(text: string): boolean {
  // The length in UTF-8 is found out much faster than whether a pattern matches.
  return Buffer.byteLength(text) === text.length || !/[^\0-\xff]/.test(text);
}

/** The values of the column that begins at `at`, and where it ends. The values own nothing of the memory. */
export function decodeColumn(bytes: Buffer, at: number): { values: unknown[]; end: number } {
  const tag = bytes.readUInt32BE(at);
  const size = bytes.readUInt32BE(at + 4);
  const count = bytes.readUInt32BE(at + 8);
  const from = at + HEAD;
  const end = from + size;
  if (end > bytes.length) throw new MapReduceError('A block of records is shorter than it says');
  return { values: read(tag, bytes, from, end, count), end };
}

function read(tag: number, bytes: Buffer, from: number, end: number, count: number): unknown[] {
  switch (tag) {
    case Column.same:
      return new Array(count).fill(decodeValue(bytes, from));
    case Column.latin1:
    case Column.utf16:
      return decodeTexts(bytes, from, end, count, tag === Column.latin1);
    case Column.int32:
      return Array.from(new Int32Array(copyOf(bytes, from, end)));
    case Column.float64:
      return Array.from(new Float64Array(copyOf(bytes, from, end)));
    case Column.any:
      return decodeValue(bytes, from) as unknown[];
    default:
      throw new MapReduceError(`A block of records has a column of an unknown kind: ${tag}`);
  }
}

function decodeTexts(bytes: Buffer, from: number, end: number, count: number, narrow: boolean): string[] {
  const lengths = new Uint32Array(copyOf(bytes, from, from + 4 * count));
  const whole = bytes.toString(narrow ? 'latin1' : 'utf16le', from + 4 * count, end);
  const texts = new Array<string>(count);
  for (let i = 0, at = 0; i < count; i++) {
    const to = at + lengths[i]!;
    texts[i] = whole.substring(at, to);
    at = to;
  }
  return texts;
}

function decodeValue(bytes: Buffer, from: number): unknown {
  const count = bytes.readUInt32LE(from);
  const sizes = new Uint32Array(copyOf(bytes, from + 4, from + 4 + 4 * count));
  let at = from + 4 + 4 * count;
  const parts = Array.from(sizes, (size) => new Uint8Array(copyOf(bytes, at, (at += size))));
  return decode({ codec: 'msgpack', parts });
}

/** Memory of its own, aligned for whatever lies in it. */
function copyOf(bytes: Buffer, from: number, end: number): ArrayBuffer {
  return bytes.buffer.slice(bytes.byteOffset + from, bytes.byteOffset + end) as ArrayBuffer;
}
