/** A name, or any expression, that is resolved in each engine's namespace when the call runs. */

import { UsageError } from '../errors.ts';

export class Ref<T = unknown> {
  readonly expression: string;
  /** Only for the type checker: what the expression gives. */
  declare readonly type: T;
  constructor(expression: string) {
    this.expression = expression;
  }
}

/**
 * Stands for a value in the engines' namespaces, as an argument at any depth or as the function itself.
 * @example
 * await all.execute('let weights = [1, 2, 3]');
 * await all.apply((w: number[]) => w.length, ref<number[]>('weights'));
 */
export function ref<T = any>(expression: string): Ref<T> {
  if (typeof expression !== 'string')
    throw new UsageError(`ref takes an expression as a string; got ${typeof expression}`);
  return new Ref<T>(expression);
}
