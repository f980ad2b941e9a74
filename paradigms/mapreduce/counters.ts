/** Whole numbers by group and name. */
import { UsageError } from '../../core/index.ts';
import type { Counters } from './types.ts';

/** The group of what tasks count by themselves. */
export const BUILT_IN = 'mapreduce';

export class Tally {
  readonly #groups = new Map<string, Map<string, number>>();

  get counts(): Counters {
    return Object.fromEntries([...this.#groups].map(([group, names]) => [group, Object.fromEntries(names)]));
  }

  /** @throws UsageError for what is no whole number. */
  add(group: string, name: string, by = 1): void {
    if (!Number.isSafeInteger(by))
      throw new UsageError(`Counter ${group}/${name}: it counts by whole numbers; got ${String(by)}`);
    if (typeof group !== 'string' || typeof name !== 'string')
      throw new UsageError(`counter(group, name, by?) takes two texts; got ${String(group)} and ${String(name)}`);
    let names = this.#groups.get(group);
    if (!names) this.#groups.set(group, (names = new Map()));
    names.set(name, (names.get(name) ?? 0) + by);
  }

  merge(counters: Counters): void {
    for (const [group, names] of Object.entries(counters))
      for (const [name, by] of Object.entries(names)) this.add(group, name, by);
  }
}
