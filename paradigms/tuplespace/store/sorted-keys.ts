/**
 * Distinct keys of one type in their order, each with what it stands for and the rank of that: a tree whose nodes know the lowest
 * rank below them, so that the lowest one of a range is found without a look at the others.
 */
export type Key = number | string | bigint;

/**
 * Children of a node, and keys of a leaf, at most. Few nodes stay close to the processor, however many keys there are; of the leaves,
 * which do not, as little as possible is to be looked at.
 */
const CHILDREN = 256;
const KEYS = 64;

interface Lowest<V> {
  rank: number;
  value: V | undefined;
}

interface Node<V> {
  /** Of a leaf its keys, else the last key of each child. */
  readonly keys: Key[];
  /** Of each key, or the lowest below each child. */
  readonly ranks: number[];
  /** A node for what comes behind it, if it has become too wide. */
  set(key: Key, value: V, rank: number): Node<V> | undefined;
  delete(key: Key): void;
  /** What has a lower rank than what is the lowest so far. */
  lowest(low: Key | undefined, high: Key | undefined, found: Lowest<V>): void;
  between(low: Key | undefined, high: Key | undefined): Generator<Key>;
}

class Leaf<V> implements Node<V> {
  readonly keys: Key[];
  readonly ranks: number[];
  readonly #values: V[];

  constructor(keys: Key[], ranks: number[], values: V[]) {
    this.keys = keys;
    this.ranks = ranks;
    this.#values = values;
  }

  set(key: Key, value: V, rank: number): Leaf<V> | undefined {
    const { keys, ranks } = this;
    const values = this.#values;
    const at = firstFrom(keys, key);
    if (keys[at] === key) {
      ranks[at] = rank;
      values[at] = value;
      return undefined;
    }
    keys.splice(at, 0, key);
    ranks.splice(at, 0, rank);
    values.splice(at, 0, value);
    if (keys.length <= KEYS) return undefined;
    return new Leaf(keys.splice(KEYS / 2), ranks.splice(KEYS / 2), values.splice(KEYS / 2));
  }

  delete(key: Key): void {
    const at = firstFrom(this.keys, key);
    if (this.keys[at] !== key) return;
    this.keys.splice(at, 1);
    this.ranks.splice(at, 1);
    this.#values.splice(at, 1);
  }

  lowest(low: Key | undefined, high: Key | undefined, found: Lowest<V>): void {
    const { ranks } = this;
    const end = this.#end(high);
    let best = -1;
    let rank = found.rank;
    for (let i = this.#start(low); i < end; i++) {
      if (ranks[i]! >= rank) continue;
      rank = ranks[i]!;
      best = i;
    }
    if (best < 0) return;
    found.rank = rank;
    found.value = this.#values[best];
  }

  *between(low: Key | undefined, high: Key | undefined): Generator<Key> {
    const end = this.#end(high);
    for (let i = this.#start(low); i < end; i++) yield this.keys[i]!;
  }

  #start(low: Key | undefined): number {
    return low === undefined ? 0 : firstFrom(this.keys, low);
  }

  /** Behind the last one. */
  #end(high: Key | undefined): number {
    if (high === undefined) return this.keys.length;
    const at = firstFrom(this.keys, high);
    return this.keys[at] === high ? at + 1 : at;
  }
}

class Branch<V> implements Node<V> {
  readonly keys: Key[];
  readonly ranks: number[];
  readonly #children: Node<V>[];

  constructor(children: Node<V>[]) {
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
    const last = this.#last(high);
    for (let i = start; i <= last; i++) {
      if (ranks[i]! >= found.rank) continue;
      // Only the first and the last child may have keys that are out of the range.
      this.#children[i]!.lowest(i === start ? low : undefined, i === last ? high : undefined, found);
    }
  }

  *between(low: Key | undefined, high: Key | undefined): Generator<Key> {
    const start = low === undefined ? 0 : firstFrom(this.keys, low);
    const last = this.#last(high);
    for (let i = start; i <= last; i++)
      yield* this.#children[i]!.between(i === start ? low : undefined, i === last ? high : undefined);
  }

  /** The last child takes what is behind it. */
  #childFor(key: Key): number {
    return Math.min(firstFrom(this.keys, key), this.keys.length - 1);
  }

  #last(high: Key | undefined): number {
    return high === undefined ? this.keys.length - 1 : this.#childFor(high);
  }

  #refresh(at: number): void {
    const child = this.#children[at]!;
    this.keys[at] = lastKey(child);
    this.ranks[at] = lowestRank(child);
  }
}

export class SortedKeys<V> {
  readonly #rankOf: (value: V) => number;
  #root: Node<V>;

  /** @param keys in any order */
  constructor(keys: Key[], valueAt: (key: Key) => V, rankOf: (value: V) => number) {
    this.#rankOf = rankOf;
    // Not the default order, which is that of texts.
    keys.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    let level: Node<V>[] = pieces(keys, KEYS).map((piece) => {
      const values = piece.map(valueAt);
      return new Leaf(piece, values.map(rankOf), values);
    });
    while (level.length > 1) level = pieces(level, CHILDREN).map((piece) => new Branch(piece));
    this.#root = level[0] ?? new Leaf([], [], []);
  }

  /** Adds the key, or gives it another value. */
  set(key: Key, value: V): void {
    const root = this.#root;
    const behind = root.set(key, value, this.#rankOf(value));
    if (behind) this.#root = new Branch([root, behind]);
  }

  delete(key: Key): void {
    this.#root.delete(key);
    if (!this.#root.keys.length) this.#root = new Leaf([], [], []);
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

function lastKey({ keys }: Node<unknown>): Key {
  return keys[keys.length - 1]!;
}

function lowestRank({ ranks }: Node<unknown>): number {
  let lowest = Number.POSITIVE_INFINITY;
  for (const rank of ranks) if (rank < lowest) lowest = rank;
  return lowest;
}

function pieces<T>(items: readonly T[], width: number): T[][] {
  const found: T[][] = [];
  // Not full, since more will come.
  const size = (width * 3) / 4;
  for (let i = 0; i < items.length; i += size) found.push(items.slice(i, i + size));
  return found;
}

/** Of the first that is not lower. */
function firstFrom(keys: readonly Key[], key: Key): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (keys[middle]! < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
