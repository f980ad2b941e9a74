/** What map tasks do with a split. */

import type { Each } from './parser.ts';
import { readPieces } from './read-piece.ts';
import type { Split } from './split.ts';

export interface Reading {
  signal: AbortSignal;
  /** Of records that were left out: group `input`, `records: not UTF-8`, `records: not JSON`, `records: bad CSV`. */
  counter?(group: string, name: string, by?: number): void;
  /** A file begins: its absolute path. */
  file?(path: string): void;
  /** So many bytes more have been read: together those of the split. */
  advance?(bytes: number): void;
}

/**
 * Calls `each` with every record, in order and synchronously. Strings may be slices of a text of 64 kB, which stays in memory as
 * long as one of them: whoever keeps few of many copies them first. Rejects with InputError, and with what `each` throws.
 */
export async function readSplit(split: Split, each: Each, reading: Reading): Promise<void> {
  for await (const bytes of reads(split, each, reading)) reading.advance?.(bytes);
}

/** The records of about a megabyte at a time. */
export async function* readBatches(split: Split, reading: Reading): AsyncGenerator<unknown[]> {
  let batch: unknown[] = [];
  for await (const bytes of reads(split, (record) => batch.push(record), reading)) {
    reading.advance?.(bytes);
    if (batch.length === 0) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

async function* reads(split: Split, each: Each, reading: Reading): AsyncGenerator<number> {
  const { signal, counter, file } = reading;
  const skipped = (what: string, count = 1): void => counter?.('input', `records: ${what}`, count);
  signal.throwIfAborted();
  if ('records' in split) {
    for (const [what, count] of Object.entries(split.skipped ?? {})) skipped(what, count);
    for (const record of split.records) each(record);
    yield split.bytes;
    return;
  }
  const setup = { format: split.format, each, skipped };
  for await (const bytes of readPieces(split.pieces, setup, file)) {
    signal.throwIfAborted();
    yield bytes;
  }
}
