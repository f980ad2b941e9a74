/**
 * Those who wait for a tuple, where a new one finds them: by the value of a field that their template gives, so that a tuple meets
 * only few of those whom it does not concern.
 */
import { type FieldForm, keyOf, type TupleForm } from '../forms.ts';
import { type FieldName, fieldOf, hasField, type Shape, shapeOf } from './entry.ts';
import type { Matcher } from './matcher.ts';
import { type Placed, SeqList } from './seq-list.ts';

export interface Waiter extends Placed {
  /** Several for one that wants several tuples at once. */
  readonly matchers: readonly Matcher[];
  /** Readers get a copy, takers the tuple. */
  readonly takes: boolean;
  /** Where it waits: filled in by `add`. */
  readonly places: SeqList<Waiter>[];
}

/** Those who wait at one place. */
interface Queue {
  readonly readers: SeqList<Waiter>;
  readonly takers: SeqList<Waiter>;
}

class Bench {
  readonly everything: Queue = queue();
  readonly byField = new Map<FieldName, Map<unknown, Queue>>();

  /** Of the values that the template gives, the one that fewest wait for; later fields tell more than first ones, mostly. */
  placeFor({ equal }: Matcher): Queue {
    let best: { field: FieldName; value: FieldForm; size: number } | undefined;
    for (const { field, values } of equal) {
      if (values.length !== 1) continue;
      const there = this.byField.get(field)?.get(keyOf(values[0]));
      const size = there ? there.readers.size + there.takers.size : 0;
      if (!best || size <= best.size) best = { field, value: values[0], size };
    }
    if (!best) return this.everything;
    let field = this.byField.get(best.field);
    if (!field) this.byField.set(best.field, (field = new Map()));
    const key = keyOf(best.value);
    let place = field.get(key);
    if (!place) field.set(key, (place = queue()));
    return place;
  }

  /** Where somebody may wait for this tuple. */
  *placesOf(tuple: TupleForm): Generator<Queue> {
    yield this.everything;
    for (const [field, places] of this.byField) {
      if (!hasField(tuple, field)) continue;
      const key = keyOf(fieldOf(tuple, field));
      const place = places.get(key);
      if (!place) continue;
      if (place.readers.size || place.takers.size) yield place;
      else places.delete(key);
    }
  }

  *all(): Generator<Waiter> {
    for (const { readers, takers } of [
      this.everything,
      ...[...this.byField.values()].flatMap((f) => [...f.values()]),
    ]) {
      yield* readers.each();
      yield* takers.each();
    }
  }

  /** Places that nobody waits at any more would pile up, if no tuple ever came there. */
  sweep(): void {
    for (const [field, places] of this.byField) {
      for (const [key, { readers, takers }] of places) if (!readers.size && !takers.size) places.delete(key);
      if (!places.size) this.byField.delete(field);
    }
  }
}

/** Waiters that come between two sweeps, at least. */
const SWEEP = 10_000;

export class Waiters {
  readonly #benches = new Map<Shape, Bench>();
  #size = 0;
  #untilSweep = SWEEP;

  get size(): number {
    return this.#size;
  }

  /** They have come in the order of their numbers. */
  add(waiter: Waiter): void {
    waiter.alive = true;
    this.#size++;
    for (const matcher of waiter.matchers) {
      let bench = this.#benches.get(matcher.shape);
      if (!bench) this.#benches.set(matcher.shape, (bench = new Bench()));
      const place = bench.placeFor(matcher);
      const list = waiter.takes ? place.takers : place.readers;
      if (waiter.places.includes(list)) continue;
      waiter.places.push(list);
      list.push(waiter);
    }
    if (--this.#untilSweep > 0) return;
    for (const bench of this.#benches.values()) bench.sweep();
    this.#untilSweep = Math.max(SWEEP, this.#size);
  }

  remove(waiter: Waiter): void {
    if (!waiter.alive) return;
    waiter.alive = false;
    this.#size--;
    for (const list of waiter.places.splice(0)) list.removed();
  }

  all(): Waiter[] {
    return [...new Set([...this.#benches.values()].flatMap((bench) => [...bench.all()]))];
  }

  /** All readers who wait for this tuple wait no longer. */
  readers(tuple: TupleForm): Waiter[] {
    const found: Waiter[] = [];
    for (const { readers } of this.#places(tuple))
      if (readers.size) for (const reader of readers.each()) if (wants(reader, tuple)) found.push(reader);
    for (const reader of found) this.remove(reader);
    return found.sort((a, b) => a.seq - b.seq);
  }

  /** The oldest taker who waits for this tuple and has all that it needs. It goes on waiting until it is removed. */
  taker(tuple: TupleForm, ready: (taker: Waiter) => boolean): Waiter | undefined {
    let best: Waiter | undefined;
    for (const { takers } of this.#places(tuple)) {
      if (!takers.size) continue;
      const found = takers.first((taker) => (!best || taker.seq < best.seq) && wants(taker, tuple) && ready(taker));
      best = found ?? best;
    }
    return best;
  }

  #places(tuple: TupleForm): Iterable<Queue> {
    if (!this.#size) return [];
    return this.#benches.get(shapeOf(tuple))?.placesOf(tuple) ?? [];
  }
}

function queue(): Queue {
  return { readers: new SeqList(), takers: new SeqList() };
}

function wants({ matchers }: Waiter, tuple: TupleForm): boolean {
  return matchers.some((matcher) => matcher.fits(tuple));
}
