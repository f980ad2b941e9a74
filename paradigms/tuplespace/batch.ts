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
  /** In the order of their numbers; of those that are gone the numbers alone, until the record is written anew. */
  #entries: (Entry | number)[] = [];
  /** Those with other leases than the record has. */
  #renewed: Set<Entry> | undefined = undefined;
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

  /** Its number is higher than any here. */
  add(entry: Entry): void {
    entry.batch = this;
    this.#entries.push(entry);
    this.#live++;
  }

  remove(entry: Entry): void {
    entry.batch = undefined;
    this.#entries[this.#position(entry.seq)] = entry.seq;
    this.#renewed?.delete(entry);
    this.#live--;
  }

  renew(entry: Entry): void {
    this.#renewed ??= new Set();
    this.#renewed.add(entry);
  }

  /** What was written last did not get there. */
  spoil(): void {
    this.#stale = true;
  }

  /** What has to be written: all of it, or notes to the record that is there. */
  pack(expires: Expires): { record: Uint8Array } | { notes: Uint8Array } {
    const isWasteful = this.#live < this.#rows / 4 && this.#bytes > SMALL;
    const renewed = [...(this.#renewed ?? [])];
    if (!this.#stale && !isWasteful && renewed.length <= MOST_RENEWED) {
      const leases = renewed.map((entry) => [entry.seq - this.first, expires(entry)] as const);
      return { notes: packNotes(this.#offsets(), leases) };
    }
    const live = this.#entries.filter((entry) => typeof entry !== 'number');
    const record = packRows(live.map((entry) => rowOf(entry, this.first, expires)));
    this.#entries = live.slice(); // without the room that a list has when it has grown
    this.#renewed = undefined;
    this.#rows = this.#live;
    this.#bytes = record.length;
    this.#stale = false;
    return { record };
  }

  #offsets(): number[] {
    const offsets: number[] = [];
    for (const entry of this.#entries) if (typeof entry !== 'number') offsets.push(entry.seq - this.first);
    return offsets;
  }

  #position(seq: number): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const entry = this.#entries[middle]!;
      if ((typeof entry === 'number' ? entry : entry.seq) < seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
