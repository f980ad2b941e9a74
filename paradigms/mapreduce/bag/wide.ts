/** Steps with a shuffle. Their functions travel with the job, with what they capture. */
import type { JobSpec } from '../types.ts';

type Values<V> = Iterable<V>;
type Emits = { emit(key: unknown, value: unknown): void };
export type JoinKind = 'inner' | 'left' | 'right' | 'full';

/** Combiner and reducer both. */
export function reducing(f: (a: any, b: any) => unknown): JobSpec {
  const reduce = (key: unknown, values: Values<unknown>, { emit }: Emits): void => {
    let sum: unknown;
    let first = true;
    for (const value of values) {
      sum = first ? value : f(sum, value);
      first = false;
    }
    emit(key, sum);
  };
  return { combine: reduce, reduce };
}

export function grouping(): JobSpec {
  return { reduce: (key: unknown, values: Values<unknown>, { emit }: Emits) => emit(key, [...values]) };
}

export function distinct(): JobSpec {
  const once = (key: unknown, _values: Values<unknown>, { emit }: Emits): void => emit(key, null);
  return { combine: once, reduce: once };
}

export function sorting(compare: (a: any, b: any) => number, descending = false): JobSpec {
  return { partition: 'range', sort: descending ? (a, b) => compare(b, a) : compare };
}

export function dealing(reducers: number): JobSpec {
  return { partition: (turn: number) => turn, reducers };
}

/** Both sides of each key as lists. */
export function cogrouping(): JobSpec {
  return {
    reduce(key: unknown, values: Values<[side: number, value: unknown]>, { emit }: Emits) {
      const sides: unknown[][] = [[], []];
      for (const [side, value] of values) sides[side]!.push(value);
      emit(key, sides);
    },
  };
}

/** Values of the left side are in memory, those of the right side pass by: the larger one had better be there. */
export function joining(kind: JoinKind): JobSpec {
  return {
    reduce(key: unknown, values: Values<[side: number, value: unknown]>, { emit }: Emits) {
      const left: unknown[] = [];
      let rights = 0;
      for (const [side, value] of values) {
        if (side === 0) left.push(value);
        else rights++;
      }
      if (rights === 0) {
        if (kind === 'left' || kind === 'full') for (const one of left) emit(key, [one, undefined]);
        return;
      }
      if (left.length === 0 && (kind === 'inner' || kind === 'left')) return;
      const partners = left.length > 0 ? left : [undefined];
      for (const [side, value] of values) if (side === 1) for (const one of partners) emit(key, [one, value]);
    },
  };
}
