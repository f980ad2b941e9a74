/**
 * Columns of values as bytes. Where all values of a column are texts or numbers they lie side by side; the same value again and again is
 * there once; all else takes the way of the codec.
 */
import { decode, encode } from '../../../core/index.ts';
import { MapReduceError } from '../errors.ts';

const Column = { same: 0, latin1: 1, utf16: 2, int32: 3, float64: 4, any: 5 };

/** A tag, the size of what follows, and how many values there are. */
const HEAD = 12;

/** Into one piece of memory with `lead` bytes free before it. @throws CannotTravelError */
export function encodeColumn(values: readonly unknown[]): Uint8Array[] {
  const first = values[0];
  if (typeof first !== 'object' && values.every((value) => Object.is(value, first)))
    return column(Column.same, values.length, encodeValue(first));
  if (typeof first === 'string' && values.every((value) => typeof value === 'string'))
    return encodeTexts(values as readonly string[]);
  if (typeof first === 'number' && values.every((value) => typeof value === 'number'))
    return encodeNumbers(values as readonly number[]);
  return column(Column.any, values.length, encodeValue(values));
}

function column(tag: number, count: number, parts: readonly Uint8Array[]): Uint8Array[] {
  const head = new DataView(new ArrayBuffer(HEAD));
  head.setUint32(0, tag);
  head.setUint32(4, parts.reduce((sum, part) => sum + part.byteLength, 0));
  head.setUint32(8, count);
  return [new Uint8Array(head.buffer), ...parts];
}

function encodeTexts(texts: readonly string[]): Uint8Array[] {
  const lengths = Uint32Array.from(texts, ({ length }) => length);
  const whole = texts.join('');
  const narrow = isLatin1(whole);
  return column(narrow ? Column.latin1 : Column.utf16, texts.length, [
    new Uint8Array(lengths.buffer),
    Buffer.from(whole, narrow ? 'latin1' : 'utf16le'),
  ]);
}

function isLatin1(text: string): boolean {
  // The length in UTF-8 is found out much faster than whether a pattern matches.
  return Buffer.byteLength(text) === text.length || !/[^\0-\xff]/.test(text);
}

function encodeNumbers(numbers: readonly number[]): Uint8Array[] {
  const small = numbers.every((n) => (n | 0) === n && !Object.is(n, -0));
  const array = small ? Int32Array.from(numbers) : Float64Array.from(numbers);
  return column(small ? Column.int32 : Column.float64, numbers.length, [new Uint8Array(array.buffer)]);
}

/** The codec's parts, each after its size. */
function encodeValue(value: unknown): Uint8Array[] {
  const { parts } = encode(value, { root: 'emitted' });
  const sizes = Uint32Array.of(parts.length, ...parts.map((part) => part.byteLength));
  return [new Uint8Array(sizes.buffer), ...parts];
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
