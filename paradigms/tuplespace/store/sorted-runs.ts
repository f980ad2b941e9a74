/**
 * The lowest level of a tree of sorted keys: runs of keys, which lie in cells next to those of the other runs. So there is no object
 * for each run, that would be far from the processor as often as the run itself is.
 */
import { firstFrom, type Key, type Lowest, type SortedNode } from './sorted-node.ts';

/** Keys of a run, at most. */
const RUN = 64;
/** Runs that lie together, at most. */
const RUNS = 256;

export class SortedRuns<V> implements SortedNode<V> {
  /** The last key of each run. */
  readonly keys: Key[] = [];
  /** The lowest rank in each run. */
  readonly ranks: number[] = [];
  /** Its cells: where they begin, and how many of them are taken. */
  readonly #starts: number[] = [];
  readonly #sizes: number[] = [];
  readonly #cells: { keys: Key[]; ranks: number[]; values: (V | undefined)[] } = { keys: [], ranks: [], values: [] };
  /** Where runs began that are not there any more. */
  readonly #free: number[] = [];

  /** As many nodes as it takes. @param keys in their order */
  static of<V>(keys: readonly Key[], valueAt: (key: Key) => V, rankOf: (value: V) => number): SortedRuns<V>[] {
    const nodes = [new SortedRuns<V>()];
    // Neither runs nor nodes are full, since more will come.
    for (let from = 0; from < keys.length; from += (RUN * 3) / 4) {
      if (nodes.at(-1)!.keys.length === (RUNS * 3) / 4) nodes.push(new SortedRuns());
      nodes.at(-1)!.#append(keys.slice(from, from + (RUN * 3) / 4), valueAt, rankOf);
    }
    return nodes;
  }

  set(key: Key, value: V, rank: number): SortedRuns<V> | undefined {
    if (!this.keys.length) this.#insert(0, this.#room());
    let run = this.#runFor(key);
    let cell = this.#find(run, key);
    const { keys, ranks, values } = this.#cells;
    if (cell === this.#end(run) || keys[cell] !== key) {
      if (this.#sizes[run] === RUN) {
        this.#split(run);
        if (key > this.keys[run]!) run++;
        cell = this.#find(run, key);
      }
      for (let i = this.#end(run); i > cell; i--) this.#move(i - 1, i);
      this.#sizes[run]!++;
    }
    keys[cell] = key;
    ranks[cell] = rank;
    values[cell] = value;
    this.#refresh(run);
    return this.keys.length > RUNS ? this.#divide() : undefined;
  }

  delete(key: Key): void {
    if (!this.keys.length) return;
    const run = this.#runFor(key);
    const cell = this.#find(run, key);
    const end = this.#end(run);
    if (cell === end || this.#cells.keys[cell] !== key) return;
    for (let i = cell + 1; i < end; i++) this.#move(i, i - 1);
    this.#cells.values[end - 1] = undefined;
    if (--this.#sizes[run]! > 0) this.#refresh(run);
    else this.#free.push(...this.#remove(run, 1));
  }

  lowest(low: Key | undefined, high: Key | undefined, found: Lowest<V>): void {
    const { ranks, values } = this.#cells;
    const first = this.#first(low);
    const last = this.#last(first, high);
    for (let run = first; run <= last; run++) {
      if (this.ranks[run]! >= found.rank) continue;
      const start = run === first ? this.#startFor(run, low) : this.#starts[run]!;
      const end = run === last ? this.#endFor(run, start, high) : this.#end(run);
      let best = -1;
      for (let cell = start; cell < end; cell++) {
        if (ranks[cell]! >= found.rank) continue;
        found.rank = ranks[cell]!;
        best = cell;
      }
      if (best >= 0) found.value = values[best];
    }
  }

  *between(low: Key | undefined, high: Key | undefined): Generator<Key> {
    const first = this.#first(low);
    const last = this.#last(first, high);
    for (let run = first; run <= last; run++) {
      const start = this.#startFor(run, low);
      const end = this.#endFor(run, start, high);
      for (let cell = start; cell < end; cell++) yield this.#cells.keys[cell]!;
    }
  }

  #append(added: readonly Key[], valueAt: (key: Key) => V, rankOf: (value: V) => number): void {
    const start = this.#room();
    const { keys, ranks, values } = this.#cells;
    for (const [i, key] of added.entries()) {
      const value = valueAt(key);
      keys[start + i] = key;
      ranks[start + i] = rankOf(value);
      values[start + i] = value;
    }
    this.#insert(this.keys.length, start, added.length);
  }

  /** Cells for one more run. */
  #room(): number {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    const { keys, ranks, values } = this.#cells;
    const start = keys.length;
    // No holes: with them each look would go another way.
    for (let i = 0; i < RUN; i++) {
      keys.push(0);
      ranks.push(0);
      values.push(undefined);
    }
    return start;
  }

  #insert(run: number, start: number, size = 0): void {
    this.#starts.splice(run, 0, start);
    this.#sizes.splice(run, 0, size);
    this.keys.splice(run, 0, 0);
    this.ranks.splice(run, 0, 0);
    if (size) this.#refresh(run);
  }

