import { UsageError } from '../errors.ts';

/** A call that a clock has been asked for. */
export interface DelayedCall {
  /** It will still be made. */
  readonly active: boolean;
  /** It will not be made. Cancelling twice or too late does nothing. */
  cancel(): void;
  /** It will be made `ms` milliseconds from now instead. UsageError if it is no longer active. */
  reset(ms: number): void;
  /** It will be made `ms` milliseconds later than planned, or earlier if `ms` is negative. UsageError as above. */
  delay(ms: number): void;
}

/** Where timers come from, so that tests can move time by hand. */
export interface Clock {
  /** Milliseconds since a fixed moment of this clock; never goes back. */
  now(): number;
  /** Calls `fn` once, `ms` milliseconds from now, unless told otherwise before. */
  callLater(ms: number, fn: () => void): DelayedCall;
}

/** Node turns a longer delay into 1 ms. */
export const LONGEST_DELAY = 2 ** 31 - 1;

/** The machine's monotonic clock. A pending call keeps the process alive. */
export const realClock: Clock = {
  now: () => performance.now(),
  callLater: (ms, fn) => new TimerCall(ms, fn),
};

class TimerCall implements DelayedCall {
  readonly #fn: () => void;
  #due = 0;
  #timer: ReturnType<typeof setTimeout> | undefined = undefined;

  constructor(ms: number, fn: () => void) {
    this.#fn = fn;
    this.#start(ms);
  }

  get active(): boolean {
    return this.#timer !== undefined;
  }

  cancel(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  reset(ms: number): void {
    checkActive(this, 'reset');
    this.#start(ms);
  }

  delay(ms: number): void {
    checkActive(this, 'delay');
    this.#start(Math.max(0, this.#due + ms - realClock.now()));
  }

  #start(ms: number): void {
    checkDelay(ms);
    clearTimeout(this.#timer);
    this.#due = realClock.now() + ms;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#fn();
    }, ms);
  }
}

export function checkDelay(ms: number): void {
  if (ms >= 0 && ms <= LONGEST_DELAY) return;
  throw new UsageError(`A delay of ${ms} ms is not possible; give a number from 0 to ${LONGEST_DELAY} (24.8 days)`);
}

export function checkActive(call: DelayedCall, method: string): void {
  if (call.active) return;
  throw new UsageError(`${method}() on a call that has been made or cancelled; ask the clock for another one`);
}
