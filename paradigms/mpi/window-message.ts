/** What one rank wants of another one's part of a window. */
import type { TypedArray } from './arrays.ts';
import type { OpName } from './op-names.ts';

export type Element = number | bigint;

export type WindowOperation =
  | { do: 'get'; at: number; count: number }
  | { do: 'put'; at: number; data: TypedArray }
  | { do: 'accumulate'; at: number; data: TypedArray; op: OpName }
  | { do: 'fetchOp'; at: number; value: Element; op: OpName }
  | { do: 'compareAndSwap'; at: number; expected: Element; value: Element };

export type WindowMessage =
  | { id: number; operation: WindowOperation }
  /** Its answer. */
  | { id: number; value: unknown }
  | { id: number; error: Error };
