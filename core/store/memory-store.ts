/** Stores in the memory of this process: nothing outlives the provider. For tests, and for what need not be durable. */
import { StoreConflictError, StoreError } from '../errors.ts';
import { checkChanges, keyBytes, nameBytes } from './key.ts';
import type { Change, KeyRange, Store, StoreProvider } from './store.ts';
import { Table } from './table.ts';

/** Entries that an iteration reads in one turn of the event loop. */
const TURN = 500;

/** Stores that live as long as this provider. */
export function memoryStores(): StoreProvider {
  const tables = new Map<string, Table<Uint8Array>>();
  let closed = false;
  return {
    async open(name) {
      nameBytes(name);
      if (closed) throw new StoreError(`The provider is closed; open the store '${name}' with another`);
      let table = tables.get(name);
      if (!table) tables.set(name, (table = new Table()));
      return new MemoryStore(name, table, () => closed);
    },
    async close() {
      closed = true;
      tables.clear();
    },
  };
}

class MemoryStore implements Store {
  readonly #name: string;
  readonly #table: Table<Uint8Array>;
  readonly #gone: () => boolean;
  #closed = false;

  constructor(name: string, table: Table<Uint8Array>, gone: () => boolean) {
    this.#name = name;
    this.#table = table;
    this.#gone = gone;
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    this.#check();
    keyBytes(key);
    const value = this.#table.values.get(key);
    return value && copy(value);
  }

  async write(changes: readonly Change[]): Promise<void> {
    this.#check();
    checkChanges(changes);
    for (const { key, expected } of changes) {
      if (expected === undefined) continue;
      const found = this.#table.values.get(key);
      const same = expected === null ? !found : found && Buffer.compare(found, expected) === 0;
      if (!same) throw conflict(this.#name, key);
    }
    for (const { key, value } of changes) this.#table.set(key, value && copy(value));
  }

  async *entries(range: KeyRange = {}): AsyncGenerator<[string, Uint8Array]> {
    this.#check();
    // Values are never changed in place, so this is the snapshot.
    const found = this.#table.select(range);
    for (const [i, [key, value]] of found.entries()) {
      if (i % TURN === TURN - 1) await new Promise(setImmediate);
      this.#check();
      yield [key, copy(value)];
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  #check(): void {
    if (this.#closed || this.#gone()) throw closedStore(this.#name);
  }
}

/** A plain Uint8Array of its own memory, also of a Buffer. */
export function copy(bytes: Uint8Array): Uint8Array {
  const own = new Uint8Array(bytes.length);
  own.set(bytes);
  return own;
}

export function closedStore(name: string): StoreError {
  return new StoreError(`The store '${name}' is closed; open it again to go on`);
}

export function conflict(name: string, key: string): StoreConflictError {
  return new StoreConflictError(
    `The store '${name}' holds something else at ${JSON.stringify(key)} than this write expects; nothing was written. Another controller may have taken over`,
    key,
  );
}
