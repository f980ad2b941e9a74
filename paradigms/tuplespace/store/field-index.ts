/** Where to find tuples by the value of one field, and in the order of these values once somebody asks for a range. */
import { type FieldForm, keyOf } from '../forms.ts';
import { type Entry, type FieldName, fieldOf, hasField } from './entry.ts';
import type { RangeTest } from './matcher.ts';
import { SeqList } from './seq-list.ts';
import { SortedKeys } from './sorted-keys.ts';
import type { Key } from './sorted-node.ts';

/** Most values are those of one tuple alone, which needs no list. */
export type Bucket = Entry | SeqList<Entry>;

const ORDERED = new Set(['number', 'string', 'bigint']);

export class FieldIndex {
  readonly #field: FieldName;
  readonly #newestFirst: boolean;
  readonly #buckets = new Map<unknown, Bucket>();
  /** By type; with each key the head of its bucket. */
  readonly #sorted = new Map<string, SortedKeys<Entry>>();

  constructor(field: FieldName, entries: Iterable<Entry>, newestFirst: boolean) {
    this.#field = field;
    this.#newestFirst = newestFirst;
    for (const entry of entries) this.add(entry);
  }

  /** All that have one of these values. */
  of(values: readonly FieldForm[]): readonly Bucket[] {
    if (values.length === 1) {
      const bucket = this.#buckets.get(keyOf(values[0]));
      return bucket ? [bucket] : [];
    }
    const found = new Set<Bucket>();
    for (const value of values) {
      const bucket = this.#buckets.get(keyOf(value));
      if (bucket) found.add(bucket);
    }
    return [...found];
  }

  /** @param back it was here before */
  add(entry: Entry, back = false): void {
    if (!hasField(entry.tuple, this.#field)) return;
    const key = keyOf(fieldOf(entry.tuple, this.#field));
    const bucket = this.#buckets.get(key);
    if (bucket === undefined) this.#buckets.set(key, entry);
    else if (!(bucket instanceof SeqList)) {
      const list = new SeqList<Entry>();
      list.push(bucket);
      list.restore(entry);
      this.#buckets.set(key, list);
    } else if (back) bucket.restore(entry);
    else bucket.push(entry);
    if (this.#sorted.size) this.#rank(key);
  }

  remove(entry: Entry): void {
    if (!hasField(entry.tuple, this.#field)) return;
    const key = keyOf(fieldOf(entry.tuple, this.#field));
    const bucket = this.#buckets.get(key);
    if (bucket instanceof SeqList) bucket.removed();
    if (!(bucket instanceof SeqList && bucket.size)) this.#buckets.delete(key);
    if (this.#sorted.size) this.#rank(key);
  }

  /** Of all that have a value within the range, the one whose turn it is. */
  best({ low, high }: RangeTest): Entry | undefined {
    return this.#keys(typeof (low ?? high)).best(low, high);
  }

  /** All that have a value within the range, value by value. */
  *within({ low, high }: RangeTest): Generator<Entry> {
    for (const key of this.#keys(typeof (low ?? high)).between(low, high)) {
      const bucket = this.#buckets.get(key)!;
      if (bucket instanceof SeqList) yield* bucket.each();
      else yield bucket;
    }
  }

  #keys(type: string): SortedKeys<Entry> {
    let sorted = this.#sorted.get(type);
    if (!sorted) {
      const keys = [...this.#buckets.keys()].filter((key): key is Key => typeof key === type && isKey(key));
      const rankOf = this.#newestFirst ? ({ seq }: Entry) => -seq : ({ seq }: Entry) => seq;
      sorted = new SortedKeys(keys, (key) => this.#head(this.#buckets.get(key)!), rankOf);
      this.#sorted.set(type, sorted);
    }
    return sorted;
  }

  /** The bucket has changed. */
  #rank(key: unknown): void {
    const sorted = this.#sorted.get(typeof key);
    if (!sorted || !isKey(key)) return;
    const bucket = this.#buckets.get(key);
    if (bucket) sorted.set(key, this.#head(bucket));
    else sorted.delete(key);
  }

  #head(bucket: Bucket): Entry {
    if (!(bucket instanceof SeqList)) return bucket;
    return (this.#newestFirst ? bucket.last() : bucket.first())!;
  }
}

export const sizeOf = (bucket: Bucket | undefined): number =>
  bucket === undefined ? 0 : bucket instanceof SeqList ? bucket.size : 1;

/** NaN is in no range, and stands nowhere. */
function isKey(key: unknown): key is Key {
  return ORDERED.has(typeof key) && !Number.isNaN(key);
}
