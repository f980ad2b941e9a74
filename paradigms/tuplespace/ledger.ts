/**
 * What one durable space has in the store: a record for each batch of tuples that came in one turn, and beside it, where some have
 * gone, notes that say which. What comes and goes within one turn is in none.
 */
import type { Change } from '../../core/index.ts';
import { Batch, type Expires, rowOf, SPAN } from './batch.ts';
import { weightOf } from './forms.ts';
import { notesKey, recordKey } from './journal-keys.ts';
import { packRows } from './records.ts';
import type { Journal } from './space.ts';
import type { Entry } from './store/entry.ts';

/** What the next write has to do for a space. */
export interface Due {
  readonly puts: readonly Change[];
  /** Of records that are gone as a whole: they need no room, and do not depend on what else is written. */
  readonly frees: readonly Change[];
  /** The puts did not get there. */
  failed(): void;
}

/** Bytes that a batch may have, if it has more than one tuple. */
const WEIGHT = 64 * 1024;

export class Ledger implements Journal {
  readonly #prefix: string;
  readonly #expires: Expires;
  readonly #changed: (ledger: Ledger) => void;
  #ended = false;
  #fresh = new Map<number, Entry>();
  /** With new leases, of those that have a record each. */
  #renewed = new Set<Entry>();
  #freed: string[] = [];
  #touched = new Set<Batch>();

  /** @param changed is called when something has to be written. */
  constructor(prefix: string, expires: Expires, changed: (ledger: Ledger) => void) {
    this.#prefix = prefix;
    this.#expires = expires;
    this.#changed = changed;
  }

  put(entry: Entry): void {
    this.#fresh.set(entry.seq, entry);
    this.#changed(this);
  }

  renew(entry: Entry): void {
    if (this.#fresh.has(entry.seq)) return;
    const { batch } = entry;
    if (batch) {
      batch.renew(entry);
      this.touch(batch);
      return;
    }
    this.#renewed.add(entry);
    this.#changed(this);
  }

  remove(entry: Entry): void {
    if (this.#fresh.delete(entry.seq)) return;
    const { batch } = entry;
    if (batch) {
      batch.remove(entry);
      this.touch(batch);
      return;
    }
    this.#renewed.delete(entry);
    this.free(recordKey(this.#prefix, entry.seq, 1));
  }

  /** It is not as its record and notes say. */
  touch(batch: Batch): void {
    this.#touched.add(batch);
    this.#changed(this);
  }

  /** Nobody needs what is there. */
  free(key: string): void {
    this.#freed.push(key);
    this.#changed(this);
  }

  /** The space is destroyed: what changes in it from now on is nothing to write down. */
  end(): void {
    this.#ended = true;
  }

  /** What has changed since it was asked the last time. */
  due(): Due | undefined {
    const [fresh, renewed, freed, touched] = [this.#fresh, this.#renewed, this.#freed, this.#touched];
    if (this.#ended || !(fresh.size || renewed.size || freed.length || touched.size)) return undefined;
    this.#fresh = new Map();
    this.#renewed = new Set();
    this.#freed = [];
    this.#touched = new Set();
    const puts: Change[] = Array.from(renewed, (entry) => this.#alone(entry));
    const frees: Change[] = freed.map(nothingAt);
    const begun: Batch[] = [];
    const changed: Batch[] = [];
    for (const entries of pieces(fresh.values())) {
      if (entries.length === 1) puts.push(this.#alone(entries[0]!));
      else {
        const batch = new Batch(entries[0]!.seq, entries.length);
        for (const entry of entries) batch.add(entry);
        puts.push(...this.#written(batch));
        begun.push(batch);
      }
    }
    for (const batch of touched) {
      if (batch.isEmpty) frees.push(...this.#keys(batch).map(nothingAt));
      else {
        puts.push(...this.#written(batch));
        changed.push(batch);
      }
    }
    const failed = (): void => {
      for (const batch of [...begun, ...changed]) batch.spoil();
      // Tried again with what comes next. Of new tuples, whoever has put them out is told.
      for (const batch of changed) this.#touched.add(batch);
    };
    return { puts, frees, failed };
  }

  #alone(entry: Entry): Change {
    return { key: recordKey(this.#prefix, entry.seq, 1), value: packRows([rowOf(entry, entry.seq, this.#expires)]) };
  }

  #written(batch: Batch): Change[] {
    const [record, notes] = this.#keys(batch);
    const packed = batch.pack(this.#expires);
    if ('notes' in packed) return [{ key: notes, value: packed.notes }];
    return [{ key: record, value: packed.record }, nothingAt(notes)];
  }

  #keys({ first, count }: Batch): [record: string, notes: string] {
    return [recordKey(this.#prefix, first, count), notesKey(this.#prefix, first)];
  }
}

const nothingAt = (key: string): Change => ({ key, value: undefined });

/** In the order in which they came, which is that of their numbers. */
function* pieces(entries: Iterable<Entry>): Generator<Entry[]> {
  let piece: Entry[] = [];
  let weight = 0;
  for (const entry of entries) {
    const more = weightOf(entry.tuple);
    if (piece.length && (entry.seq - piece[0]!.seq >= SPAN || weight + more > WEIGHT)) {
      yield piece;
      piece = [];
      weight = 0;
    }
    piece.push(entry);
    weight += more;
  }
  if (piece.length) yield piece;
}
