/**
 * Stores on disk, in one lmdb environment: one folder, one process. Commits are made on a thread of their own
 * (`lmdb-writer.ts`); reads are lookups in mapped memory, on the calling thread.
 *
 * All stores share one tree, so that what several paradigms write at the same time is one commit. A key in it is the length
 * of the store's name in one byte, the name, the key.
 */
import path from 'node:path';
import { StoreCorruptError, StoreError, StoreFullError, UsageError } from '../errors.ts';
import { checkChanges, checkRange, keyBytes, nameBytes } from './key.ts';
import { Commits } from './lmdb-commits.ts';
import { DATA_FILE, type Environment, openEnvironment } from './lmdb-environment.ts';
import { type Outcome, unsealed } from './lmdb-writer.ts';
import { closedStore, conflict } from './memory-store.ts';
import type { Change, KeyRange, Store, StoreProvider } from './store.ts';
import { openFolder, type StoreFolder } from './store-folder.ts';

export interface LmdbOptions {
  /**
   * Whether a write waits until the disk has it (fdatasync), which is the default. What has resolved then survives the loss
   * of power, as far as the disk keeps its promises. With `false` it survives the end of this process in any way, kill -9
   * included; when the machine goes down, up to the last 30 seconds or so may be lost, or the store be damaged.
   */
  readonly sync?: boolean | undefined;
  /**
   * Bytes that the data file may use, at least 1 MiB; without it, what the disk has. Of this, 256 kB are kept for removals. The
   * file itself may become somewhat longer, by pages that are not free for use again yet.
   */
  readonly maxBytes?: number | undefined;
}

const SMALLEST = 1024 * 1024;
/** Entries that an iteration reads in one turn of the event loop. */
const TURN = 500;

/** Stores in a folder of their own, which is made if need be and belongs to this process until `close`. */
export function lmdbStores(folder: string, options: LmdbOptions = {}): StoreProvider {
  const { sync = true, maxBytes = Number.MAX_SAFE_INTEGER } = options;
  if (typeof folder !== 'string' || folder === '') throw new UsageError('lmdbStores takes the path of a folder');
  if (typeof sync !== 'boolean') throw new UsageError('sync must be true or false');
  if (!(Number.isInteger(maxBytes) && maxBytes >= SMALLEST)) {
    throw new UsageError(`maxBytes must be a whole number from ${SMALLEST} (1 MiB), not ${maxBytes}`);
  }
  return new LmdbProvider(path.resolve(folder), sync, maxBytes);
}

class LmdbProvider implements StoreProvider {
  readonly #folder: string;
  readonly #sync: boolean;
  readonly #maxBytes: number;
  #shared: Promise<Shared> | undefined;
  #closing: Promise<void> | undefined;

  constructor(folder: string, sync: boolean, maxBytes: number) {
    this.#folder = folder;
    this.#sync = sync;
    this.#maxBytes = maxBytes;
  }

  async open(name: string): Promise<Store> {
    const bytes = nameBytes(name);
    if (this.#closing)
      throw new StoreError(`The stores in ${this.#folder} are closed; open '${name}' with another provider`);
    // A folder that cannot be opened may be later on: the next call tries again.
    this.#shared ??= Shared.open(this.#folder, this.#sync, this.#maxBytes).catch((error) => {
      this.#shared = undefined;
      throw error;
    });
    return new LmdbStore(name, Buffer.concat([Buffer.of(bytes.length), bytes]), await this.#shared);
  }

  close(): Promise<void> {
    this.#closing ??=
      this.#shared?.then(
        (shared) => shared.close(),
        () => {}, // whoever has opened it was told
      ) ?? Promise.resolve();
    return this.#closing;
  }
}

/** What the stores of one folder share. */
class Shared {
  readonly folder: StoreFolder;
  readonly path: string;
  readonly db: Environment;
  readonly commits: Commits;
  /** Iterations that are not at their end: lmdb must not be closed under them. */
  readonly scans = new Set<Iterator<Entry>>();
  closed = false;

  static async open(folder: string, sync: boolean, maxBytes: number): Promise<Shared> {
    const held = openFolder(folder, DATA_FILE);
    let commits: Commits | undefined;
    try {
      let db: Environment | undefined;
      // Reads see a snapshot that lmdb would renew in its own time.
      const committed = (): void => db?.resetReadTxn();
      commits = await Commits.start({ folder, sync, maxBytes, existing: held.ready }, committed);
      if (!held.ready) held.markReady();
      db = await openEnvironment(folder, sync);
      return new Shared(held, folder, db, commits);
    } catch (error) {
      await commits?.close();
      held.release();
      if (error instanceof StoreError) throw error;
      throw new StoreError(`Cannot open the store in ${folder}: ${(error as Error).message}`, { cause: error });
    }
  }

