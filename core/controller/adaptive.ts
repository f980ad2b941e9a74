/** How many engines a cluster should have: as many as its work keeps busy, within limits, and without ups and downs. */
import type { Demand } from '../paradigm/paradigm.ts';

export interface AdaptiveOptions {
  min: number;
  max: number;
  /** ms of work that an engine should have before it before there is another one. Default 1,000. */
  horizon?: number | undefined;
  /** ms for which fewer engines must do before any is removed. Default 5,000. */
  calm?: number | undefined;
}

/** In one round there are at most so many times as many engines as before it. */
const GROWTH = 2;

/**
 * At once up, by at most twice as many; down only to the most that was wanted lately, so that what comes in bursts does not make
 * engines end and start again and again.
 */
export class Adviser {
  #options: Required<Pick<AdaptiveOptions, 'min' | 'max'>> & { horizon: number; calm: number };
  #begun: number | undefined;
  #lately: { wanted: number; at: number }[] = [];

  constructor({ min, max, horizon = 1_000, calm = 5_000 }: AdaptiveOptions) {
    this.#options = { min, max, horizon, calm };
  }

  /** @param engines that there are. @param now ms of any clock that goes on. */
  advise(demands: readonly Demand[], engines: number, now: number): number {
    const { min, max, horizon, calm } = this.#options;
    const tasks = demands.reduce((sum, demand) => sum + demand.tasks, 0);
    const ms = demands.reduce((sum, demand) => sum + demand.ms, 0);
    const wanted = Math.max(min, Math.min(max, tasks, Math.ceil(ms / horizon)));
    this.#begun ??= now;
    this.#lately = this.#lately.filter(({ at }) => now - at < calm);
    this.#lately.push({ wanted, at: now });
    if (wanted > engines) return Math.min(wanted, Math.max(min, 1, GROWTH * engines));
    if (now - this.#begun < calm) return Math.max(min, engines);
    return Math.min(engines, Math.max(...this.#lately.map((then) => then.wanted)));
  }
}