  /** Returns where their cells begin. */
  #remove(run: number, count: number): number[] {
    this.keys.splice(run, count);
    this.ranks.splice(run, count);
    this.#sizes.splice(run, count);
    return this.#starts.splice(run, count);
  }

  /** The upper half becomes a run of its own, behind it. */
  #split(run: number): void {
    const from = this.#starts[run]! + RUN / 2;
    const to = this.#room();
    for (let i = 0; i < RUN / 2; i++) this.#move(from + i, to + i);
    this.#cells.values.fill(undefined, from, from + RUN / 2);
    this.#sizes[run] = RUN / 2;
    this.#refresh(run);
    this.#insert(run + 1, to, RUN / 2);
  }

  /** The upper half of the runs become a node of their own, behind this one. */
  #divide(): SortedRuns<V> {
    const behind = new SortedRuns<V>();
    const sizes = this.#sizes.slice(RUNS / 2);
    const { keys, ranks, values } = this.#cells;
    for (const [i, start] of this.#remove(RUNS / 2, sizes.length).entries()) {
      const at = behind.#room();
      for (let k = 0; k < sizes[i]!; k++) {
        behind.#cells.keys[at + k] = keys[start + k]!;
        behind.#cells.ranks[at + k] = ranks[start + k]!;
        behind.#cells.values[at + k] = values[start + k];
      }
      values.fill(undefined, start, start + RUN);
      behind.#insert(i, at, sizes[i]!);
      this.#free.push(start);
    }
    return behind;
  }

  #move(from: number, to: number): void {
    const { keys, ranks, values } = this.#cells;
    keys[to] = keys[from]!;
    ranks[to] = ranks[from]!;
    values[to] = values[from];
  }

  #refresh(run: number): void {
    const start = this.#starts[run]!;
    const end = this.#end(run);
    const { keys, ranks } = this.#cells;
    let lowest = Number.POSITIVE_INFINITY;
    for (let i = start; i < end; i++) if (ranks[i]! < lowest) lowest = ranks[i]!;
    this.keys[run] = keys[end - 1]!;
    this.ranks[run] = lowest;
  }

  #first(low: Key | undefined): number {
    return low === undefined ? 0 : firstFrom(this.keys, low);
  }

  /** Most ranges are narrow: they end in the run in which they begin. */
  #last(first: number, high: Key | undefined): number {
    if (high === undefined) return this.keys.length - 1;
    return first < this.keys.length && this.keys[first]! >= high ? first : this.#runFor(high);
  }

  /** The last run takes what is behind it. */
  #runFor(key: Key): number {
    return Math.min(firstFrom(this.keys, key), this.keys.length - 1);
  }

  /** Behind the last cell that is taken. */
  #end(run: number): number {
    return this.#starts[run]! + this.#sizes[run]!;
  }

  /** Of the first key there that is not lower. */
  #find(run: number, key: Key): number {
    return firstFrom(this.#cells.keys, key, this.#starts[run]!, this.#end(run));
  }

  #startFor(run: number, low: Key | undefined): number {
    return low === undefined ? this.#starts[run]! : this.#find(run, low);
  }

  /** Behind the last key that is not higher. */
  #endFor(run: number, start: number, high: Key | undefined): number {
    const end = this.#end(run);
    if (high === undefined || this.keys[run]! <= high) return end;
    const cell = firstFrom(this.#cells.keys, high, start, end);
    return cell < end && this.#cells.keys[cell] === high ? cell + 1 : cell;
  }
}
