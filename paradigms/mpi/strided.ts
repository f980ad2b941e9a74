/** Elements of an array that do not lie together, such as a column of a matrix, as one buffer. */
import { isTypedArray, sameType, type TypedArray } from './arrays.ts';
import { MpiError } from './errors.ts';

/**
 * For `sendBuffer`, `recvBuffer` and their kin.
 * @example comm.sendBuffer({ array: matrix, start: 3, count: rows, stride: columns }, 1) // column 3
 */
export interface Strided {
  readonly array: TypedArray;
  /** The first element; 0 by default. */
  readonly start?: number;
  /** How many blocks. */
  readonly count: number;
  /** Elements of each block; 1 by default. */
  readonly block?: number;
  /** Elements from the start of one block to the start of the next one. */
  readonly stride: number;
}

export function isStrided(value: unknown): value is Strided {
  return typeof value === 'object' && value !== null && 'stride' in value && 'array' in value;
}

/** @throws MpiError when it is not within its array. */
export function checkStrided(what: string, { array, start = 0, count, block = 1, stride }: Strided): void {
  if (!isTypedArray(array)) throw new MpiError(`${what}: a strided buffer is of a typed array`);
  const whole = [start, count, block, stride].every((n) => Number.isInteger(n) && n >= 0);
  const end = count === 0 ? start : start + (count - 1) * stride + block;
  if (!whole || block > stride || end > array.length)
    throw new MpiError(
      `${what}: ${count} blocks of ${block}, ${stride} apart, from element ${start} on do not lie in an array of ${array.length}; a stride is at least a block`,
    );
}

/** The elements, one after the other. */
export function gathered({ array, start = 0, count, block = 1, stride }: Strided): TypedArray {
  const packed = sameType(array, count * block);
  for (let i = 0; i < count; i++) {
    const from = start + i * stride;
    if (block === 1) packed[i] = array[from]!;
    else (packed as Uint8Array).set((array as Uint8Array).subarray(from, from + block), i * block);
  }
  return packed;
}

/** For what it holds. */
export function roomFor({ array, count, block = 1 }: Strided): TypedArray {
  return sameType(array, count * block);
}

/** The first `length` of them, back to where they belong. */
export function scattered(packed: TypedArray, to: Strided, length: number): void {
  const { array, start = 0, block = 1, stride } = to;
  for (let i = 0; i < length; i++) array[start + Math.floor(i / block) * stride + (i % block)] = packed[i]!;
}
