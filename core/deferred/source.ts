import { Deferred } from './deferred.ts';

/** Anything that will have an outcome: a Deferred, a promise, an AsyncResult. */
export type Source = PromiseLike<unknown>;

/** What the sources of a tuple come to, place by place. */
export type Values<T extends readonly Source[]> = { -readonly [K in keyof T]: Awaited<T[K]> };

/** A Deferred is itself; of anything else one is made, and cancelling that reaches the source if it has a `cancel`. */
export function deferredOf<T>(source: PromiseLike<T>): Deferred<T> {
  if (source instanceof Deferred) return source;
  const { cancel } = source as { cancel?: (reason: unknown) => unknown };
  return Deferred.from(source, (reason) => cancel?.call(source, reason));
}
