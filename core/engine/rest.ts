/**
 * Gives memory back that nothing needs any more, when the engine has nothing to do: nobody would notice otherwise that what a large
 * job has left behind is garbage.
 */
import { getHeapStatistics } from 'node:v8';

/** Beats without anything to do. */
const BEATS = 4;
/** What an engine may hold more than in its leanest moment, before that is looked into. Bytes. */
const WORTH = 64 << 20;
/** Times as long as it takes it has to rest before. */
const SHARE = 100;

export class Rest {
  #collect: (done: () => void) => void;
  #least = Number.POSITIVE_INFINITY;
  #calls = 0;
  /** Something has been done since memory was last given back. */
  #worked = false;
  #since = 0;
  /** ms that the last time has taken. */
  #took = 0;

  constructor(collect: (done: () => void) => void) {
    this.#collect = collect;
  }

  /** At each beat. `calls`: how many have been done so far. @param interval ms */
  beat(calls: number, busy: boolean, interval: number): void {
    const held = heldBytes();
    const now = performance.now();
    this.#least = Math.min(this.#least, held);
    if (busy || calls !== this.#calls) {
      this.#calls = calls;
      this.#worked = true;
      this.#since = now;
    }
    if (!this.#worked || held < this.#least + WORTH) return;
    if (now - this.#since < Math.max(BEATS * interval, SHARE * this.#took)) return;
    this.#worked = false;
    this.#collect(() => {
      this.#took = performance.now() - now;
    });
  }
}

function heldBytes(): number {
  const { used_heap_size, external_memory } = getHeapStatistics();
  return used_heap_size + external_memory;
}