  constructor(folder: StoreFolder, place: string, db: Environment, commits: Commits) {
    this.folder = folder;
    this.path = place;
    this.db = db;
    this.commits = commits;
  }

  async close(): Promise<void> {
    this.closed = true;
    for (const scan of this.scans) scan.return?.();
    await this.commits.close();
    await this.db.close();
    this.folder.release();
  }
}

interface Entry {
  readonly key: Buffer;
  readonly value: Buffer;
}

class LmdbStore implements Store {
  readonly #name: string;
  readonly #prefix: Buffer;
  readonly #shared: Shared;
  #closed = false;

  constructor(name: string, prefix: Buffer, shared: Shared) {
    this.#name = name;
    this.#prefix = prefix;
    this.#shared = shared;
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    this.#check();
    const bytes = this.#within(keyBytes(key));
    const record = this.#shared.db.get(bytes);
    return record && this.#value(bytes, record);
  }

  async write(changes: readonly Change[]): Promise<void> {
    this.#check();
    checkChanges(changes);
    const packed = changes.map((change) => ({ ...change, key: this.#within(Buffer.from(change.key)) }));
    const keys = changes.map(({ key }) => key);
    const outcome = await this.#shared.commits.write(packed);
    if (outcome) throw this.#error(outcome, keys);
  }

  async *entries(range: KeyRange = {}): AsyncGenerator<[string, Uint8Array]> {
    this.#check();
    checkRange(range);
    const { scans, db } = this.#shared;
    const scan = db.getRange(this.#bounds(range))[Symbol.iterator]();
    scans.add(scan);
    try {
      let count = 0;
      for (let next = scan.next(); !next.done; next = scan.next()) {
        const { key, value } = next.value;
        yield [key.toString('utf8', this.#prefix.length), this.#value(key, value)];
        // Nothing here waits for anything: a long iteration has to let others have their turn.
        if (++count % TURN === 0) await new Promise(setImmediate);
        this.#check();
      }
    } finally {
      scans.delete(scan);
      if (!this.#shared.closed) scan.return?.();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (!this.#shared.closed) await this.#shared.commits.write([]);
  }

  /** lmdb's `start` and `end` change places, and who is in, when it goes backwards. */
  #bounds({ prefix = '', from = '', to, reverse = false, limit }: KeyRange) {
    const within = this.#within(Buffer.from(prefix));
    const low = highest(within, this.#within(Buffer.from(from)));
    const above = after(within);
    const high = to === undefined ? above : lowest(above, this.#within(Buffer.from(to)));
    const ends = reverse
      ? { start: high, end: low, reverse, exclusiveStart: true, inclusiveEnd: true }
      : { start: low, end: high };
    const empty = Buffer.compare(low, high) >= 0;
    return { ...ends, limit: empty ? 0 : (limit ?? Number.POSITIVE_INFINITY) };
  }

  #within(bytes: Buffer): Buffer {
    return Buffer.concat([this.#prefix, bytes]);
  }

  #value(key: Buffer, record: Buffer): Uint8Array {
    const value = unsealed(key, record);
    if (value) return value;
    const damaged = key.toString('utf8', this.#prefix.length);
    throw new StoreCorruptError(
      `The store '${this.#name}' in ${this.#shared.path} does not hold at ${JSON.stringify(damaged)} what was written there; write it anew, or restore the folder from a copy`,
      { key: damaged },
    );
  }

  #error(outcome: NonNullable<Outcome>, keys: readonly string[]): StoreError {
    if (outcome.kind === 'conflict') return conflict(this.#name, keys[outcome.change]!);
    const what = `The store '${this.#name}' in ${this.#shared.path}`;
    if (outcome.kind === 'full') {
      return new StoreFullError(`${what} has no room: ${outcome.why}. Remove entries, or make room and try again`);
    }
    return new StoreError(`${what} could not write: ${outcome.why}`);
  }

  #check(): void {
    if (this.#closed || this.#shared.closed) throw closedStore(this.#name);
  }
}

/** The least bytes that are above all that start with these. No byte of a name or key is 255. */
function after(prefix: Buffer): Buffer {
  const bytes = Buffer.from(prefix);
  bytes[bytes.length - 1]! += 1;
  return bytes;
}

function highest(a: Buffer, b: Buffer): Buffer {
  return Buffer.compare(a, b) > 0 ? a : b;
}

function lowest(a: Buffer, b: Buffer): Buffer {
  return Buffer.compare(a, b) < 0 ? a : b;
}
