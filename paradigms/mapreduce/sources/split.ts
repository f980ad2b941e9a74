/** A part of the input: what one map task reads. Plain data. */
import type { Compression, Format } from './format.ts';

/** A file, or a range of its bytes. */
export interface Piece {
  /** Absolute. */
  readonly path: string;
  readonly start: number;
  readonly end: number;
  /** Do `start` and `end` lie between records? Otherwise the records that begin in the range are meant. */
  readonly exact: boolean;
  /** As it was when the splits were planned. */
  readonly size: number;
  readonly mtimeMs: number;
  readonly compression?: Compression;
  /** The columns of a CSV file whose header is not in the range. */
  readonly columns?: readonly string[];
}

interface FileSplit {
  readonly format: Format;
  readonly pieces: readonly Piece[];
  /** Bytes on disk. */
  readonly bytes: number;
}

/** Records that were in the memory of the one who plans. */
interface RecordSplit {
  readonly records: readonly unknown[];
  /** Roughly. */
  readonly bytes: number;
  /** Records that were left out beside these, and why. */
  readonly skipped?: Readonly<Record<string, number>>;
}

/** Splits in order, pieces in order: read one after the other they give the records in the order of the input. */
export type Split = FileSplit | RecordSplit;
