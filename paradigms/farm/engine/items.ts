/** A chunk: one function, many items, and what became of each. */
import type { ItemFailure, ItemOutcomes } from '../messages.ts';
import type { Item } from './item.ts';

/** Item after item; synchronous while it can be, so that tiny calls cost no promise. */
export function runItems(
  fn: (...args: unknown[]) => unknown,
  items: readonly unknown[],
  { spec, attempt }: Pick<Item, 'spec' | 'attempt'>,
): ItemOutcomes | Promise<ItemOutcomes> {
  const values: unknown[] = new Array(items.length).fill(undefined);
  const failures: ItemFailure[] = [];
  const fail = (index: number, error: unknown): void => {
    failures.push([index, error, !spec.retriable(error, attempt)]);
  };
  const from = (start: number): ItemOutcomes | Promise<ItemOutcomes> => {
    for (let i = start; i < items.length; i++) {
      try {
        const value = fn(items[i]);
        if (typeof (value as { then?: unknown } | undefined)?.then === 'function') {
          return Promise.resolve(value as PromiseLike<unknown>)
            .then(
              (result) => void (values[i] = result),
              (error) => fail(i, error),
            )
            .then(() => from(i + 1));
        }
        values[i] = value;
      } catch (error) {
        fail(i, error);
      }
    }
    return [values, failures];
  };
  return from(0);
}
