import { UnhandledError } from '../errors.ts';
import { FRAME, isOurFrame } from '../places.ts';

/**
 * As Node does for promises, by means of one: `unhandledRejection`, or the end of the process. `made` was made with the
 * Deferred, with `Deferred.debug` only: even one line of a stack costs many times what all else of a Deferred does.
 */
export function reportUnhandled(error: unknown, made: Error | undefined): void {
  const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const where = made
    ? `It was made\n${placeOf(made)}`
    : 'To see where it was made, set Deferred.debug = true before that. Its own stack is in cause.';
  void Promise.reject(
    new UnhandledError(`Nobody handled the error of a Deferred: ${what}\n${where}`, { cause: error }),
  );
}

const forgotten = new FinalizationRegistry<() => void>((report) => report());

/**
 * For an error that is held up by a pause, which may never end: reported when `owner` is collected as garbage, unless
 * `remember` is called before.
 */
export function reportIfForgotten(owner: object, error: unknown, made: Error | undefined): void {
  forgotten.register(owner, () => reportUnhandled(error, made), owner);
}

export function remember(owner: object): void {
  forgotten.unregister(owner);
}

/** The frames of a stack from the first that is not ours. */
function placeOf({ stack = '' }: Error): string {
  const frames = stack.split('\n').filter((line) => FRAME.test(line));
  const outside = frames.findIndex((frame) => !isOurFrame(frame));
  return frames.slice(Math.max(0, outside)).join('\n');
}
