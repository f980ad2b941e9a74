/** Reads what a space has in the store, from the oldest tuple on. What is damaged is left out, and told to the log. */
import { type Store, StoreCorruptError } from '../../core/index.ts';
import { Batch, SPAN } from './batch.ts';
import type { TupleForm } from './forms.ts';
import { placeOf } from './journal-keys.ts';
import type { Ledger } from './ledger.ts';
import { type Notes, readNotes, readRows } from './records.ts';

export interface Recovered {
  readonly seq: number;
  readonly tuple: TupleForm;
  /** In ms, from now. */
  readonly lease: number;
  /** It has another lease than its record says. */
  readonly renewed: boolean;
  /** Is to be given the entry that is made of it. */
  readonly batch: Batch | undefined;
}

interface Source {
  readonly store: Store;
  readonly prefix: string;
  readonly ledger: Ledger;
  /** What is wrong in the store at the key. */
  readonly damaged: (what: string, key: string, error: unknown) => void;
}

export interface RecoveredRecord {
  /** No number up to this one may be used again: something may lie in the store under it. */
  readonly last: number;
  readonly tuples: readonly Recovered[];
}

/** One record after the other. What is over goes out of the store. */
export async function* recovered({ store, prefix, ledger, damaged }: Source): AsyncGenerator<RecoveredRecord> {
  const now = Date.now();
  let notes: { key: string; first: number; read: Notes | undefined } | undefined;
  for await (const [key, found] of entries(store, prefix)) {
    const { first, count } = placeOf(key, prefix);
    // Notes without a record are left of one that there was no room for.
    if (notes && (count === undefined || notes.first !== first)) {
      ledger.free(notes.key);
      notes = undefined;
    }
    if (count === undefined) {
      const what = `what was taken of the tuples from number ${first} on is not known, so all of them are there again`;
      notes = { key, first, read: sound(found, readNotes, (error) => damaged(what, key, error)) };
      continue;
    }
    const since = notes?.read;
    notes = undefined;
    const lost = count === 1 ? 'a tuple of it is' : `${since?.count ?? `up to ${count}`} tuples of it are`;
    const rows = sound(found, readRows, (error) => damaged(`${lost} lost`, key, error));
    const last = count > 1 ? first + SPAN - 1 : first;
    if (!rows) {
      yield { last, tuples: [] };
      continue;
    }
    const batch = count > 1 ? new Batch(first, count, rows.length, (found as Uint8Array).length) : undefined;
    const there: Recovered[] = [];
    for (const { offset, tuple, expires } of rows) {
      if (since && !since.isThere(offset)) continue;
      const renewed = since?.leases.has(offset) ?? false;
      const until = (renewed ? since!.leases.get(offset)! : expires) ?? Number.POSITIVE_INFINITY;
      if (until > now) there.push({ seq: first + offset, tuple, lease: until - now, renewed, batch });
    }
    yield { last, tuples: there };
    if (there.length === (since ? since.count : rows.length)) continue;
    if (batch) ledger.touch(batch);
    else ledger.free(key);
  }
  if (notes) ledger.free(notes.key);
}

/** Undefined if it cannot be read. */
function sound<T>(
  found: Uint8Array | StoreCorruptError,
  read: (bytes: Uint8Array) => T,
  damaged: (error: unknown) => void,
): T | undefined {
  try {
    if (found instanceof StoreCorruptError) throw found;
    return read(found);
  } catch (error) {
    damaged(error);
    return undefined;
  }
}

/** Goes on behind what is damaged. */
export async function* entries(
  store: Store,
  prefix: string,
): AsyncGenerator<[key: string, Uint8Array | StoreCorruptError]> {
  for (let from = prefix; ; ) {
    try {
      yield* store.entries({ prefix, from });
      return;
    } catch (error) {
      if (!(error instanceof StoreCorruptError) || error.key === undefined) throw error;
      yield [error.key, error];
      from = `${error.key}\0`;
    }
  }
}
