/** Functions that tasks run: what they are for engines, and what has been learned of them. */
import type { Parcel } from '../../../core/index.ts';

/** How much the latest run counts in the mean. */
const WEIGHT = 0.2;

/** Runs that are remembered, of each function. */
const LATEST = 32;

let next = 0;

export class FnRecord {
  /** For engines; of this controller. */
  readonly number = ++next;
  readonly name: string;
  parcel: Parcel;
  readonly pace: Pace;
  /** Tasks that are not over. */
  uses = 0;
  /** Its client will not name it any more. */
  forgotten = false;

  constructor(name: string, parcel: Parcel) {
    this.name = name;
    this.parcel = parcel;
    this.pace = paceOf(`${name} ${parcel.code.join()}`);
  }

  get mean(): number | undefined {
    return this.pace.mean;
  }
}

/** How long runs take. Functions of one name and text have one pace, whatever they have captured. */
export class Pace {
  /** ms that a run takes, lately; undefined before the first one. */
  mean: number | undefined;
  readonly #latest = new Float64Array(LATEST);
  #runs = 0;

  ran(ms: number): void {
    this.mean = this.mean === undefined ? ms : this.mean + WEIGHT * (ms - this.mean);
    this.#latest[this.#runs++ % LATEST] = ms;
  }

  /** For stragglers: three of four runs of late took no longer. An engine that is slow makes few of them. */
  get usual(): number {
    const known = this.#latest.slice(0, this.#runs).sort();
    return known[Math.floor(known.length * 0.75)] ?? 0;
  }
}

const paces = new Map<string, Pace>();
/** Texts whose pace is known. */
const PACES = 10_000;

function paceOf(code: string): Pace {
  const known = paces.get(code);
  if (known) return known;
  const pace = new Pace();
  paces.set(code, pace);
  if (paces.size > PACES) paces.delete(paces.keys().next().value!);
  return pace;
}
