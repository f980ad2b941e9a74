/** Tuples, and nothing else: no time, no waiting, nobody's. Matching does not grow with the tuples that cannot match. */
import type { TupleForm } from '../forms.ts';
import { Entry, type Shape, shapeOf } from './entry.ts';
import type { Matcher } from './matcher.ts';
import { type Order, Shelf } from './shelf.ts';

export class TupleStore {
  readonly #order: Order;
  readonly #shelves = new Map<Shape, Shelf>();
  #seq = 0;
  #size = 0;

  constructor(order: Order = 'fifo') {
    this.#order = order;
  }

  get size(): number {
    return this.#size;
  }

  /** Not in it yet. `seq` is given for one from former times: higher than any so far. */
  entry(tuple: TupleForm, seq = this.#seq + 1): Entry {
    this.#seq = seq;
    return new Entry(seq, tuple);
  }

  /** New ones have higher numbers. */
  goOnAfter(seq: number): void {
    this.#seq = Math.max(this.#seq, seq);
  }

  /** A new one, right after it was made. */
  put(entry: Entry): void {
    this.#shelf(entry).push(entry);
    this.#size++;
  }

  /** One that was removed comes back to its place. */
  restore(entry: Entry): void {
    this.#shelf(entry).restore(entry);
    this.#size++;
  }

  remove(entry: Entry): void {
    this.#shelf(entry).remove(entry);
    this.#size--;
  }

  find(matcher: Matcher): Entry | undefined {
    return this.#shelves.get(matcher.shape)?.find(matcher);
  }

  /** The one with this number. */
  at(seq: number): Entry | undefined {
    for (const shelf of this.#shelves.values()) {
      const entry = shelf.at(seq);
      if (entry) return entry;
    }
    return undefined;
  }

  *each(): Generator<Entry> {
    for (const shelf of this.#shelves.values()) yield* shelf.each();
  }

  /** From the oldest. */
  all(matcher: Matcher | undefined, limit?: number): Entry[] {
    if (matcher) return this.#shelves.get(matcher.shape)?.all(matcher, limit) ?? [];
    return [...this.each()].sort((a, b) => a.seq - b.seq).slice(0, limit);
  }

  #shelf({ tuple }: Entry): Shelf {
    const shape = shapeOf(tuple);
    let shelf = this.#shelves.get(shape);
    if (!shelf) this.#shelves.set(shape, (shelf = new Shelf(this.#order)));
    return shelf;
  }
}
