/**
 * Distinct keys of one type in their order, each with a rank: a tree whose nodes know the lowest rank below them, so that the
 * lowest one of a range is found without a look at the others.
 */
export type Key = number | string | bigint;

/** Children that a node may have. */
const WIDTH = 256;

class Node {
  /** Of a leaf: the keys. Else the last key of each child. */
  readonly keys: Key[];
  /** Of each key, or the lowest below each child. */
  readonly ranks: number[];
  /** Undefined for a leaf. */
  readonly children: Node[] | undefined;

  constructor(keys: Key[], ranks: number[], children?: Node[]) {
    this.keys = keys;
    this.ranks = ranks;
    this.children = children;
  }

  /** A node for what comes behind it, if it has become too wide. */
  set(key: Key, rank: number): Node | undefined {
    const { keys, ranks, children } = this;
    let at = positionIn(keys, key);
    if (!children) {
      if (keys[at] === key) {
        ranks[at] = rank;
        return undefined;
      }
      keys.splice(at, 0, key);
      ranks.splice(at, 0, rank);
    } else {
      at = Math.min(at, children.length - 1); // the last child takes what is behind it
      const behind = children[at]!.set(key, rank);
      this.#refresh(at);
      if (behind) this.#insert(at + 1, behind);
    }
    if (keys.length <= WIDTH) return undefined;
    const half = WIDTH / 2;
    return new Node(keys.splice(half), ranks.splice(half), children?.splice(half));
  }

  delete(key: Key): void {
    const { keys, ranks, children } = this;
    const at = positionIn(keys, key);
    if (at === keys.length) return;
    if (!children) {
      if (keys[at] !== key) return;
    } else {
      children[at]!.delete(key);
      if (children[at]!.keys.length) {
        this.#refresh(at);
        return;
      }
      children.splice(at, 1);
    }
    keys.splice(at, 1);
    ranks.splice(at, 1);
  }

  lowest(): number {
    let lowest = Number.POSITIVE_INFINITY;
    for (const rank of this.ranks) if (rank < lowest) lowest = rank;
    return lowest;
  }

  #refresh(at: number): void {
    const child = this.children![at]!;
    this.keys[at] = child.keys.at(-1)!;
    this.ranks[at] = child.lowest();
  }

  #insert(at: number, child: Node): void {
    this.children!.splice(at, 0, child);
    this.keys.splice(at, 0, child.keys.at(-1)!);
    this.ranks.splice(at, 0, child.lowest());
  }
}

export class SortedKeys {
  #root: Node;

  /** In any order; `rankOf` is asked once for each. */
  constructor(keys: Key[], rankOf: (key: Key) => number) {
    // Not the default order, which is that of texts.
    keys.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    let level = pieces(keys).map((piece) => new Node(piece, piece.map(rankOf)));
    while (level.length > 1) {
      level = pieces(level).map(
        (piece) =>
          new Node(
            piece.map((node) => node.keys.at(-1)!),
            piece.map((node) => node.lowest()),
            piece,
          ),
      );
    }
    this.#root = level[0] ?? new Node([], []);
  }

  /** Adds the key, or gives it another rank. */
  set(key: Key, rank: number): void {
    const root = this.#root;
    const behind = root.set(key, rank);
    if (!behind) return;
    const halves = [root, behind];
    this.#root = new Node(
      halves.map((node) => node.keys.at(-1)!),
      halves.map((node) => node.lowest()),
      halves,
    );
  }

  delete(key: Key): void {
    this.#root.delete(key);
    if (!this.#root.keys.length) this.#root = new Node([], []);
  }

  /** The key of lowest rank from `low` to `high`, both included where they are given. */
  best(low: Key | undefined, high: Key | undefined): Key | undefined {
    let best: Key | undefined;
    let lowest = Number.POSITIVE_INFINITY;
    const look = (node: Node, from: Key | undefined, to: Key | undefined): void => {
      const { keys, ranks, children } = node;
      const start = from === undefined ? 0 : positionIn(keys, from);
      for (let i = start; i < keys.length; i++) {
        const last = to !== undefined && keys[i]! >= to;
        if (!children && last && keys[i]! > to!) return;
        if (ranks[i]! < lowest) {
          if (!children) [lowest, best] = [ranks[i]!, keys[i]!];
          // Only the first and the last child may have keys that are out of the range.
          else look(children[i]!, i === start ? from : undefined, last ? to : undefined);
        }
        if (last) return;
      }
    };
    look(this.#root, low, high);
    return best;
  }

  /** In their order. */
  *between(low: Key | undefined, high: Key | undefined): Generator<Key> {
    yield* keysIn(this.#root, low, high);
  }
}

function* keysIn(node: Node, low: Key | undefined, high: Key | undefined): Generator<Key> {
  const { keys, children } = node;
  const start = low === undefined ? 0 : positionIn(keys, low);
  for (let i = start; i < keys.length; i++) {
    const last = high !== undefined && keys[i]! >= high;
    if (children) yield* keysIn(children[i]!, i === start ? low : undefined, last ? high : undefined);
    else if (!last || keys[i] === high) yield keys[i]!;
    if (last) return;
  }
}

function pieces<T>(items: readonly T[]): T[][] {
  const found: T[][] = [];
  // Not full, since more will come.
  for (let i = 0; i < items.length; i += (WIDTH * 3) / 4) found.push(items.slice(i, i + (WIDTH * 3) / 4));
  return found;
}

/** Of the first that is not lower. */
function positionIn(keys: readonly Key[], key: Key): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (keys[middle]! < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
