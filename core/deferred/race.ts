import { AllFailedError, UsageError } from '../errors.ts';
import { Deferred } from './deferred.ts';
import { deferredOf, type Source } from './source.ts';

/**
 * The first value, with its index; the others are cancelled, and what they still say is dropped. AllFailedError if there
 * is none. The race takes the sources over: what is left in them is `undefined`. Cancelling it cancels them all.
 */
export function race<const T extends readonly Source[]>(
  sources: T,
): Deferred<[index: number, value: Awaited<T[number]>]> {
  if (sources.length === 0) throw new UsageError('race([]): nobody can win; give at least one Deferred or promise');
  const runners = sources.map(deferredOf) as Deferred<Awaited<T[number]>>[];
  let over = false;
  const cancelAll = (reason: unknown) => {
    for (const runner of runners) runner.cancel(reason);
  };
  const result = new Deferred<[number, Awaited<T[number]>]>((_, reason) => {
    // A winner may still come of it, but no AllFailedError: the race then fails with CancelledError.
    left = Number.POSITIVE_INFINITY;
    cancelAll(reason);
  });
  const errors: unknown[] = new Array(runners.length);
  let left = runners.length;
  for (const [index, runner] of runners.entries()) {
    runner.addCallbacks(
      (value) => {
        if (over) return;
        over = true;
        try {
          cancelAll(`lost the race to number ${index}`);
        } finally {
          result.callback([index, value]);
        }
      },
      (error) => {
        errors[index] = error;
        left--;
        if (left > 0 || over) return;
        result.errback(new AllFailedError(`None of the ${runners.length} won the race; see errors`, errors));
      },
    );
  }
  return result;
}
