import { AsyncLocalStorage } from 'node:async_hooks';

/** What is run by the function returned sees the AsyncLocalStorage values of this moment. */
export function keepContext(): <R>(f: () => R) => R {
  return AsyncLocalStorage.snapshot();
}
