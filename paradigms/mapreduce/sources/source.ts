/** Where records come from: `lines('logs/*.gz')`, `csv('flights.csv')`, `from(numbers)`. Nothing is read before a job runs. */
import { UsageError } from '../../../core/index.ts';
import { columnsFault } from './csv-text.ts';
import type { Compression, CsvFormat, Format } from './format.ts';
import {
  type CsvOptions,
  type FixedOptions,
  type JsonlOptions,
  located,
  OF_TEXT,
  onBad,
  oneOf,
  type PairsOptions,
  type Patterns,
  type SourceOptions,
  single,
  text,
} from './options.ts';
import type { Split } from './split.ts';

/** For the type of its records only. */
declare const RECORD: unique symbol;

export interface FileSource<T> {
  readonly kind: Format['kind'] | 'nLines';
  readonly patterns: readonly string[];
  readonly cwd: string;
  readonly compression: 'auto' | 'none' | Compression;
  readonly format: Format;
  readonly linesPerSplit?: number;
  readonly [RECORD]?: T;
}
export interface MemorySource<T> {
  readonly kind: 'from';
  readonly records: Iterable<T> | AsyncIterable<T>;
  readonly perSplit?: number;
  readonly [RECORD]?: T;
}
/** What has been planned before. */
interface SplitSource<T> {
  readonly kind: 'splits';
  readonly splits: readonly Split[];
  readonly [RECORD]?: T;
}
export type Source<T> = FileSource<T> | MemorySource<T> | SplitSource<T>;

export interface FileText {
  /** Absolute. */
  path: string;
  text: string;
}
export interface FileBytes {
  path: string;
  bytes: Uint8Array;
}

/** Each line without its end, LF or CRLF; the last one needs none. */
export function lines(patterns: Patterns, options: SourceOptions = {}): Source<string> {
  return {
    kind: 'lines',
    ...located('lines', patterns, options),
    format: { kind: 'lines', ...text('lines', options) },
  };
}

/** Lines, `n` of them per split: for few lines that are much work each. */
export function nLines(patterns: Patterns, n: number, options: SourceOptions = {}): Source<string> {
  if (!Number.isSafeInteger(n) || n < 1)
    throw new UsageError(`nLines takes a whole number of lines, 1 or more; got ${n}`);
  return { ...(lines(patterns, options) as FileSource<string>), kind: 'nLines', linesPerSplit: n };
}

/** Each line as `[key, value]`, two strings: what is before the first separator, by default a tab, and what is behind it. */
export function pairs(patterns: Patterns, options: PairsOptions = {}): Source<[key: string, value: string]> {
  const place = located('pairs', patterns, options, [...OF_TEXT, 'separator']);
  const { separator = '\t' } = options;
  if (typeof separator !== 'string' || separator === '')
    throw new UsageError(`pairs: the separator is a string; got ${JSON.stringify(separator)}`);
  return { kind: 'pairs', ...place, format: { kind: 'pairs', ...text('pairs', options), separator } };
}

/** Records of so many bytes each, with nothing between them. */
export function fixed(patterns: Patterns, length: number, options: FixedOptions = {}): Source<Uint8Array> {
  if (!Number.isSafeInteger(length) || length < 1)
    throw new UsageError(`fixed takes the number of bytes of a record, 1 or more; got ${length}`);
  const place = located('fixed', patterns, options, ['bad']);
  return {
    kind: 'fixed',
    ...place,
    format: { kind: 'fixed', length, maxRecord: length, bad: onBad('fixed', options.bad) },
  };
}

/** The value of each line; empty lines are left out. */
export function jsonl<T = unknown>(patterns: Patterns, options: JsonlOptions = {}): Source<T> {
  const place = located('jsonl', patterns, options, [...OF_TEXT, 'bad']);
  return {
    kind: 'jsonl',
    ...place,
    format: { kind: 'jsonl', ...text('jsonl', options), bad: onBad('jsonl', options.bad) },
  };
}

/** Each row as an object by the names of the header, all values strings; empty lines are left out. */
export function csv<T = Record<string, string>>(
  patterns: Patterns,
  options?: CsvOptions & { header?: true | readonly string[] },
): Source<T>;
/** Each row as an array of strings. */
export function csv<T = string[]>(patterns: Patterns, options: CsvOptions & { header: false }): Source<T>;
export function csv(patterns: Patterns, options: CsvOptions = {}): Source<unknown> {
  const place = located('csv', patterns, options, [...OF_TEXT, 'bad', 'header', 'separator', 'quote', 'multiline']);
  const { header = true, separator = ',', quote = '"', multiline = true } = options;
  if (!single(separator))
    throw new UsageError(`csv: the separator is one ASCII character; got ${JSON.stringify(separator)}`);
  if (quote !== '' && !single(quote))
    throw new UsageError(`csv: the quote is one ASCII character, or ''; got ${JSON.stringify(quote)}`);
  if (quote === separator) throw new UsageError(`csv: separator and quote are both ${JSON.stringify(quote)}`);
  const fault = typeof header === 'boolean' ? undefined : columnsFault(header);
  if (fault) throw new UsageError(`csv: ${fault}`);
  const format: CsvFormat = {
    kind: 'csv',
    ...text('csv', options),
    bad: onBad('csv', options.bad),
    header: typeof header === 'boolean' ? header : [...header],
    separator,
    quote,
    multiline: multiline && quote !== '',
  };
  return { kind: 'csv', ...place, format };
}

/** A longer text is no string. */
const LARGEST_FILE = 512 << 20;

/** Each file as one record, unpacked if it is compressed. */
export function files(patterns: Patterns, options?: SourceOptions & { as?: 'text' }): Source<FileText>;
export function files(patterns: Patterns, options: SourceOptions & { as: 'bytes' }): Source<FileBytes>;
export function files(patterns: Patterns, options: SourceOptions & { as?: 'text' | 'bytes' } = {}): Source<any> {
  const as = oneOf('files', 'as', options.as, ['text', 'bytes']);
  const place = located('files', patterns, options, [...OF_TEXT, 'as']);
  return {
    kind: 'files',
    ...place,
    format: { kind: 'files', ...text('files', { maxRecord: LARGEST_FILE, ...options }), as },
  };
}

/**
 * Records out of this program's memory, or as they come. A generator can be read by one job only. `perSplit`: how many
 * records a task gets; by default few at first and then more, for lists so many that there are some dozens of tasks.
 */
export function from<T>(records: Iterable<T> | AsyncIterable<T>, options: { perSplit?: number } = {}): Source<T> {
  const iterable = records as Partial<Iterable<T> & AsyncIterable<T>> | null | undefined;
  if (typeof iterable?.[Symbol.asyncIterator] !== 'function' && typeof iterable?.[Symbol.iterator] !== 'function')
    throw new UsageError(`from takes something iterable; got ${records === null ? 'null' : typeof records}`);
  const { perSplit } = options;
  if (perSplit !== undefined && !(Number.isSafeInteger(perSplit) && perSplit > 0))
    throw new UsageError(`from: perSplit is a whole number of records, 1 or more; got ${perSplit}`);
  return { kind: 'from', records, ...(perSplit && { perSplit }) };
}

export function splitsAsSource<T>(splits: readonly Split[]): Source<T> {
  return { kind: 'splits', splits };
}
