/**
 * Gives memory back that nothing needs any more, when the engine has nothing to do: nobody would notice otherwise that what a large
 * job has left behind is garbage. Nothing runs meanwhile; so the longer that takes, and the less it was worth, the longer it rests before.
 */
import type { Vitals } from './vitals.ts';

/** Beats without anything to do. */
const BEATS = 4;
/** What an engine may hold more than in its leanest moment, before that is looked into. Bytes. */
const WORTH = 64 << 20;
/** It rests so many times as long as it will take: at first, and at most. */
const SHARE = { least: 20, most: 1_000 };
/** Bytes of values that are looked through in a ms, until it is known. */
const PACE = 256 << 10;

export class Rest {
  #collect: (done: () => void) => void;
  #least = Number.POSITIVE_INFINITY;
  #calls = 0;
  /** Something has been done since memory was last given back. */
  #worked = false;
  #since = 0;
  /** The last time: how many ms that took, and how much was held before. */
  #took: number | undefined;
  #before: number | undefined;
  #share = SHARE.least;

  constructor(collect: (done: () => void) => void) {
    this.#collect = collect;
  }

  /** @param interval ms of a beat */
  look({ calls, held }: Pick<Vitals, 'calls' | 'held'>, busy: boolean, interval: number): void {
    const now = performance.now();
    this.#least = Math.min(this.#least, held);
    if (this.#before !== undefined) {
      const worth = held < this.#before - WORTH / 2;
      this.#share = worth ? SHARE.least : Math.min(2 * this.#share, SHARE.most);
      this.#before = undefined;
    }
    if (busy || calls !== this.#calls) {
      this.#calls = calls;
      this.#worked = true;
      this.#since = now;
    }
    if (!this.#worked || held < this.#least + WORTH) return;
    const takes = this.#took ?? held / PACE;
    if (now - this.#since < Math.max(BEATS * interval, this.#share * takes)) return;
    this.#worked = false;
    this.#collect(() => {
      this.#took = performance.now() - now;
      this.#before = held;
    });
  }
}
