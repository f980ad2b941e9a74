/** Typed arrays: what their elements are, and their bytes. */

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

export interface ArrayType<A extends TypedArray = TypedArray> {
  new (length: number): A;
  new (buffer: ArrayBufferLike, offset?: number, length?: number): A;
  readonly BYTES_PER_ELEMENT: number;
  readonly name: string;
}

/** Numbered on the wire by their place here. */
const TYPES = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
] as unknown as readonly ArrayType[];

const numbers = new Map<unknown, number>(TYPES.map((type, i) => [type.prototype, i]));

/** Not of a Buffer, which is an object of its own, nor of a subclass. */
export function typeOf(value: unknown): number | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  return numbers.get(Object.getPrototypeOf(value));
}

export function typeAt(number: number): ArrayType {
  return TYPES[number]!;
}

export function isTypedArray(value: unknown): value is TypedArray {
  return typeOf(value) !== undefined;
}

export function bytesOf(array: ArrayBufferView): Uint8Array {
  return array instanceof Uint8Array && array.constructor === Uint8Array
    ? array
    : new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** An array over memory of its own. */
export function arrayOver(type: number, bytes: Uint8Array): TypedArray {
  const Type = typeAt(type);
  const whole = bytes.byteOffset % Type.BYTES_PER_ELEMENT === 0 ? bytes : bytes.slice();
  return new Type(whole.buffer, whole.byteOffset, whole.byteLength / Type.BYTES_PER_ELEMENT);
}

export function sameType<A extends TypedArray>(like: A, length: number): A {
  return new (like.constructor as ArrayType<A>)(length);
}
