/**
 * What all stores of one place have in common: the log, and what it amounts to. Keys, and values that are short, are in memory; longer
 * ones are read from the log when they are wanted. One group of writes is under way at a time, and the next one gathers.
 */
import { StoreError, StoreFullError } from '../../../core/errors.ts';
import { nameBytes } from '../../../core/store/key.ts';
import { conflict } from '../../../core/store/memory-store.ts';
import { PackedWrites, unpacked } from '../../../core/store/packed-writes.ts';
import type { Change } from '../../../core/store/store.ts';
import { Table } from '../../../core/store/table.ts';
import { FencedError, type Log, type Place } from './log.ts';

/** Bytes up to which a value stays in memory. */
const SHORT = 4_096;
/** Bytes from which on a group takes no further writes. */
const GROUP = 4 * 1024 * 1024;
/** Bytes that a log may have before it is looked at, of which half may be of no use any more. */
const CLEAN_FROM = 8 * 1024 * 1024;
/** What `PackedWrites` leaves free behind a value. */
const SPARE = 4;

/** One append. */
interface Group extends Place {
  readonly bytes: number;
  /** Bytes of entries in it that have not been replaced or removed. */
  live: number;
}

export interface Entry {
  readonly group: Group;
  readonly at: number;
  readonly size: number;
  readonly short: Uint8Array | undefined;
  readonly cost: number;
}

interface Waiting {
  readonly store: string;
  readonly changes: readonly Change[];
  resolve(): void;
  reject(error: Error): void;
}

interface Written {
  readonly store: string;
  readonly changes: readonly Pick<Change, 'key' | 'value'>[];
}

export class SharedLog {
  readonly #log: Log;
  readonly #tables = new Map<string, Table<Entry>>();
  /** From the oldest on. */
  #groups: Group[] = [];
  #bytes = 0;
  #live = 0;
  #queue: Waiting[] = [];
  #flushing: Promise<void> | undefined;
  #ended: Error | undefined;
  readonly #fenced: (error: Error) => void;
  #readers = 0;
  /** What lies before it is not needed any more, but for iterations under way. */
  #needless = 0;

  /** `fenced` is told when nothing can be written any more. */
  constructor(log: Log, fenced: (error: Error) => void) {
    this.#log = log;
    this.#fenced = fenced;
  }

  async recover(): Promise<void> {
    for await (const { place, bytes } of this.#log.replay()) this.#apply(place, bytes);
  }

  get failure(): Error | undefined {
    return this.#ended;
  }

  table(store: string): Table<Entry> {
    let table = this.#tables.get(store);
    if (!table) this.#tables.set(store, (table = new Table()));
    return table;
  }

  /** In memory of the caller's own. */
  async value({ group, at, size, short }: Entry): Promise<Uint8Array> {
    return short ? new Uint8Array(short) : this.#log.read(group, at, size);
  }

  /** While somebody reads, what he has seen stays. */
  beginReading(): void {
    this.#readers++;
  }
  endReading(): void {
    this.#readers--;
    void this.#removeNeedless();
  }

  /** The changes are the caller's own copies. */
  write(store: string, changes: readonly Change[]): Promise<void> {
    if (this.#ended) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      this.#queue.push({ store, changes, resolve, reject });
      this.#flushing ??= this.#flush();
    });
  }

  /** Resolves when what was accepted is written, or could not be. */
  async settled(): Promise<void> {
    while (this.#flushing) await this.#flushing;
  }

  async #flush(): Promise<void> {
    await new Promise(setImmediate); // what is written in the same turn leaves together
    while (this.#queue.length) {
      await this.#writeGroup();
      if (this.#bytes > CLEAN_FROM && this.#live < this.#bytes / 2) await this.#clean().catch(() => {});
    }
    this.#flushing = undefined;
  }

  async #writeGroup(): Promise<void> {
    const group: Waiting[] = [];
    const ahead = new Map<string, Uint8Array | undefined>();
    const packed = new PackedWrites();
    while (this.#queue.length && packed.size < GROUP) {
      const write = this.#queue.shift()!;
      try {
        const unmet = await this.#unmet(write, ahead);
        if (unmet !== undefined) throw conflict(write.store, unmet);
      } catch (error) {
        write.reject(error as Error);
        continue;
      }
      pack(packed, write);
      for (const { key, value } of write.changes) ahead.set(fullKey(write.store, key), value);
      group.push(write);
    }
    if (!group.length) return;
    try {
      await this.#append(packed);
      for (const { resolve } of group) resolve();
    } catch (error) {
      for (const { reject } of group) reject(error as Error);
      if (!(error instanceof StoreFullError)) this.#end(error as Error);
    }
  }

