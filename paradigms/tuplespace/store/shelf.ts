/**
 * Tuples of one shape in the order in which they came, with indexes over their fields. An index is made by the first search that
 * would otherwise have looked at many tuples for nothing, and kept from then on.
 */
import type { Entry, FieldName } from './entry.ts';
import { type Bucket, FieldIndex, sizeOf } from './field-index.ts';
import type { EqualTest, Matcher, RangeTest } from './matcher.ts';
import { SeqList } from './seq-list.ts';

export type Order = 'fifo' | 'lifo' | 'random';

/** So many are looked at one by one sooner than anything is indexed for them. */
const FEW = 64;
/** Tries at random before all that match are looked for. */
const TRIES = 8;

export class Shelf {
  readonly #order: Order;
  readonly #all = new SeqList<Entry>();
  readonly #indexes = new Map<FieldName, FieldIndex>();

  constructor(order: Order) {
    this.#order = order;
  }

  get size(): number {
    return this.#all.size;
  }

  at(seq: number): Entry | undefined {
    return this.#all.at(seq);
  }

  each(): Iterable<Entry> {
    return this.#all.each();
  }

  push(entry: Entry): void {
    entry.alive = true;
    this.#all.push(entry);
    if (this.#indexes.size) for (const index of this.#indexes.values()) index.add(entry);
  }

  restore(entry: Entry): void {
    entry.alive = true;
    this.#all.restore(entry);
    for (const index of this.#indexes.values()) index.add(entry, true);
  }

  remove(entry: Entry): void {
    entry.alive = false;
    this.#all.removed();
    if (this.#indexes.size) for (const index of this.#indexes.values()) index.remove(entry);
  }

  /** The one whose turn it is among those that match. */
  find(matcher: Matcher): Entry | undefined {
    const near = this.#near(matcher);
    if (near) return near;
    const { buckets, count, by } = this.#candidates(matcher);
    if (count > FEW && matcher.ranges.length) return this.#inRange(matcher, matcher.ranges[0]!, buckets);
    const sure = by !== undefined && matcher.isOnly(by);
    if (buckets.length === 1) return this.#pick(buckets[0]!, matcher, sure);
    const found = buckets.map((bucket) => this.#pick(bucket, matcher, sure)).filter((entry) => entry !== undefined);
    if (this.#order === 'random') return found[Math.floor(Math.random() * found.length)];
    return found.reduce<Entry | undefined>((best, entry) => this.#better(entry, best), undefined);
  }

  /** Among the first few: a queue, for one, needs no index. */
  #near({ equal, ranges, test }: Matcher): Entry | undefined {
    if (this.#order === 'random') return undefined;
    if (this.#indexes.size)
      for (const tests of [equal, ranges])
        for (const { field } of tests) if (this.#indexes.has(field)) return undefined;
    return this.#order === 'fifo' ? this.#all.first(test, FEW) : this.#all.last(test, FEW);
  }

  /** All that match, in the order in which they came. */
  all(matcher: Matcher, limit = Number.POSITIVE_INFINITY): Entry[] {
    const { buckets, count } = this.#candidates(matcher);
    const range = matcher.ranges[0];
    const found: Entry[] = [];
    if (range && count > FEW) {
      // One of its values after the other, out of order; what comes first in time may be the last here.
      for (const entry of this.#index(range.field).within(range)) if (matcher.matches(entry.tuple)) found.push(entry);
    } else {
      for (const bucket of buckets) {
        let left = limit;
        for (const entry of entriesOf(bucket, false)) {
          if (!matcher.matches(entry.tuple)) continue;
          found.push(entry);
          if (--left <= 0) break;
        }
      }
      if (buckets.length === 1) return found;
    }
    found.sort((a, b) => a.seq - b.seq);
    return found.length > limit ? found.slice(0, limit) : found;
  }

  /** The fewest tuples that are sure to hold all that match, and the test whose index has found them. */
  #candidates({ equal }: Matcher): { buckets: readonly Bucket[]; count: number; by?: EqualTest | undefined } {
    let buckets: readonly Bucket[] = [this.#all];
    let count = this.#all.size;
    let by: EqualTest | undefined;
    if (count <= FEW) return { buckets, count };
    const consider = (test: EqualTest, index: FieldIndex): void => {
      const found = index.of(test.values);
      let size = 0;
      for (const bucket of found) size += sizeOf(bucket);
      if (size >= count) return;
      buckets = found;
      count = size;
      by = test;
    };
    for (const test of equal) {
      const index = this.#indexes.get(test.field);
      if (index) consider(test, index);
    }
    for (const test of equal) {
      if (count <= FEW) break;
      if (!this.#indexes.has(test.field)) consider(test, this.#index(test.field));
    }
    return { buckets, count, by };
  }

  #index(field: FieldName): FieldIndex {
    let index = this.#indexes.get(field);
    if (!index) this.#indexes.set(field, (index = new FieldIndex(field, this.#all.each(), this.#order === 'lifo')));
    return index;
  }

  /** @param sure all of the bucket match: a look at a tuple would cost more than all else, where there are many */
  #pick(bucket: Bucket, matcher: Matcher, sure: boolean): Entry | undefined {
    if (!(bucket instanceof SeqList)) return sure || matcher.matches(bucket.tuple) ? bucket : undefined;
    const test = sure ? undefined : matcher.test;
    if (this.#order === 'fifo') return bucket.first(test);
    if (this.#order === 'lifo') return bucket.last(test);
    for (let i = 0; i < TRIES; i++) {
      const entry = bucket.random();
      if (entry && (sure || matcher.matches(entry.tuple))) return entry;
    }
    const all = [...bucket.each()].filter(matcher.test);
    return all[Math.floor(Math.random() * all.length)];
  }

  /**
   * The first of the range is found at once. If it fails at another field, it goes on in the order of time and in that of values by
   * turns: a wide range has a match among the first in time, a narrow one has few values.
   */
  #inRange(matcher: Matcher, range: RangeTest, buckets: readonly Bucket[]): Entry | undefined {
    const first = this.#order === 'random' ? undefined : this.#index(range.field).best(range);
    if (first ? matcher.isOnly(range) || matcher.matches(first.tuple) : this.#order !== 'random') return first;
    const inOrder = buckets.length === 1 && this.#order !== 'random' ? this.#inOrder(buckets[0]!) : undefined;
    const byValue = this.#index(range.field).within(range);
    let best: Entry | undefined;
    let seen = 0;
    for (let steps = FEW; ; steps *= 2) {
      for (let i = 0; i < steps; i++) {
        const { done, value } = byValue.next();
        if (done) return best;
        if (!matcher.matches(value.tuple)) continue;
        // Each of those seen so far is as likely as the others.
        if (this.#order !== 'random') best = this.#better(value, best);
        else if (Math.random() * ++seen < 1) best = value;
      }
      for (let i = 0; inOrder && i < steps; i++) {
        const { done, value } = inOrder.next();
        if (done) return best;
        if (matcher.matches(value.tuple)) return value;
      }
    }
  }

  #inOrder(bucket: Bucket): Generator<Entry> {
    return entriesOf(bucket, this.#order === 'lifo');
  }

  #better(entry: Entry, best: Entry | undefined): Entry {
    if (!best) return entry;
    return entry.seq < best.seq === (this.#order === 'fifo') ? entry : best;
  }
}

function* entriesOf(bucket: Bucket, newestFirst: boolean): Generator<Entry> {
  if (bucket instanceof SeqList) yield* bucket.each(newestFirst);
  else yield bucket;
}
