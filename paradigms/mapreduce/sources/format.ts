/** How bytes become records. Plain data: it travels with each split. */

/** What to do with records that do not fit: end the job with an error that says where, or leave them out and count them. */
export type OnBad = 'fail' | 'skip';
export type OnInvalid = OnBad | 'replace';
export type Compression = 'gzip' | 'zstd';

interface Limited {
  /** Bytes of the longest record. */
  readonly maxRecord: number;
}
interface Text extends Limited {
  /** For bytes that are not UTF-8: fail (default), put U+FFFD in their place, or skip the record. */
  readonly invalid: OnInvalid;
}
export interface LinesFormat extends Text {
  readonly kind: 'lines';
}
export interface PairsFormat extends Text {
  readonly kind: 'pairs';
  readonly separator: string;
}
export interface FixedFormat extends Limited {
  readonly kind: 'fixed';
  readonly length: number;
  readonly bad: OnBad;
}
export interface JsonlFormat extends Text {
  readonly kind: 'jsonl';
  readonly bad: OnBad;
}
export interface CsvFormat extends Text {
  readonly kind: 'csv';
  readonly bad: OnBad;
  /** True: the first record of each file. False: records are arrays. A list: the names, for files without a header. */
  readonly header: boolean | readonly string[];
  readonly separator: string;
  /** '' for none. */
  readonly quote: string;
  readonly multiline: boolean;
}
export interface FilesFormat extends Text {
  readonly kind: 'files';
  readonly as: 'text' | 'bytes';
}
export type Format = LinesFormat | PairsFormat | JsonlFormat | CsvFormat | FixedFormat | FilesFormat;
