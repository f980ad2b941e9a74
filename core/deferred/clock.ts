import { UsageError } from '../errors.ts';

/** Where timers come from, so that tests can move time by hand. */
export interface Clock {
  /** Milliseconds since a fixed moment of this clock; never goes back. */
  now(): number;
  /** Calls `fn` once, `ms` milliseconds from now, unless cancelled before; cancelling twice or too late does nothing. */
  callLater(ms: number, fn: () => void): { cancel(): void };
}

/** Node turns a longer delay into 1 ms. */
const LONGEST = 2 ** 31 - 1;

/** The machine's monotonic clock. A pending call keeps the process alive. */
export const realClock: Clock = {
  now: () => performance.now(),
  callLater(ms, fn) {
    check(ms);
    const timer = setTimeout(fn, ms);
    return { cancel: () => clearTimeout(timer) };
  },
};

/** A clock that stands still until `advance` moves it. */
export class TestClock implements Clock {
  #now = 0;
  /** In the order in which they become due; of two due together, the one that was asked for first. */
  #calls: { due: number; fn: () => void }[] = [];

  /** Calls that wait for their time. */
  get pending(): number {
    return this.#calls.length;
  }

  now(): number {
    return this.#now;
  }

  callLater(ms: number, fn: () => void): { cancel(): void } {
    check(ms);
    const call = { due: this.#now + ms, fn };
    const later = this.#calls.findIndex((other) => other.due > call.due);
    this.#calls.splice(later < 0 ? this.#calls.length : later, 0, call);
    return {
      cancel: () => {
        this.#calls = this.#calls.filter((other) => other !== call);
      },
    };
  }

  /**
   * Moves time forward by `ms` at once, then makes every call that is due, also those that a call adds: like callbacks
   * that a busy process ran late, all of them see the final time.
   */
  advance(ms: number): void {
    if (!(ms >= 0)) throw new UsageError(`advance(${ms}): time only moves forward; give a number of milliseconds >= 0`);
    this.#now += ms;
    while (this.#calls.length > 0 && this.#calls[0]!.due <= this.#now) this.#calls.shift()!.fn();
  }
}

function check(ms: number): void {
  if (ms >= 0 && ms <= LONGEST) return;
  throw new UsageError(`A delay of ${ms} ms is not possible; give a number from 0 to ${LONGEST} (24.8 days)`);
}
