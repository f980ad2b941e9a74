/** How long to wait before the next attempt: longer after each failure, and not the same for everybody. */
import { UsageError } from './errors.ts';

export interface BackoffOptions {
  /** ms before the first attempt. */
  readonly first: number;
  /** Each wait is so many times the one before. */
  readonly factor: number;
  /** ms that no wait exceeds, but for its jitter. */
  readonly most: number;
  /** The part of a wait that is left to chance, from 0 to 1: with 0.25, three to five quarters of it. */
  readonly jitter: number;
}

export interface Backoff extends BackoffOptions {
  /** ms to wait after `attempts` that have failed. `random` gives numbers from 0 to 1. */
  delay(attempts: number, random?: () => number): number;
}

/** About 12 days, so that a timer can wait for it with any jitter. */
const LONGEST = 2 ** 30;

/** Throws UsageError for numbers that make no sense. */
export function backoff({ first, factor, most, jitter }: BackoffOptions): Backoff {
  if (!(first > 0 && first <= most && most <= LONGEST && factor >= 1 && jitter >= 0 && jitter <= 1)) {
    throw new UsageError(
      `backoff takes 0 < first <= most <= ${LONGEST} (ms), factor >= 1 and jitter from 0 to 1; got first ${first}, factor ${factor}, most ${most}, jitter ${jitter}`,
    );
  }
  return {
    first,
    factor,
    most,
    jitter,
    delay: (attempts, random = Math.random) =>
      Math.min(first * factor ** attempts, most) * (1 - jitter + 2 * jitter * random()),
  };
}
