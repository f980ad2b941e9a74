/** Where to find tuples by the value of one field, and in the order of these values once somebody asks for a range. */
import { keyOf } from '../forms.ts';
import { type Entry, type FieldName, fieldOf, hasField } from './entry.ts';
import type { RangeTest } from './matcher.ts';
import { SeqList } from './seq-list.ts';
import { type Key, SortedKeys } from './sorted-keys.ts';

/** Most values are those of one tuple alone, which needs no list. */
export type Bucket = Entry | SeqList<Entry>;

const ORDERED = new Set(['number', 'string', 'bigint']);

export class FieldIndex {
  readonly #field: FieldName;
  readonly #buckets = new Map<unknown, Bucket>();
  /** By type. */
  readonly #sorted = new Map<string, SortedKeys>();

  constructor(field: FieldName, entries: Iterable<Entry>) {
    this.#field = field;
    for (const entry of entries) this.add(entry);
  }

  get(value: Parameters<typeof keyOf>[0]): Bucket | undefined {
    return this.#buckets.get(keyOf(value));
  }

  /** @param back it was here before */
  add(entry: Entry, back = false): void {
    if (!hasField(entry.tuple, this.#field)) return;
    const key = keyOf(fieldOf(entry.tuple, this.#field));
    const bucket = this.#buckets.get(key);
    if (bucket === undefined) {
      this.#buckets.set(key, entry);
      if (this.#sorted.size && isKey(key)) this.#sorted.get(typeof key)?.add(key);
    } else if (bucket instanceof SeqList) {
      if (back) bucket.restore(entry);
      else bucket.push(entry);
    } else {
      const list = new SeqList<Entry>();
      list.push(bucket);
      list.restore(entry);
      this.#buckets.set(key, list);
    }
  }

  remove(entry: Entry): void {
    if (!hasField(entry.tuple, this.#field)) return;
    const key = keyOf(fieldOf(entry.tuple, this.#field));
    const bucket = this.#buckets.get(key);
    if (bucket instanceof SeqList) bucket.removed();
    if (bucket instanceof SeqList && bucket.size) return;
    this.#buckets.delete(key);
    if (this.#sorted.size && isKey(key)) this.#sorted.get(typeof key)?.remove(key);
  }

  /** All that have a value within the range, value by value. */
  *within(range: RangeTest): Generator<Entry> {
    for (const key of this.#keys(typeof (range.low ?? range.high)).between(range.low, range.high)) {
      const bucket = this.#buckets.get(key)!;
      if (bucket instanceof SeqList) yield* bucket.each();
      else yield bucket;
    }
  }

  #keys(type: string): SortedKeys {
    let sorted = this.#sorted.get(type);
    if (!sorted) {
      const keys = [...this.#buckets.keys()].filter((key): key is Key => typeof key === type && isKey(key));
      this.#sorted.set(type, (sorted = new SortedKeys(keys)));
    }
    return sorted;
  }
}

export const sizeOf = (bucket: Bucket | undefined): number =>
  bucket === undefined ? 0 : bucket instanceof SeqList ? bucket.size : 1;

/** NaN is in no range, and stands nowhere. */
function isKey(key: unknown): key is Key {
  return ORDERED.has(typeof key) && !Number.isNaN(key);
}
