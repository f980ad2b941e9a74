/** Whole numbers by group and name. */
import { UsageError } from '../../core/index.ts';
import type { Counters } from './types.ts';

/** The group of what tasks count by themselves. */
export const BUILT_IN = 'mapreduce';

export class Tally {
  readonly counts: Counters = {};

  /** @throws UsageError for what is no whole number. */
  add(group: string, name: string, by = 1): void {
    if (!Number.isSafeInteger(by))
      throw new UsageError(`Counter ${group}/${name}: it counts by whole numbers; got ${String(by)}`);
    if (typeof group !== 'string' || typeof name !== 'string')
      throw new UsageError(`counter(group, name, by?) takes two texts; got ${String(group)} and ${String(name)}`);
    const names = Object.hasOwn(this.counts, group) ? this.counts[group]! : this.#group(group);
    names[name] = (names[name] ?? 0) + by;
  }

  merge(counters: Counters): void {
    for (const [group, names] of Object.entries(counters))
      for (const [name, by] of Object.entries(names)) this.add(group, name, by);
  }

  #group(group: string): Record<string, number> {
    const names: Record<string, number> = Object.create(null);
    Object.defineProperty(this.counts, group, { value: names, enumerable: true, writable: true, configurable: true });
    return names;
  }
}
