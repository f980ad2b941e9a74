import type { Pipeline } from './pipeline.ts';

/** What `await` would wait for; throws what reading `then` throws. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  if ((typeof value !== 'object' || value === null) && typeof value !== 'function') return false;
  return typeof (value as { then?: unknown }).then === 'function';
}

/** Fires `pipeline` as the promise ends, unless something else, a cancel for one, has fired it by then. */
export function fireLike(promise: PromiseLike<unknown>, pipeline: Pipeline): void {
  // Through a real promise, because a foreign thenable may throw, or call twice.
  Promise.resolve(promise).then(
    (value) => pipeline.called || pipeline.callback(value),
    (error: unknown) => pipeline.called || pipeline.errback(error),
  );
}
