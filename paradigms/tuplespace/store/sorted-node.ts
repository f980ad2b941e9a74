/** What trees of sorted keys are made of. */
export type Key = number | string | bigint;

export interface Lowest<V> {
  rank: number;
  value: V | undefined;
}

export interface SortedNode<V> {
  /** The last key of each child. */
  readonly keys: readonly Key[];
  /** The lowest rank below each child. */
  readonly ranks: readonly number[];
  /** A node for what comes behind it, if it has become too wide. */
  set(key: Key, value: V, rank: number): SortedNode<V> | undefined;
  delete(key: Key): void;
  /** What has a lower rank than what is the lowest so far. */
  lowest(low: Key | undefined, high: Key | undefined, found: Lowest<V>): void;
  between(low: Key | undefined, high: Key | undefined): Generator<Key>;
}

/** Of the first from `low` on that is not lower; `high` if there is none before that. */
export function firstFrom(keys: readonly Key[], key: Key, low = 0, high = keys.length): number {
  let from = low;
  let to = high;
  while (from < to) {
    const middle = (from + to) >> 1;
    if (keys[middle]! < key) from = middle + 1;
    else to = middle;
  }
  return from;
}
