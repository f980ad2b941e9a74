/** Ctrl-C: interrupts what runs on the engines, then stops waiting for what is not on them. */
import type { AsyncResult } from '../../core/client/async-result.ts';
import { CancelledError } from '../../core/errors.ts';
import type { Started } from './started.ts';

export class Interruption {
  #started: Started;
  #tell: (text: string) => void;
  #giveUp: ((error: Error) => void) | undefined;
  #question = false;
  #asking = false;

  constructor(started: Started, tell: (text: string) => void) {
    this.#started = started;
    this.#tell = tell;
  }

  /**
   * The promise, or the rejection that says that it is not waited for. `question`: the console only asks; then Ctrl-C ends the
   * waiting, and nothing else.
   */
  guard<T>(promise: Promise<T>, question = false): Promise<T> {
    promise.catch(() => {}); // it may fail when nobody waits any more
    this.#question = question;
    return new Promise<T>((resolve, reject) => {
      this.#giveUp = reject;
      promise.then(resolve, reject);
    }).finally(() => {
      this.#giveUp = undefined;
    });
  }

  /** False: there is nothing to interrupt. A second one does not wait for what the first has asked for. */
  interrupt(): boolean {
    const pending = [...this.#started.pending];
    if (!this.#giveUp && !pending.length) return false;
    if (this.#asking || (this.#giveUp && this.#question)) stopWaiting(this.#giveUp);
    else void this.#interrupt(pending);
    return true;
  }

  async #interrupt(pending: readonly AsyncResult<any>[]): Promise<void> {
    const giveUp = this.#giveUp;
    this.#asking = true;
    const answers = await Promise.allSettled(pending.map((result) => result.interrupt('Ctrl-C in the console')));
    this.#asking = false;
    for (const answer of answers) if (answer.status === 'rejected') this.#tell(String(answer.reason));
    if (!giveUp) {
      this.#tell(`Interrupted: ${pending.map(({ id }) => id).join(', ')}`);
      return;
    }
    // What was interrupted has failed by now, and with it, mostly, the statement that waited for it.
    await Promise.all(pending.map((result) => new Promise<void>((resolve) => result.call.whenDone(resolve))));
    await new Promise((resolve) => setImmediate(resolve));
    // By then the console may wait for the next one.
    if (this.#giveUp === giveUp) stopWaiting(giveUp);
  }
}

function stopWaiting(giveUp: ((error: Error) => void) | undefined): void {
  giveUp?.(new CancelledError('Interrupted: no longer waited for'));
}
