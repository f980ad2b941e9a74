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
  whenUnread((error) => controller.abort(error));
  return controller.signal;
}

export interface Stages {
  /** Nothing new is to begin. */
  readonly stopping: AbortSignal;
  /** What runs is to end. */
  readonly killing: AbortSignal;
}

/** As GNU parallel: after the first signal what runs may end, after a second it must. A third ends this process at once. */
export function interruptionInStages(first: () => void): Stages {
  const stopping = new AbortController();
  const killing = new AbortController();
  const kill = (error: Error): void => {
    stopping.abort(error);
    killing.abort(error);
  };
  const interrupt = (): void => {
    if (killing.signal.aborted) process.exit(INTERRUPTED);
    if (stopping.signal.aborted) kill(new CancelledError('Interrupted'));
    else {
      stopping.abort(new CancelledError('Interrupted'));
      first();
    }
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt);
  whenUnread(kill);
  return { stopping: stopping.signal, killing: killing.signal };
}

function whenUnread(tell: (error: Error) => void): void {
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', () => tell(new CancelledError('Nobody reads the output')));
}
