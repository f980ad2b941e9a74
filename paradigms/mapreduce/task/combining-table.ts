/** Values by key on the map side, which the combiner makes few of whenever they are many. */
import { MapReduceError } from '../errors.ts';
import { canonical, compareKeys } from '../records/keys.ts';
import { owned, Scale } from '../records/size.ts';
import { type Values, ValuesInMemory } from '../records/values.ts';
import { type Emit, isThenable } from './context.ts';

/** Values of a key that wait for the combiner. Numbers do not: a call costs less than a list. */
const MANY = 32;
/** Bytes of an entry beside its key and value. */
const ENTRY = 128;
/** Places for entries that were met lately; one more for keys that have none of their own. */
const SLOTS = 1 << 14;
const NO_SLOT = SLOTS;
const PRIME = 0x01000193;
/** Stands where the combiner has left no value. */
const NONE = Symbol('none');

class Entry {
  readonly key: unknown;
  /** The only value, as long as there are no `values`. */
  first: unknown;
  values: unknown[] | undefined = undefined;
  /** It is combined when it has so many: more than `MANY` where the combiner leaves many. */
  many = MANY;

  constructor(key: unknown, value: unknown) {
    this.key = key;
    this.first = value;
  }
}

/** `emit` is what the combiner gets as `ctx.emit`. */
export type Combiner = (key: unknown, values: Values<unknown>) => unknown;

export class CombiningTable {
  readonly #combine: Combiner;
  #entries = new Map<unknown, Entry>();
  /** Keys that are no primitive values, by a text that equal ones share. */
  #composite = new Map<string, Entry>();
  /** Those that were met lately, by some characters of their key: frequent words are found here, faster than in the map. */
  #recent = new Array<Entry | undefined>(SLOTS + 1).fill(undefined);
  #scale = new Scale();
  #bytes = 0;
  #combined: unknown[] = [];
  #current: Entry | undefined;

  constructor(combine: Combiner) {
    this.#combine = combine;
  }

  /** About how much memory it takes. */
  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#entries.size + this.#composite.size;
  }

  add(key: unknown, value: unknown): void {
    const slot = typeof key === 'string' && key !== '' ? slotOf(key) : NO_SLOT;
    let entry = this.#recent[slot];
    if (entry === undefined || entry.key !== key || typeof key === 'object') {
      entry = this.#find(key);
      if (entry === undefined) {
        this.#recent[slot] = this.#enter(key, value);
        return;
      }
      this.#recent[slot] = entry;
    }
    if (typeof value === 'number' && typeof entry.first === 'number') {
      this.#call(entry, [entry.first, value]);
      return;
    }
    this.#bytes += this.#scale.weigh(value);
    if (entry.values) {
      if (entry.values.push(owned(value)) >= entry.many) this.#shrink(entry);
    } else if (entry.first === NONE) entry.first = owned(value);
    else {
      entry.values = [entry.first, owned(value)];
      entry.first = undefined;
    }
  }

  #find(key: unknown): Entry | undefined {
    return typeof key === 'object' && key !== null ? this.#composite.get(canonical(key)) : this.#entries.get(key);
  }

  #enter(given: unknown, value: unknown): Entry {
    const key = owned(given);
    const entry = new Entry(key, owned(value));
    if (typeof key === 'object' && key !== null) this.#composite.set(canonical(key), entry);
    else this.#entries.set(key, entry);
    this.#bytes += ENTRY + this.#scale.weigh(key) + this.#scale.weigh(value);
    return entry;
  }

  /** For the combiner. */
  readonly emit: Emit = (key, value) => {
    const current = this.#current;
    if (!current) throw new MapReduceError('combine emits while it is called, and not later: it is synchronous');
    if (key !== current.key && compareKeys(key, current.key) !== 0)
      throw new MapReduceError(
        `combine emits under the key that it is given, ${String(current.key)}; it emitted ${String(key)}`,
      );
    this.#combined.push(value);
  };

  #shrink(entry: Entry): void {
    const { values } = entry;
    if (!values) return;
    for (const value of values) this.#bytes -= this.#scale.weigh(value);
    this.#call(entry, values);
    for (const value of entry.values ?? []) this.#bytes += this.#scale.weigh(value);
    if (!entry.values) this.#bytes += this.#scale.weigh(entry.first);
  }

  #call(entry: Entry, values: readonly unknown[]): void {
    this.#current = entry;
    const returned = this.#combine(entry.key, new ValuesInMemory(values));
    this.#current = undefined;
    const combined = this.#combined;
    if (combined.length === 0 && typeof returned === 'number') {
      entry.first = returned;
      entry.values = undefined;
      return;
    }
    if (isThenable(returned)) {
      Promise.resolve(returned).catch(() => {});
      throw new MapReduceError('combine returned a promise: a combiner is synchronous. Read its values with for … of');
    }
    if (returned !== undefined) combined.push(returned);
    const { length } = combined;
    entry.first = length === 1 ? combined[0] : length ? undefined : NONE;
    entry.values = length > 1 ? combined.slice() : undefined;
    while (length > entry.many >> 1) entry.many *= 2;
    combined.length = 0;
  }

  /** Combines all that waits, so that it takes less memory. */
  shrink(): void {
    for (const entry of this.#all()) this.#shrink(entry);
  }

  /** Combines all that waits, and gives it away. */
  take(each: (key: unknown, value: unknown) => void): void {
    for (const entry of this.#all()) {
      this.#shrink(entry);
      const { key, first, values } = entry;
      if (values) for (const value of values) each(key, value);
      else if (first !== NONE) each(key, first);
    }
    this.#entries = new Map();
    this.#composite = new Map();
    this.#recent.fill(undefined);
    this.#bytes = 0;
  }

  *#all(): Generator<Entry> {
    yield* this.#entries.values();
    yield* this.#composite.values();
  }
}

/** Five characters of it, and how long it is: that much tells most words apart. */
function slotOf(key: string): number {
  const { length } = key;
  let bits = Math.imul(length ^ key.charCodeAt(0), PRIME);
  bits = Math.imul(bits ^ key.charCodeAt(length >> 2), PRIME);
  bits = Math.imul(bits ^ key.charCodeAt(length >> 1), PRIME);
  bits = Math.imul(bits ^ key.charCodeAt((3 * length) >> 2), PRIME);
  bits = Math.imul(bits ^ key.charCodeAt(length - 1), PRIME);
  return ((bits ^ (bits >>> 15)) >>> 3) & (SLOTS - 1);
}
