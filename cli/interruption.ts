/** Ctrl-C: the first asks the command to end and to leave nothing behind; a second ends it at once. */
import { CancelledError } from '../core/errors.ts';

export const INTERRUPTED = 130;

/** Aborted by the first signal, or when nobody reads our output any more. From the call on, signals do not end the process. */
export function interruption(): AbortSignal {
  const controller = new AbortController();
  const interrupt = (): void => {
    if (controller.signal.aborted) process.exit(INTERRUPTED);
    controller.abort(new CancelledError('Interrupted'));
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt);
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', () => controller.abort(new CancelledError('Nobody reads the output')));
  }
  return controller.signal;
}
