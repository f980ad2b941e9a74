/**
 * Who owns the memory of an array once it was sent. Default: the sender keeps its own, the receiver gets a copy.
 */
export type TypedArray =
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array;

/** What travels: a snapshot; the memory itself, which is empty here then; the memory itself, since nobody ever changes it. */
export type Ownership = 'kept' | 'given' | 'lent';

const given = new WeakSet<object>();
/** Looking an object up costs more than walking it, so programs that give nothing away never do. */
let everGiven = false;

/**
 * Gives away the memory of every typed array and ArrayBuffer inside the value the next time it is sent: nothing is
 * copied, and they are empty at the sender afterwards. Returns the value itself.
 */
export function transfer<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    given.add(value);
    everGiven = true;
  }
  return value;
}

/** Whether the value was given away; asking uses the mark up, so that it counts for one sending only. */
export function takeGiven(value: object): boolean {
  return everGiven && given.delete(value);
}

/**
 * The same kind of typed array over shared memory: thread engines on this machine see it in place, others get a copy.
 * Copies once, unless the array is shared already.
 */
export function share<A extends TypedArray>(array: A): A {
  if (array.buffer instanceof SharedArrayBuffer) return array;
  const Kind = array.constructor as new (memory: SharedArrayBuffer) => TypedArray;
  const shared = new Kind(new SharedArrayBuffer(array.byteLength));
  (shared as Uint8Array).set(array as Uint8Array);
  return shared as A;
}
