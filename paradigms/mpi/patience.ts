/**
 * How long a thread polls before it sleeps. Where both sides run at the same time, what is waited for comes within a microsecond
 * of polling, and a sleep costs several on both sides; where one waits for the processor of the other, or others compute there
 * too, polling only keeps it from going on. What to expect is known: are there more ranks than processors? But others may want
 * them as well, so the other way is tried, now and then, and kept to as long as it takes clearly less time.
 */
import { availableParallelism } from 'node:os';

export interface Limits {
  /** Looks at what comes from one, before all of them are polled. */
  readonly looks: number;
  /** Of polling, after that, before the thread sleeps. */
  readonly ms: number;
}

const BRIEF: Limits = { looks: 2, ms: 0 };
/** As long as it takes the other side to make something of a large value. */
const LONG: Limits = { looks: 400, ms: 0.3 };
/** Waits in a row that are timed together. */
const BLOCK = 32;
/** Blocks before the other way is tried; twice as many after each trial that was in vain. */
const BETWEEN = { first: 8, most: 256 };

/**
 * When the other way is kept to: after so many blocks, each of which took less than this share of the one after it, which
 * went the usual way. That one tells more than those before: what runs gets faster while its code is compiled.
 */
interface Conviction {
  readonly blocks: number;
  readonly share: number;
}
const LEAVE: Conviction = { blocks: 3, share: 0.7 };
const RETURN: Conviction = { blocks: 1, share: 1 };

export class Patience {
  limits: Limits;
  #other: Limits;
  #conviction = LEAVE;
  #state: 'usual' | 'trial' | 'after' = 'usual';
  /** ms that the trial took, and how many of them in a row took less. */
  #tried = 0;
  #successes = 0;
  #interval = BETWEEN.first;
  #blocks = 0;
  #waits = BLOCK;
  #start = performance.now();

  /** @param threads that wait for each other */
  constructor(threads: number) {
    [this.limits, this.#other] = threads > availableParallelism() ? [BRIEF, LONG] : [LONG, BRIEF];
  }

  /** At the start of each wait. */
  next(): Limits {
    if (--this.#waits <= 0) this.#block();
    return this.limits;
  }

  #block(): void {
    const now = performance.now();
    const took = now - this.#start;
    this.#start = now;
    this.#waits = BLOCK;
    if (this.#state === 'usual') {
      if (++this.#blocks < this.#interval) return;
      this.#blocks = this.#successes = 0;
      this.#swap('trial');
    } else if (this.#state === 'trial') {
      this.#tried = took;
      this.#swap('after');
    } else if (this.#tried >= took * this.#conviction.share) {
      this.#interval = Math.min(this.#interval * 2, BETWEEN.most);
      this.#state = 'usual';
    } else if (++this.#successes < this.#conviction.blocks) this.#swap('trial');
    else {
      this.#conviction = this.#conviction === LEAVE ? RETURN : LEAVE;
      this.#interval = BETWEEN.first;
      this.#swap('usual');
    }
  }

  #swap(state: 'usual' | 'trial' | 'after'): void {
    [this.limits, this.#other] = [this.#other, this.limits];
    this.#state = state;
  }
}