  async #append(packed: PackedWrites): Promise<void> {
    if (this.#ended) throw this.#ended;
    const { memory, size } = packed.take();
    const bytes = new Uint8Array(memory, 0, size);
    this.#apply(await this.#log.append(bytes), bytes);
  }

  /** The key whose condition does not hold, with what is ahead of this write. */
  async #unmet(
    { store, changes }: Waiting,
    ahead: ReadonlyMap<string, Uint8Array | undefined>,
  ): Promise<string | undefined> {
    for (const { key, expected } of changes) {
      if (expected === undefined) continue;
      const full = fullKey(store, key);
      const entry = this.table(store).values.get(key);
      const found = ahead.has(full) ? ahead.get(full) : entry && (await this.value(entry));
      const holds = expected === null ? !found : found && Buffer.compare(found, expected) === 0;
      if (!holds) return key;
    }
    return undefined;
  }

  #apply(place: Place, bytes: Uint8Array): void {
    const group: Group = { ...place, bytes: bytes.length, live: 0 };
    this.#groups.push(group);
    this.#bytes += group.bytes;
    for (const changes of unpacked({ memory: bytes.buffer as ArrayBuffer, size: bytes.length })) {
      for (const { key, record } of changes) {
        const end = 1 + key[0]!;
        const table = this.table(key.toString('utf8', 1, end));
        const name = key.toString('utf8', end);
        const old = table.values.get(name);
        if (old) this.#use(old.group, -old.cost);
        if (record) {
          const size = record.length - SPARE;
          const short = size <= SHORT ? new Uint8Array(record.subarray(0, size)) : undefined;
          const entry: Entry = { group, at: record.byteOffset, size, short, cost: key.length + size };
          this.#use(group, entry.cost);
          table.set(name, entry);
        } else table.set(name, undefined);
      }
    }
  }

  #use(group: Group, bytes: number): void {
    group.live += bytes;
    this.#live += bytes;
  }

  /** Appends what is still in use of the older half anew; then that half can go. */
  async #clean(): Promise<void> {
    const old = new Set<Group>();
    let bytes = 0;
    for (const group of this.#groups) {
      if (bytes >= this.#bytes / 2) break;
      old.add(group);
      bytes += group.bytes;
    }
    const moving: [store: string, key: string, entry: Entry][] = [];
    for (const [store, { values }] of this.#tables) {
      for (const [key, entry] of values) if (old.has(entry.group)) moving.push([store, key, entry]);
    }
    for (let i = 0; i < moving.length; ) {
      const packed = new PackedWrites();
      for (; i < moving.length && packed.size < GROUP; i++) {
        const [store, key, entry] = moving[i]!;
        pack(packed, { store, changes: [{ key, value: await this.value(entry) }] });
      }
      await this.#append(packed);
    }
    this.#groups = this.#groups.filter((group) => !old.has(group));
    this.#bytes -= bytes;
    this.#needless = this.#groups[0]?.seq ?? this.#needless;
    await this.#removeNeedless();
  }

  async #removeNeedless(): Promise<void> {
    if (!this.#needless || this.#readers || this.#ended) return;
    const seq = this.#needless;
    this.#needless = 0;
    await this.#log.cutBefore(seq).catch(() => {}); // the next cleaning removes it as well
  }

  #end(error: Error): void {
    const { message } = error;
    this.#ended =
      error instanceof FencedError ? error : new StoreError(`The stores are closed: ${message}`, { cause: error });
    for (const { reject } of this.#queue.splice(0)) reject(this.#ended);
    this.#fenced(this.#ended);
  }
}

function pack(packed: PackedWrites, { store, changes }: Written): void {
  const name = nameBytes(store);
  const head = Buffer.concat([Buffer.of(name.length), name]);
  packed.add(changes.map(({ key, value }) => ({ key: Buffer.concat([head, Buffer.from(key)]), value })));
}

function fullKey(store: string, key: string): string {
  return `${store.length}:${store}${key}`;
}
