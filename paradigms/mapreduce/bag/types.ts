import type { OutputOptions } from '../output/index.ts';
import type { JobSummary } from '../types.ts';
import type { BagOptions, Run } from './execution.ts';
import type { JoinKind } from './wide.ts';

type Result<T> = T | PromiseLike<T>;
type Many<T> = Iterable<T> | AsyncIterable<T>;

export interface Reducers {
  /** Partitions of the result. Default: as many as engines. */
  reducers?: number;
}
export interface SortOptions<K> extends Reducers {
  /** Default: numbers by value, texts by code unit. */
  compare?: (a: K, b: K) => number;
  descending?: boolean;
}

/**
 * Records, or how to come by them: nothing runs before `collect`, `take`, `count`, `to` or the like, or iterating, asks for them; each time
 * anew. Functions travel to the engines with what they capture, and may be asynchronous where they are called with one record.
 *
 * Methods for keys take bags of pairs `[key, value]`. Keys are equal by value: numbers, texts, lists, plain objects.
 */
export interface Bag<T> extends AsyncIterable<T> {
  map<K, V>(f: (record: T) => Result<[K, V]>): Bag<[K, V]>;
  map<U>(f: (record: T) => Result<U>): Bag<U>;
  flatMap<K, V>(f: (record: T) => Result<Many<[K, V]>>): Bag<[K, V]>;
  flatMap<U>(f: (record: T) => Result<Many<U>>): Bag<U>;
  filter<U extends T>(f: (record: T) => record is U): Bag<U>;
  filter(f: (record: T) => Result<unknown>): Bag<T>;
  /** `f` is called once for each partition that has records, and reads as many as it wants. */
  mapPartitions<K, V>(f: (records: AsyncIterable<T>) => Many<[K, V]>): Bag<[K, V]>;
  mapPartitions<U>(f: (records: AsyncIterable<T>) => Many<U>): Bag<U>;

  keyBy<K>(f: (record: T) => Result<K>): Bag<[K, T]>;
  keys<K>(this: Bag<[K, any]>): Bag<K>;
  values<V>(this: Bag<[any, V]>): Bag<V>;
  mapValues<K, V, W>(this: Bag<[K, V]>, f: (value: V) => Result<W>): Bag<[K, W]>;
  /** Makes one value of two, again and again, on the side of the map too: `f` is associative, and the order does not matter. */
  reduceByKey<K, V>(this: Bag<[K, V]>, f: (a: V, b: V) => V, options?: Reducers): Bag<[K, V]>;
  /**
   * Each value is added to a new `zero()`, and those are merged: so `zero()` changes nothing when it is merged. `add` and `merge` may change
   * and return their first argument.
   */
  aggregateByKey<K, V, A>(
    this: Bag<[K, V]>,
    zero: () => A,
    add: (sum: A, value: V) => A,
    merge: (a: A, b: A) => A,
    options?: Reducers,
  ): Bag<[K, A]>;
  /** All values of a key are in memory at once. Where they are to become one, `reduceByKey` is much faster. */
  groupByKey<K, V>(this: Bag<[K, V]>, options?: Reducers): Bag<[K, V[]]>;
  /** Pairs of values of equal keys; of one key, the values of this bag are in memory, those of the other one need not be. */
  join<K, V, W>(this: Bag<[K, V]>, other: Bag<[K, W]>, how?: 'inner', options?: Reducers): Bag<[K, [V, W]]>;
  join<K, V, W>(this: Bag<[K, V]>, other: Bag<[K, W]>, how: 'left', options?: Reducers): Bag<[K, [V, W | undefined]]>;
  join<K, V, W>(this: Bag<[K, V]>, other: Bag<[K, W]>, how: 'right', options?: Reducers): Bag<[K, [V | undefined, W]]>;
  join<K, V, W>(
    this: Bag<[K, V]>,
    other: Bag<[K, W]>,
    how: JoinKind,
    options?: Reducers,
  ): Bag<[K, [V | undefined, W | undefined]]>;
  cogroup<K, V, W>(this: Bag<[K, V]>, other: Bag<[K, W]>, options?: Reducers): Bag<[K, [V[], W[]]]>;
  sortByKey<K, V>(this: Bag<[K, V]>, options?: SortOptions<K>): Bag<[K, V]>;

  /** By keys that need not be different. Partitions one after the other are in order, too. */
  sortBy<K>(f: (record: T) => Result<K>, options?: SortOptions<K>): Bag<T>;
  distinct(options?: Reducers): Bag<T>;
  /** About this part of the records: for the same input, splits and seed always the same ones. */
  sample(fraction: number, seed?: number): Bag<T>;
  /** In the order in which `collect` gives them. Works the bag out, to know how many records each partition has. */
  zipWithIndex(): Bag<[T, number]>;
  /** The first record, then `f` of what was before and each next one, in the order of `collect`: running totals. `f` is associative. */
  accumulate(f: (sum: T, record: T) => T): Bag<T>;
  union<U extends unknown[]>(...others: { [I in keyof U]: Bag<U[I]> }): Bag<T | U[number]>;
  /** Deals the records out to so many partitions. */
  repartition(partitions: number): Bag<T>;

  collect(): Promise<T[]>;
  /** The first ones. Reads no more of the input than it takes, as long as nothing is sorted, grouped or joined. */
  take(n: number): Promise<T[]>;
  /** The largest ones, by number or text, or by `compare`: positive if the first one is larger. In order, the largest first. */
  topK(n: number, compare?: (a: T, b: T) => number): Promise<T[]>;
  count(): Promise<number>;
  /** Folds each partition, beginning with `zero()`, and merges what came out, in order: so `zero()` has to change nothing. */
  fold<A>(zero: () => A, add: (sum: A, record: T) => Result<A>, merge: (a: A, b: A) => A): Promise<A>;
  /** Works the bag out, and leaves its records on the engines, for as many questions as you have, until it is closed. */
  keep(): Promise<KeptBag<T>>;
  /** Part files, a record a line; as text, pairs by key are key, tab, value. */
  to(dir: string, options?: OutputOptions): Promise<JobSummary>;
}

export interface KeptBag<T> extends Bag<T>, AsyncDisposable {
  close(): Promise<void>;
}

export type { BagOptions, JoinKind, Run };
