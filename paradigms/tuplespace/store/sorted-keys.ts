/**
 * Distinct keys of one type in their order, each with what it stands for and the rank of that: a tree whose nodes know the lowest
 * rank below them, so that the lowest one of a range is found without a look at the others.
 */
import { firstFrom, type Key, type Lowest, type SortedNode } from './sorted-node.ts';
import { SortedRuns } from './sorted-runs.ts';

/** Of a node, at most. */
const CHILDREN = 256;

class Branch<V> implements SortedNode<V> {
  readonly keys: Key[];
  readonly ranks: number[];
  readonly #children: SortedNode<V>[];

  constructor(children: SortedNode<V>[]) {
    this.keys = children.map(lastKey);
    this.ranks = children.map(lowestRank);
    this.#children = children;
  }

  set(key: Key, value: V, rank: number): Branch<V> | undefined {
    const children = this.#children;
    const at = this.#childFor(key);
    const behind = children[at]!.set(key, value, rank);
    this.#refresh(at);
    if (!behind) return undefined;
    children.splice(at + 1, 0, behind);
    this.keys.splice(at + 1, 0, lastKey(behind));
    this.ranks.splice(at + 1, 0, lowestRank(behind));
    if (children.length <= CHILDREN) return undefined;
    this.keys.length = this.ranks.length = CHILDREN / 2;
    return new Branch(children.splice(CHILDREN / 2));
  }

  delete(key: Key): void {
    const { keys, ranks } = this;
    const children = this.#children;
    const at = firstFrom(keys, key);
    if (at === keys.length) return;
    children[at]!.delete(key);
    if (children[at]!.keys.length) {
      this.#refresh(at);
      return;
    }
    children.splice(at, 1);
    keys.splice(at, 1);
    ranks.splice(at, 1);
  }

  lowest(low: Key | undefined, high: Key | undefined, found: Lowest<V>): void {
    const { ranks } = this;
    const start = low === undefined ? 0 : firstFrom(this.keys, low);
    const last = this.#last(start, high);
    for (let i = start; i <= last; i++) {
      if (ranks[i]! >= found.rank) continue;
      // Only the first and the last child may have keys that are out of the range.
      this.#children[i]!.lowest(i === start ? low : undefined, i === last ? high : undefined, found);
    }
  }

  *between(low: Key | undefined, high: Key | undefined): Generator<Key> {
    const start = low === undefined ? 0 : firstFrom(this.keys, low);
    const last = this.#last(start, high);
    for (let i = start; i <= last; i++)
      yield* this.#children[i]!.between(i === start ? low : undefined, i === last ? high : undefined);
  }

  /** The last child takes what is behind it. */
  #childFor(key: Key): number {
    return Math.min(firstFrom(this.keys, key), this.keys.length - 1);
  }

  /** Most ranges are narrow: they end in the child in which they begin. */
  #last(start: number, high: Key | undefined): number {
    if (high === undefined) return this.keys.length - 1;
    return start < this.keys.length && this.keys[start]! >= high ? start : this.#childFor(high);
  }

  #refresh(at: number): void {
    const child = this.#children[at]!;
    this.keys[at] = lastKey(child);
    this.ranks[at] = lowestRank(child);
  }
}

export class SortedKeys<V> {
  readonly #rankOf: (value: V) => number;
  #root: SortedNode<V>;

  /** @param keys in any order */
  constructor(keys: Key[], valueAt: (key: Key) => V, rankOf: (value: V) => number) {
    this.#rankOf = rankOf;
    // Not the default order, which is that of texts.
    keys.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    let level: SortedNode<V>[] = SortedRuns.of(keys, valueAt, rankOf);
    while (level.length > 1) level = pieces(level).map((piece) => new Branch(piece));
    this.#root = level[0]!;
  }

  /** Adds the key, or gives it another value. */
  set(key: Key, value: V): void {
    const root = this.#root;
    const behind = root.set(key, value, this.#rankOf(value));
    if (behind) this.#root = new Branch([root, behind]);
  }

  delete(key: Key): void {
    this.#root.delete(key);
    if (!this.#root.keys.length) this.#root = new SortedRuns();
  }

  /** The value of lowest rank from `low` to `high`, both included where they are given. */
  best(low: Key | undefined, high: Key | undefined): V | undefined {
    const found: Lowest<V> = { rank: Number.POSITIVE_INFINITY, value: undefined };
    this.#root.lowest(low, high, found);
    return found.value;
  }

  /** In their order. */
  between(low: Key | undefined, high: Key | undefined): Generator<Key> {
    return this.#root.between(low, high);
  }
}

function lastKey({ keys }: SortedNode<unknown>): Key {
  return keys[keys.length - 1]!;
}

function lowestRank({ ranks }: SortedNode<unknown>): number {
  let lowest = Number.POSITIVE_INFINITY;
  for (const rank of ranks) if (rank < lowest) lowest = rank;
  return lowest;
}

function pieces<T>(items: readonly T[]): T[][] {
  const found: T[][] = [];
  // Not full, since more will come.
  const size = (CHILDREN * 3) / 4;
  for (let i = 0; i < items.length; i += size) found.push(items.slice(i, i + size));
  return found;
}
