/** Live tuples: fields that are functions are computed by the task farm, and the tuple is there when all of them are. */
import { type Client, RemoteError, UsageError } from '../../core/index.ts';
import type { AnyTuple, Entry, OutOptions, TupleSpace } from './types.ts';

/** A field of which it is computed, or the field itself. */
export type Live<T> = { readonly [K in keyof T]: T[K] | (() => T[K] | Promise<T[K]>) };

/**
 * Puts out the tuple with what its functions have returned. A field that failed holds its error, so that whoever waits for the tuple
 * is told: `t.type(Error)` matches it.
 */
export async function evaluate(
  client: Client,
  space: TupleSpace,
  tuple: Live<AnyTuple>,
  options?: OutOptions,
): Promise<Entry> {
  if (typeof tuple !== 'object' || tuple === null || !Object.values(tuple).some((field) => typeof field === 'function'))
    throw new UsageError(
      `eval takes a tuple with functions in it, e.g. ['answer', () => 6 * 7]; other tuples need only out`,
    );
  // Whoever makes no live tuples has no farm: its halves are loaded by the first one.
  const { taskFarm } = await import('../farm/index.ts');
  const farm = client.use(taskFarm);
  const compute = async (field: unknown): Promise<unknown> => {
    if (typeof field !== 'function') return field;
    try {
      return await farm.submit(field as () => unknown);
    } catch (error) {
      return error instanceof RemoteError && error.original instanceof Error ? placed(error.original, error) : error;
    }
  };
  const names = Object.keys(tuple);
  const values = await Promise.all(Object.values(tuple).map(compute));
  const done = Array.isArray(tuple) ? values : Object.fromEntries(names.map((name, i) => [name, values[i]]));
  return space.out(done, options);
}

/** The error itself, for whoever takes the tuple; its stack says where it was thrown, and shows the line. */
function placed(original: Error, { stack }: RemoteError): Error {
  return Object.defineProperty(original, 'stack', { value: stack });
}
