/** What has happened so far: plain numbers, and two histograms. */
import { Ending, type Quantiles } from '../messages.ts';

/** ms, in steps of a quarter from 1 µs to about three hours. */
const FINEST = 0.001;
const STEP = Math.log(1.25);
const STEPS = 104;

export class Tally {
  submitted = 0;
  done = 0;
  failed = 0;
  cancelled = 0;
  retried = 0;
  requeued = 0;
  readonly wait = new Spread();
  readonly run = new Spread();

  over(ending: Ending, ran: number): void {
    if (ending === Ending.OK || ending === Ending.KEPT) {
      this.done++;
      this.run.add(ran);
    } else if (ending === Ending.STOPPED) this.cancelled++;
    else this.failed++;
  }
}

/** A histogram whose steps grow by a quarter: any quantile is right to an eighth. */
export class Spread {
  #counts = new Float64Array(STEPS);
  #total = 0;

  add(ms: number): void {
    const step = ms <= FINEST ? 0 : Math.min(STEPS - 1, 1 + Math.floor(Math.log(ms / FINEST) / STEP));
    this.#counts[step]!++;
    this.#total++;
  }

  quantiles(): Quantiles {
    return { p50: this.#at(0.5), p90: this.#at(0.9), p99: this.#at(0.99), p999: this.#at(0.999) };
  }

  #at(share: number): number {
    let left = share * this.#total;
    if (!left) return 0;
    for (let step = 0; step < STEPS; step++) {
      left -= this.#counts[step]!;
      if (left <= 0) return Number((FINEST * Math.exp(STEP * (step - (step ? 0.5 : 0)))).toPrecision(3));
    }
    return 0;
  }
}
