/** Browsers have no AsyncLocalStorage, so that there is no context to keep. */
export function keepContext(): <R>(f: () => R) => R {
  return (f) => f();
}
