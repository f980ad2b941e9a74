/** What ends a call early: its timeout, its signal. */

import { LONGEST_DELAY } from '../deferred/clock.ts';
import { CancelledError, TimeoutError } from '../errors.ts';
import type { Call } from './call.ts';
import type { CallOptions } from './call-spec.ts';

export function limitCall(call: Call, { timeout, signal }: CallOptions): void {
  const stop = (error: Error): void => void call.cancel(error).catch(() => {});
  if (timeout !== undefined && timeout <= LONGEST_DELAY) {
    const timer = setTimeout(
      () => stop(new TimeoutError(`Call ${call.taskId} was not finished within its timeout of ${timeout} ms`)),
      timeout,
    );
    call.whenDone(() => clearTimeout(timer));
  }
  if (signal) {
    const abort = (): void => stop(new CancelledError('Aborted by its signal', { cause: signal.reason }));
    signal.addEventListener('abort', abort, { once: true });
    call.whenDone(() => signal.removeEventListener('abort', abort));
  }
}
