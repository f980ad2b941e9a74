/**
 * Operations of reductions. Predefined ones are names, so that they travel with functions that capture them; and this file imports
 * nothing, so that scripts which import them do not bring along all of the package.
 */

export const SUM = 'SUM';
export const PROD = 'PROD';
export const MIN = 'MIN';
export const MAX = 'MAX';
export const LAND = 'LAND';
export const LOR = 'LOR';
export const LXOR = 'LXOR';
export const BAND = 'BAND';
export const BOR = 'BOR';
export const BXOR = 'BXOR';
/** Of pairs [value, index]: the smallest, of equal ones that with the lowest index. */
export const MINLOC = 'MINLOC';
export const MAXLOC = 'MAXLOC';
/** The value of the highest rank. */
export const REPLACE = 'REPLACE';
/** The value of rank 0. */
export const NO_OP = 'NO_OP';

export type OpName =
  | 'SUM'
  | 'PROD'
  | 'MIN'
  | 'MAX'
  | 'LAND'
  | 'LOR'
  | 'LXOR'
  | 'BAND'
  | 'BOR'
  | 'BXOR'
  | 'MINLOC'
  | 'MAXLOC'
  | 'REPLACE'
  | 'NO_OP';

export interface UserOp<T = any> {
  /** `a` comes from lower ranks than `b`. */
  readonly fn: (a: T, b: T) => T;
  readonly commutative: boolean;
}

export type Op<T = any> = OpName | UserOp<T>;

/**
 * An operation of your own; it must be associative. For typed arrays it is called with two elements, for anything else with two values.
 * @param options.commutative false: the result is the fold in rank order, whatever the root. Default true.
 * @throws TypeError
 */
export function createOp<T>(fn: (a: T, b: T) => T, { commutative = true }: { commutative?: boolean } = {}): UserOp<T> {
  if (typeof fn !== 'function') throw new TypeError(`createOp takes a function of two values; got ${String(fn)}`);
  return { fn, commutative };
}
