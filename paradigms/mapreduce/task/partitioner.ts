/** Which reducer gets a key. */
import { MapReduceError } from '../errors.ts';
import type { Cuts } from '../messages.ts';
import type { Step } from '../plan.ts';
import { type Compare, compareKeys, hashKey } from '../records/keys.ts';

export type Partitioner = (key: unknown) => number;

export function partitionerOf(step: Step, cuts: Cuts | undefined): Partitioner {
  const { partition, reducers } = step;
  if (reducers === 1 && typeof partition !== 'function') return () => 0;
  if (partition === undefined) return (key) => hashKey(key) % reducers;
  if (partition === 'range') return rangeOf(cuts ?? [], compareOf(step));
  return (key) => {
    const n = partition(key, reducers);
    if (Number.isInteger(n) && n >= 0 && n < reducers) return n;
    throw new MapReduceError(
      `partition(key, ${reducers}) is a whole number from 0 to ${reducers - 1}; it was ${String(n)} for the key ${String(key)}`,
    );
  };
}

/** How many cuts lie at or before the key. */
function rangeOf(cuts: Cuts, compare: Compare): Partitioner {
  return (key) => {
    let low = 0;
    let high = cuts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compare(cuts[middle], key) <= 0) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}

/** One key less than there are reducers, evenly from a sorted sample. */
export function cutsOf(sample: unknown[], reducers: number, compare: Compare): Cuts {
  sample.sort(compare);
  return Array.from(
    { length: sample.length ? reducers - 1 : 0 },
    (_, i) => sample[Math.floor(((i + 1) * sample.length) / reducers)],
  );
}

/** The order of keys in a step. */
export function compareOf({ sort }: Pick<Step, 'sort'>): Compare {
  return sort ? checkedCompare('sort', sort) : compareKeys;
}

/** What says neither less nor more nor equal would leave keys in any order. */
export function checkedCompare(name: 'sort' | 'group', compare: Compare): Compare {
  return (a, b) => {
    const order = compare(a, b);
    if (typeof order === 'number' && !Number.isNaN(order)) return order;
    throw new MapReduceError(
      `${name}(a, b) is a number: negative, 0 or positive; it was ${String(order)}. Write a - b, or a < b ? -1 : a > b ? 1 : 0`,
    );
  };
}
