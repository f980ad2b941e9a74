/** Values by key, in the order of the keys where somebody asks for it: for stores that have their keys in memory. */
import { compareKeys, selectKeys } from './key.ts';
import type { KeyRange } from './store.ts';

export class Table<V> {
  readonly values = new Map<string, V>();
  /** Sorted on demand: a journal writes for hours and is read in order once. */
  #keys: string[] | undefined;

  set(key: string, value: V | undefined): void {
    if (this.values.has(key) !== (value !== undefined)) this.#keys = undefined;
    if (value !== undefined) this.values.set(key, value);
    else this.values.delete(key);
  }

  /** The entries of the range, as they are now. */
  select(range: KeyRange): (readonly [key: string, value: V])[] {
    this.#keys ??= [...this.values.keys()].sort(compareKeys);
    return selectKeys(this.#keys, range).map((key) => [key, this.values.get(key)!] as const);
  }
}
