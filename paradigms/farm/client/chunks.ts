/** How many items go together: so many that the journey costs little, and so few that all engines have something to do to the end. */

/** ms that a chunk should run. */
const AIM = 20;
/** A chunk grows by this factor at most. */
const GROWTH = 4;
const MOST = 4_096;
/** How many are taken ahead for each engine; more of those that are longer than `AIM`, for so many ms: it may be far away. */
export const LEAST_AHEAD = 4;
const MOST_AHEAD = 16;
const MS_AHEAD = 1_600;
/** Of what is left, an engine's part is taken in so many chunks. */
const PARTS = 4;

export class Chunks {
  #given: number | 'auto';
  #engines: () => number;
  #size = 1;
  /** ms an item, lately. */
  #mean: number | undefined;

  constructor(given: number | 'auto', engines: () => number) {
    this.#given = given;
    this.#engines = engines;
  }

  size(left: number | undefined): number {
    if (this.#given !== 'auto') return this.#given;
    if (left === undefined) return this.#size;
    return Math.max(1, Math.min(this.#size, Math.ceil(left / (this.#engines() * PARTS))));
  }

  /** How many are taken ahead for each engine. */
  get ahead(): number {
    const each = (this.#mean ?? 0) * (this.#given === 'auto' ? 1 : this.#given);
    return each < AIM ? LEAST_AHEAD : Math.max(LEAST_AHEAD, Math.min(MOST_AHEAD, Math.ceil(MS_AHEAD / each)));
  }

  ran(items: number, ms: number): void {
    const each = ms / items;
    // What is longer than it was counts at once: chunks must not grow too long.
    const slower = this.#mean === undefined || each > this.#mean;
    this.#mean = slower ? each : this.#mean! + 0.5 * (each - this.#mean!);
    const wanted = Math.max(1, Math.min(MOST, Math.round(AIM / Math.max(this.#mean, 1e-6))));
    this.#size = Math.min(wanted, Math.max(this.#size, items) * GROWTH);
  }
}
