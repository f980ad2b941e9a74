/**
 * The body of a msgpack payload. Either plain msgpack, or, when its first byte is 0xc1 (which msgpack never uses), that
 * byte and then msgpack of `[root, table]`. In such a body the extension type 0x54 (four bytes, big-endian unsigned n)
 * stands for the thing that `table[n]` describes; the same n twice is the same thing twice. An entry of the table is an
 * array that starts with a word; walk.ts writes them and revive.ts reads them:
 *
 *     is value                   a plain value that is met twice, or sits deep
 *     -0                         minus zero
 *     text bytes                 a string that is not well-formed: UTF-16, little-endian
 *     object k v k v…            a plain object with keys that msgpack readers trip over
 *     null k v k v…              an object without a prototype
 *     sparse length i v i v…     an array with holes
 *     map k v k v… | set v v…
 *     regexp source flags
 *     box value                  new Number(1), new String('')…
 *     view, memory               see memory.ts
 *     error names (k v enumerable)…   `names`: its class and parents
 *     class name plain           an instance of a registered class
 *     code, module, builtin, need, ref   see form-entry.ts
 *
 * Objects are msgpack maps with string keys, `undefined` is extension 0, Dates are the timestamp extension, int64 and
 * uint64 are bigints (numbers beyond 32 bits are float64), larger bigints are extension 0x42 (two's complement, big-endian).
 */
import { addExtension, Packr, RESET_BUFFER_MODE, REUSE_BUFFER_MODE } from 'msgpackr';
import { ProtocolError } from '../errors.ts';
import { uncleared } from './bytes.ts';
import { keepWorkroom, takeRoom, workroom } from './memory-pool.ts';

const TABLE_MARK = 0xc1;
const SLOT_TYPE = 0x54;
/** msgpackr packs into one growing buffer; a body above this leaves it, so that small messages never pin a large one. */
const KEEP_IN_POOL = 4096;
/** Its size, mostly. A larger one has grown for something large: small bodies are not packed into it. */
const POOL = KEEP_IN_POOL * 2;
/** The same for large things: what it has besides what is expected, since it must have room for thrice the length of each text. */
const SLACK = 256 * 1024;

const IN_PLACE = REUSE_BUFFER_MODE | RESET_BUFFER_MODE;

/** Takes bytes that lie within others, while it runs. */
export type TakeBytes = (bytes: Uint8Array, from: number, size: number) => void;

interface Slots {
  Slot: new (index: number) => Slot;
  /** Only while a body with a table is read. */
  allowed: boolean;
}

/** A reference into the table. */
export interface Slot {
  readonly index: number;
}

/** One per global scope: copies of this module may share one msgpackr, whose extensions are for all. */
const slots = sharedSlots();
export const { Slot } = slots;

function sharedSlots(): Slots {
  const key = Symbol.for('tutti.slots');
  const scope = globalThis as unknown as Record<symbol, Slots | undefined>;
  class Reference implements Slot {
    readonly index: number;
    constructor(index: number) {
      this.index = index;
    }
  }
  if (!scope[key]) Object.defineProperty(globalThis, key, { value: { Slot: Reference, allowed: false } });
  return scope[key]!;
}

// Maps, not msgpackr's records: any msgpack reader understands them, and for small values they are twice as fast.
// msgpackr's own references are off: the walk finds shared and cyclic objects, and hostile bytes cannot forge a cycle.
const packr = new Packr({
  useRecords: false,
  variableMapSize: true,
  structuredClone: false,
  useBigIntExtension: true,
});

addExtension({
  Class: Slot,
  type: SLOT_TYPE,
  pack(slot: Slot) {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, slot.index);
    return bytes as Buffer;
  },
  unpack(bytes: Uint8Array) {
    if (!slots.allowed || bytes.length !== 4) throw new ProtocolError('A reference outside a table in a payload.');
    return new Slot(new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0));
  },
});

/**
 * Packs a value that plain msgpack keeps exactly, and that is expected to take so many bytes.
 * @param passing nobody but sessions has the bytes
 */
export function packPlain(value: unknown, expected: number, passing = false): Uint8Array {
  if (expected > KEEP_IN_POOL) return leavePool(value, 0, expected, passing);
  const body = packr.pack(value);
  if (body.length <= KEEP_IN_POOL) return body;
  const copy = new Uint8Array(body);
  giveBack(body.buffer.byteLength);
  return copy;
}

/** The same, without memory for it: the bytes are msgpackr's own, and written over by what is packed next. */
export function lendPlain(value: unknown, expected: number, take: TakeBytes): void {
  const bytes = packInPlace(value, expected);
  take(bytes, bytes.start, bytes.end - bytes.start);
  giveBack(bytes.length, bytes);
}

export function packTable(root: unknown, table: readonly unknown[], expected: number, passing = false): Uint8Array {
  return leavePool([root, table], 1, expected, passing);
}

export function isPlainBody(bytes: Uint8Array, start: number): boolean {
  return bytes[start] !== TABLE_MARK;
}

const RANGE = { start: 0, end: 0 };

/** What lies there in the bytes, without a view of its own. */
export function unpackPlain(bytes: Uint8Array, start: number, end: number): unknown {
  RANGE.start = start;
  RANGE.end = end;
  return packr.unpack(bytes, RANGE);
}

/** `[root, table]`; the table is undefined for plain msgpack. Throws whatever msgpackr throws on bytes that make no sense. */
export function unpackBody(body: Uint8Array): [unknown, unknown[] | undefined] {
  if (body[0] !== TABLE_MARK) return [packr.unpack(body), undefined];
  slots.allowed = true;
  try {
    const both: unknown = packr.unpack(body.subarray(1));
    if (!Array.isArray(both) || both.length !== 2 || !Array.isArray(both[1])) {
      throw new ProtocolError('A payload body that starts with 0xc1 must go on with [root, table].');
    }
    return both as [unknown, unknown[]];
  } finally {
    slots.allowed = false;
  }
}

/** A copy, after the mark if it has one. */
function leavePool(value: unknown, mark: 0 | 1, expected: number, passing: boolean): Uint8Array {
  const bytes = packInPlace(value, expected);
  const size = bytes.end - bytes.start + mark;
  const body = passing ? takeRoom(size) : new Uint8Array(size);
  if (mark) body[0] = TABLE_MARK;
  body.set(bytes.subarray(bytes.start, bytes.end), mark);
  giveBack(bytes.length, bytes);
  return body;
}

type InPlace = Buffer & { readonly start: number; readonly end: number };

/** Where it has been packed: until the next is. */
function packInPlace(value: unknown, expected: number): InPlace {
  if (expected <= KEEP_IN_POOL) return packr.pack(value, IN_PLACE) as InPlace;
  const room = workroom(expected + SLACK);
  packr.useBuffer(room as Buffer);
  try {
    return packr.pack(value, IN_PLACE) as InPlace;
  } catch (error) {
    packr.useBuffer(uncleared(POOL) as Buffer);
    throw error;
  }
}

/** The pool is small again; what was larger is for the next large thing. */
function giveBack(capacity: number, bytes?: InPlace): void {
  if (capacity <= POOL) return;
  // From its beginning on: there is no small body in it.
  if (bytes?.start === 0) keepWorkroom(bytes);
  packr.useBuffer(uncleared(POOL) as Buffer);
}
