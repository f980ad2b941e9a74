/** Tuples that were written together. Removing one costs a few bytes: the record is only written anew when little of it is left. */
import { packNotes, packRows, type Row } from './records.ts';
import type { Entry } from './store/entry.ts';

/** From the first number to the last one, both included, at most. */
export const SPAN = 1_024;
/** Bytes of a record that is not worth to be written anew. */
const SMALL = 2_048;
/** Leases that differ from the record's, before it is written anew. */
const MOST_RENEWED = 64;

/** When the tuple expires, in ms of the calendar. */
export type Expires = (entry: Entry) => number | null;

export function rowOf(entry: Entry, first: number, expires: Expires): Row {
  return { offset: entry.seq - first, tuple: entry.tuple, expires: expires(entry) };
}

export class Batch {
  readonly first: number;
  /** What it had at first: part of its key, so that it is known even if the record cannot be read. */
  readonly count: number;
  /** By the distance of their numbers from the first. */
  readonly #entries: (Entry | undefined)[] = [];
  readonly #renewed = new Set<Entry>();
  #live = 0;
  #rows: number;
  #bytes: number;
  /** The record cannot be relied on, or was not written yet. */
  #stale: boolean;

  /** @param rows of the record that is there. */
  constructor(first: number, count: number, rows = 0, bytes = 0) {
    this.first = first;
    this.count = count;
    this.#rows = rows;
    this.#bytes = bytes;
    this.#stale = rows === 0;
  }

  get isEmpty(): boolean {
    return this.#live === 0;
  }

  add(entry: Entry): void {
    entry.batch = this;
    this.#entries[entry.seq - this.first] = entry;
    this.#live++;
  }

  remove(entry: Entry): void {
    entry.batch = undefined;
    this.#entries[entry.seq - this.first] = undefined;
    this.#renewed.delete(entry);
    this.#live--;
  }

  renew(entry: Entry): void {
    this.#renewed.add(entry);
  }

  /** What was written last did not get there. */
  spoil(): void {
    this.#stale = true;
  }

  /** What has to be written: all of it, or notes to the record that is there. */
  pack(expires: Expires): { record: Uint8Array } | { notes: Uint8Array } {
    const live = this.#entries.filter((entry) => entry !== undefined);
    const isWasteful = live.length < this.#rows / 4 && this.#bytes > SMALL;
    if (!this.#stale && !isWasteful && this.#renewed.size <= MOST_RENEWED) {
      const offset = ({ seq }: Entry): number => seq - this.first;
      const leases = Array.from(this.#renewed, (entry) => [offset(entry), expires(entry)] as const);
      return { notes: packNotes(live.map(offset), leases) };
    }
    const record = packRows(live.map((entry) => rowOf(entry, this.first, expires)));
    this.#renewed.clear();
    this.#rows = live.length;
    this.#bytes = record.length;
    this.#stale = false;
    return { record };
  }
}
