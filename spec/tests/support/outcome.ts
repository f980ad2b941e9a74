import type { Deferred } from '../../../core/deferred/index.ts';

/** The outcome at this moment, without waiting; an error counts as looked at. */
export function outcome(deferred: Deferred<any>): { value: unknown } | { error: any } | undefined {
  let seen: { value: unknown } | { error: unknown } | undefined;
  deferred.tap(
    (value) => (seen = { value }),
    (error) => (seen = { error }),
  );
  return seen;
}

/** The value at this moment; throws if there is none. */
export function resultOf<T>(deferred: Deferred<T>): T {
  const seen = outcome(deferred);
  if (seen && 'value' in seen) return seen.value as T;
  throw new Error(`expected a value, got ${seen ? `the error ${seen.error}` : 'nothing'}`);
}

/** The error at this moment; throws if there is none. */
export function errorOf(deferred: Deferred<any>): any {
  const seen = outcome(deferred);
  if (seen && 'error' in seen) return seen.error;
  throw new Error(`expected an error, got ${seen ? `the value ${seen.value}` : 'nothing'}`);
}
