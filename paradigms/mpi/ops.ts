/** What operations of reductions do. */
import { isTypedArray, sameType, type TypedArray } from './arrays.ts';
import { OpError } from './errors.ts';
import type { Op, OpName } from './op-names.ts';
import { nameOf } from './packet.ts';

type Scalar = number | bigint | boolean;
type Binary = (a: any, b: any) => any;

const whole: Binary = (a) => {
  throw new OpError(`bits are of integers; got ${String(a)}`);
};
const bits =
  (small: (a: number, b: number) => number, big: (a: bigint, b: bigint) => bigint): Binary =>
  (a: Scalar, b: Scalar) => {
    if (typeof a === 'bigint' && typeof b === 'bigint') return big(a, b);
    if (typeof a === 'boolean' && typeof b === 'boolean') return small(Number(a), Number(b)) === 1;
    if (!Number.isSafeInteger(a)) return whole(a, b);
    if (!Number.isSafeInteger(b)) return whole(b, a);
    const [x, y] = [a as number, b as number];
    return (x | 0) === x && (y | 0) === y ? small(x, y) : Number(big(BigInt(x), BigInt(y)));
  };
const logic =
  (of: (a: boolean, b: boolean) => boolean): Binary =>
  (a: Scalar, b: Scalar) => {
    const result = of(Boolean(a), Boolean(b));
    if (typeof a === 'boolean') return result;
    return typeof a === 'bigint' ? BigInt(result) : Number(result);
  };
const located =
  (better: (a: number, b: number) => boolean): Binary =>
  (a: [number, number], b: [number, number]) => {
    if (a[0] === b[0]) return a[1] <= b[1] ? a : b;
    return better(a[0], b[0]) ? a : b;
  };

const scalars: Record<OpName, Binary> = {
  SUM: (a, b) => a + b,
  PROD: (a, b) => a * b,
  MIN: (a, b) => (b < a ? b : a),
  MAX: (a, b) => (b > a ? b : a),
  LAND: logic((a, b) => a && b),
  LOR: logic((a, b) => a || b),
  LXOR: logic((a, b) => a !== b),
  BAND: bits(
    (a, b) => a & b,
    (a, b) => a & b,
  ),
  BOR: bits(
    (a, b) => a | b,
    (a, b) => a | b,
  ),
  BXOR: bits(
    (a, b) => a ^ b,
    (a, b) => a ^ b,
  ),
  MINLOC: located((a, b) => a < b),
  MAXLOC: located((a, b) => a > b),
  REPLACE: (_, b) => b,
  NO_OP: (a) => a,
};

const NAMES = Object.keys(scalars);

/** @throws OpError for what is no operation. */
export function checkOp(op: Op): void {
  if (typeof op === 'string' ? Object.hasOwn(scalars, op) : typeof op?.fn === 'function') return;
  throw new OpError(
    `There is no operation ${typeof op === 'string' ? op : nameOf(op)}; there are ${NAMES.join(', ')}, and what createOp makes`,
  );
}

export function opName(op: Op): string {
  return typeof op === 'string' ? op : `createOp(${op.fn.name || 'a function'})`;
}

/** For signatures: below 32. */
export function opCode(op: Op): number {
  return typeof op === 'string' ? NAMES.indexOf(op) + 1 : 31;
}

/** Of a code: what signatures are told with. */
export function opOfCode(code: number): string {
  return code === 31 ? 'an operation of its own' : (NAMES[code - 1] ?? 'nothing');
}

export function isCommutative(op: Op): boolean {
  return typeof op === 'string' ? op !== 'REPLACE' && op !== 'NO_OP' : op.commutative;
}

/** `a op b`. Arrays of the predefined operations are combined element by element; `into`, of the same type, may be one of them. */
export function combine(op: Op, a: any, b: any, into?: TypedArray): any {
  if (isTypedArray(a)) return combineArrays(op, a, b, into ?? sameType(a, a.length));
  if (typeof op !== 'string') return op.fn(a, b);
  const pairs = PAIRS.has(op);
  if (op === 'REPLACE' || op === 'NO_OP') return scalars[op](a, b);
  if (Array.isArray(a) && !(pairs && !Array.isArray(a[0]))) {
    if (!Array.isArray(b) || a.length !== b.length) throw unequal(op, a, b);
    return a.map((item, i) => combine(op, item, b[i]));
  }
  if (pairs ? !isPair(a) || !isPair(b) : !isScalar(a) || !isScalar(b) || typeof a !== typeof b) throw unfit(op, a, b);
  try {
    return scalars[op](a, b);
  } catch (error) {
    throw error instanceof OpError ? new OpError(`${op} does not go with these values: ${error.message}`) : error;
  }
}

const PAIRS: ReadonlySet<Op> = new Set(['MINLOC', 'MAXLOC']);
const BITS: ReadonlySet<Op> = new Set(['BAND', 'BOR', 'BXOR']);

/** @throws OpError for what goes with no array of that type. */
export function checkArrayOp(op: Op, array: TypedArray): void {
  const fractions = array instanceof Float64Array || array instanceof Float32Array;
  if (PAIRS.has(op) || (fractions && BITS.has(op))) throw unfit(op as OpName, array, array);
}

function combineArrays(op: Op, a: TypedArray, b: unknown, into: TypedArray): TypedArray {
  if (!isTypedArray(b) || b.constructor !== a.constructor || a.length !== b.length) throw unequal(opName(op), a, b);
  checkArrayOp(op, a);
  const x = a as Float64Array;
  const y = b as Float64Array;
  const out = into as Float64Array;
  // The one that nearly everybody uses, without a call for each element.
  if (op === 'SUM') for (let i = 0; i < x.length; i++) out[i] = x[i]! + y[i]!;
  else {
    const fn = typeof op === 'string' ? scalars[op] : op.fn;
    for (let i = 0; i < x.length; i++) out[i] = fn(x[i]!, y[i]!);
  }
  return into;
}

const isScalar = (value: unknown): boolean => ['number', 'bigint', 'boolean'].includes(typeof value);
const isPair = (value: unknown): boolean =>
  Array.isArray(value) && value.length === 2 && isScalar(value[0]) && typeof value[1] === 'number';

function unfit(op: string, a: unknown, b: unknown): OpError {
  const takes = /LOC$/.test(op)
    ? 'pairs [value, index]'
    : `${/^B/.test(op) ? 'integers' : 'numbers, bigints or booleans'}, one type at all ranks, and arrays of them`;
  return new OpError(
    `${op} takes ${takes}; got ${nameOf(a)} and ${nameOf(b)}; for other values make an operation: createOp`,
  );
}

function unequal(op: string, a: any, b: any): OpError {
  const of = (x: any): string => (x?.length === undefined ? nameOf(x) : `${nameOf(x)} of ${x.length}`);
  return new OpError(`${op} takes arrays of one type and length at all ranks; got ${of(a)} and ${of(b)}`);
}
