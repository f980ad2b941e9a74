import { UnhandledError } from '../errors.ts';

/**
 * As Node does for promises, by means of one: `unhandledRejection`, or the end of the process. `made`: the stack of the
 * Deferred's maker, which is taken with `Deferred.debug` only: even one line of it costs many times what all else of a
 * Deferred does.
 */
export function reportUnhandled(error: unknown, made: string | undefined): void {
  const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const where = made
    ? `It was made\n${made}`
    : 'To see where it was made, set Deferred.debug = true before that. Its own stack is in cause.';
  void Promise.reject(
    new UnhandledError(`Nobody handled the error of a Deferred: ${what}\n${where}`, { cause: error }),
  );
}
