/** Operations of windows on memory that other threads may use at the same time. */
import type { TypedArray } from './arrays.ts';
import type { OpName } from './op-names.ts';
import { combine } from './ops.ts';
import type { Element, WindowOperation } from './window-message.ts';

export function perform(part: TypedArray, operation: WindowOperation): unknown {
  const { at } = operation;
  switch (operation.do) {
    case 'get':
      return copyOf(part.subarray(at, at + operation.count));
    case 'put':
      (part as Uint8Array).set(operation.data as Uint8Array, at);
      return undefined;
    case 'accumulate':
      for (let i = 0; i < operation.data.length; i++) fetchOp(part, at + i, operation.data[i]!, operation.op);
      return undefined;
    case 'fetchOp':
      return fetchOp(part, at, operation.value, operation.op);
    case 'compareAndSwap':
      return compareAndSwap(part, at, operation.expected, operation.value);
  }
}

/** Over memory of its own, which is not shared. */
function copyOf(view: TypedArray): TypedArray {
  const copy = new (view.constructor as new (length: number) => TypedArray)(view.length);
  (copy as Uint8Array).set(view as Uint8Array);
  return copy;
}

function fetchOp(part: TypedArray, at: number, value: Element, op: OpName): Element {
  for (;;) {
    const before = load(part, at);
    const after = combine(op, before, value) as Element;
    if (swap(part, at, before, after)) return before;
  }
}

function compareAndSwap(part: TypedArray, at: number, expected: Element, value: Element): Element {
  for (;;) {
    const before = load(part, at);
    if (before !== expected || swap(part, at, before, value)) return before;
  }
}

/** Atomics know integers: fractions are compared by their bits, and clamped bytes as bytes. */
function integers(part: TypedArray): { cells: any; bits(value: Element): any; value(bits: any): Element } {
  if (part instanceof Float64Array) {
    return {
      cells: new BigInt64Array(part.buffer, part.byteOffset, part.length),
      bits: (value) => {
        float[0] = value as number;
        return long[0]!;
      },
      value: (bits) => {
        long[0] = bits;
        return float[0]!;
      },
    };
  }
  if (part instanceof Float32Array) {
    return {
      cells: new Int32Array(part.buffer, part.byteOffset, part.length),
      bits: (value) => {
        single[0] = value as number;
        return int[0]!;
      },
      value: (bits) => {
        int[0] = bits;
        return single[0]!;
      },
    };
  }
  const { buffer, byteOffset, length } = part;
  const cells = part instanceof Uint8ClampedArray ? new Uint8Array(buffer, byteOffset, length) : part;
  return { cells, bits: (value) => value, value: (bits) => bits };
}

const float = new Float64Array(1);
const long = new BigInt64Array(float.buffer);
const single = new Float32Array(1);
const int = new Int32Array(single.buffer);

function load(part: TypedArray, at: number): Element {
  const { cells, value } = integers(part);
  return value(Atomics.load(cells, at));
}

function swap(part: TypedArray, at: number, before: Element, after: Element): boolean {
  const { cells, bits } = integers(part);
  const expected = bits(before);
  return Atomics.compareExchange(cells, at, expected, bits(after)) === expected;
}
