/** Errors of one that come of others, and of arrays of them, are walked at most. A peer may send any number. */
const MOST = 100;

/** The error, its causes, and what an AggregateError is made of, each once, as far as they are Errors. */
export function withInnerErrors(error: unknown): Error[] {
  const found = new Set<Error>();
  const waiting = [error];
  while (waiting.length && found.size < MOST) {
    const next = waiting.shift();
    if (!(next instanceof Error) || found.has(next)) continue;
    found.add(next);
    waiting.push(next.cause, ...innerErrors(next).slice(0, MOST));
  }
  return [...found];
}

/** What an AggregateError, or one that is like it, is made of. */
export function innerErrors(error: Error): unknown[] {
  const { errors } = error as { errors?: unknown };
  return Array.isArray(errors) ? errors : [];
}

/** Rewrites the stacks of errors where they can be. */
export function mapStacks(errors: readonly Error[], map: (stack: string, error: Error) => string): void {
  for (const error of errors) {
    const { stack } = error;
    if (typeof stack !== 'string' || Object.isFrozen(error)) continue;
    Object.defineProperty(error, 'stack', {
      value: map(stack, error),
      writable: true,
      configurable: true,
      enumerable: false,
    });
  }
}
