/**
 * Things in the order of their numbers. One that is removed leaves its place behind until enough are gone, so that removing
 * costs nothing wherever it stands, and one that comes back finds its place again.
 */
export interface Placed {
  readonly seq: number;
  /** Not removed. Whoever changes it tells all lists that it is in: `removed`, or `restore`. */
  alive: boolean;
}

/** Places that may be left behind, beside as many as are taken. */
const SLACK = 32;

export class SeqList<T extends Placed> {
  #items: T[] = [];
  /** Nothing that is alive stands before it. */
  #head = 0;
  #live = 0;

  get size(): number {
    return this.#live;
  }

  /** Its number is higher than any here. */
  push(item: T): void {
    this.#items.push(item);
    this.#live++;
  }

  /** One of these is not alive any more. */
  removed(): void {
    this.#live--;
    const items = this.#items;
    if (this.#live === 0) {
      items.length = 0;
      this.#head = 0;
      return;
    }
    if (items.length > 2 * this.#live + SLACK) {
      this.#items = items.filter((item) => item.alive);
      this.#head = 0;
    }
  }

  /** It is alive again, and here as before. */
  restore(item: T): void {
    const at = this.#position(item.seq);
    if (this.#items[at] !== item) this.#items.splice(at, 0, item);
    this.#head = Math.min(this.#head, at);
    this.#live++;
  }

  /** The one with this number. */
  at(seq: number): T | undefined {
    const item = this.#items[this.#position(seq)];
    return item?.seq === seq && item.alive ? item : undefined;
  }

  /** The oldest that passes, of the first `most` places. */
  first(test?: (item: T) => boolean, most = Number.POSITIVE_INFINITY): T | undefined {
    const items = this.#items;
    while (this.#head < items.length && !items[this.#head]!.alive) this.#head++;
    const end = Math.min(items.length, this.#head + most);
    for (let i = this.#head; i < end; i++) {
      const item = items[i]!;
      if (item.alive && (!test || test(item))) return item;
    }
    return undefined;
  }

  /** The newest that passes, of the last `most` places. */
  last(test?: (item: T) => boolean, most = Number.POSITIVE_INFINITY): T | undefined {
    const items = this.#items;
    while (items.length && !items.at(-1)!.alive) items.pop();
    const end = Math.max(this.#head, items.length - most);
    for (let i = items.length - 1; i >= end; i--) {
      const item = items[i]!;
      if (item.alive && (!test || test(item))) return item;
    }
    return undefined;
  }

  /** Any; undefined for an empty list. */
  random(): T | undefined {
    if (!this.#live) return undefined;
    for (;;) {
      // Half of the places are taken at least, but for a few.
      const item = this.#items[this.#head + Math.floor(Math.random() * (this.#items.length - this.#head))];
      if (item?.alive) return item;
    }
  }

  /** From the oldest, or from the newest. Nothing may be added or removed meanwhile. */
  *each(newestFirst = false): Generator<T> {
    const items = this.#items;
    const step = newestFirst ? -1 : 1;
    for (let i = newestFirst ? items.length - 1 : this.#head; i >= this.#head && i < items.length; i += step) {
      if (items[i]!.alive) yield items[i]!;
    }
  }

  /** Where the number is, or would be. */
  #position(seq: number): number {
    let low = 0;
    let high = this.#items.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#items[middle]!.seq < seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
