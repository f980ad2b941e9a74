/** Sorted runs as one: a heap of cursors, whose top has the smallest key. */
import type { BlockSource } from './cursor.ts';
import { Cursor } from './cursor.ts';
import type { Compare } from './keys.ts';

export class Merge {
  readonly #compare: Compare;
  #heap: Cursor[] = [];

  constructor(compare: Compare) {
    this.#compare = compare;
  }

  async open(sources: readonly BlockSource[]): Promise<void> {
    const cursors = sources.map((source, rank) => new Cursor(rank, source));
    const full = await Promise.all(cursors.map((cursor) => cursor.load()));
    this.#heap = cursors.filter((_, i) => full[i]);
    for (let i = (this.#heap.length >> 1) - 1; i >= 0; i--) this.#sink(i);
  }

  /** The record that comes next. */
  get top(): Cursor | undefined {
    return this.#heap[0];
  }

  /** Past the top's record: at once, unless its next block has to come first. */
  next(): void | Promise<void> {
    const top = this.#heap[0]!;
    if (top.step()) {
      this.#sink(0);
      return undefined;
    }
    const full = top.load();
    return full instanceof Promise ? full.then((yes) => this.#loaded(yes)) : this.#loaded(full);
  }

  #loaded(full: boolean): void {
    if (!full) {
      const last = this.#heap.pop()!;
      if (!this.#heap.length) return;
      this.#heap[0] = last;
    }
    this.#sink(0);
  }

  #sink(from: number): void {
    const heap = this.#heap;
    const size = heap.length;
    if (size < 2) return;
    const moved = heap[from]!;
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && this.#before(heap[child + 1]!, heap[child]!)) child++;
      if (!this.#before(heap[child]!, moved)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = moved;
  }

  #before(a: Cursor, b: Cursor): boolean {
    const order = this.#compare(a.key, b.key);
    return order === 0 ? a.rank < b.rank : order < 0;
  }
}
