/**
 * How long a thread polls before it sleeps. Where both sides run at the same time, what is waited for comes within a microsecond
 * of polling, and a sleep costs several; where one waits for the processor of the other, or others compute there too, polling
 * only keeps it from going on. Which it is changes: so both are tried, now and then, and what takes less time is kept to.
 */

export interface Limits {
  /** At one ring, before all of them are polled. */
  readonly looks: number;
  /** So often, before the thread sleeps. */
  readonly rounds: number;
}

const BRIEF: Limits = { looks: 2, rounds: 2 };
const LONG: Limits = { looks: 400, rounds: 10 };
/** Waits in a row that are timed together. */
const BLOCK = 32;
/** Blocks between trials of the other way; twice as many after each that was in vain. */
const TRIALS = { first: 2, most: 256 };

export class Patience {
  limits = LONG;
  #other = BRIEF;
  /** ms that a block has taken lately, this way. */
  #usual = Number.POSITIVE_INFINITY;
  #trying = false;
  #interval = TRIALS.first;
  #blocks = 0;
  #waits = 0;
  #start = 0;

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
    if (took === now) return; // the first one
    if (this.#trying) this.#tried(took);
    else if (++this.#blocks > this.#interval) this.#try();
    else if (this.#usual === Number.POSITIVE_INFINITY) this.#usual = took;
    // One that something came between says little.
    else this.#usual += (Math.min(took, 4 * this.#usual) - this.#usual) / 4;
  }

  #try(): void {
    this.#trying = true;
    this.#blocks = 0;
    this.#swap();
  }

  #tried(took: number): void {
    this.#trying = false;
    if (took < this.#usual * 0.8) {
      this.#usual = took;
      this.#interval = TRIALS.first;
    } else {
      this.#interval = Math.min(this.#interval * 2, TRIALS.most);
      this.#swap();
    }
  }

  #swap(): void {
    [this.limits, this.#other] = [this.#other, this.limits];
  }
}
