/** Values by key on the map side, which the combiner makes few of whenever they are many. */
import { MapReduceError } from '../errors.ts';
import { canonical, compareKeys } from '../records/keys.ts';
import { owned, Scale } from '../records/size.ts';
import { type Values, ValuesInMemory } from '../records/values.ts';
import { type Emit, isThenable } from './context.ts';

/** Values of a key that wait for the combiner. */
const MANY = 32;
/** Bytes of an entry beside its key and values. */
const ENTRY = 160;

class Entry {
  readonly key: unknown;
  readonly values: unknown[];
  count = 1;
  /** It is combined when it has so many: more than `MANY` where the combiner leaves many. */
  many = MANY;

  constructor(key: unknown, value: unknown) {
    this.key = key;
    this.values = [value];
  }
}

/** `emit` is what the combiner gets as `ctx.emit`. */
export type Combiner = (key: unknown, values: Values<unknown>) => unknown;

export class CombiningTable {
  readonly #combine: Combiner;
  #entries = new Map<unknown, Entry>();
  /** Keys that are no primitive values, by a text that equal ones share. */
  #composite = new Map<string, Entry>();
  #scale = new Scale();
  #bytes = 0;
  #combined: unknown[] = [];
  #current: Entry | undefined;
  /** Values that went into the combiner, and came out of it. */
  readonly counts = { in: 0, out: 0 };

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
    const entry =
      typeof key === 'object' && key !== null ? this.#composite.get(canonical(key)) : this.#entries.get(key);
    if (entry === undefined) {
      this.#enter(key, value);
      return;
    }
    if (typeof value === 'number') entry.values[entry.count++] = value;
    else {
      entry.values[entry.count++] = owned(value);
      this.#bytes += this.#scale.weigh(value);
    }
    if (entry.count >= entry.many) this.#shrink(entry);
  }

  #enter(given: unknown, value: unknown): void {
    const key = owned(given);
    const entry = new Entry(key, owned(value));
    if (typeof key === 'object' && key !== null) this.#composite.set(canonical(key), entry);
    else this.#entries.set(key, entry);
    this.#bytes += ENTRY + this.#scale.weigh(key) + this.#scale.weigh(value);
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
    const { key, values, count } = entry;
    if (count === 0) return;
    values.length = count;
    this.#current = entry;
    try {
      const returned = this.#combine(key, new ValuesInMemory(values));
      if (isThenable(returned)) {
        Promise.resolve(returned).catch(() => {});
        throw new MapReduceError(
          'combine returned a promise: a combiner is synchronous. Read its values with for … of',
        );
      }
      if (returned !== undefined) this.#combined.push(returned);
    } finally {
      this.#current = undefined;
    }
    const combined = this.#combined;
    this.counts.in += count;
    this.counts.out += combined.length;
    if (typeof values[0] !== 'number') for (let i = 0; i < count; i++) this.#bytes -= this.#scale.weigh(values[i]);
    for (let i = 0; i < combined.length; i++) {
      entry.values[i] = combined[i];
      if (typeof combined[i] !== 'number') this.#bytes += this.#scale.weigh(combined[i]);
    }
    entry.count = combined.length;
    if (entry.count > entry.many >> 1) entry.many *= 2;
    combined.length = 0;
  }

  /** Combines all that waits, so that it takes less memory. */
  shrink(): void {
    for (const entry of this.#all()) if (entry.count > 1) this.#shrink(entry);
  }

  /** Combines all that waits, and gives it away. */
  take(each: (key: unknown, value: unknown) => void): void {
    for (const entry of this.#all()) {
      if (entry.count > 1) this.#shrink(entry);
      for (let i = 0; i < entry.count; i++) each(entry.key, entry.values[i]);
    }
    this.#entries = new Map();
    this.#composite = new Map();
    this.#bytes = 0;
  }

  *#all(): Generator<Entry> {
    yield* this.#entries.values();
    yield* this.#composite.values();
  }
}
