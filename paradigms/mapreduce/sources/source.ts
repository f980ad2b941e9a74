/** Where records come from: `lines('logs/*.gz')`, `csv('flights.csv')`, `from(numbers)`. Nothing is read before a job runs. */
import { fileURLToPath } from 'node:url';
import { UsageError } from '../../../core/index.ts';
import { columnsFault } from './csv-text.ts';
import type { Compression, CsvFormat, Format, OnBad, OnInvalid } from './format.ts';
import type { Split } from './split.ts';

/** For the type of its records only. */
declare const RECORD: unique symbol;

export interface FileSource<T> {
  readonly kind: 'lines' | 'jsonl' | 'csv' | 'files' | 'nLines';
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

/** A path, a glob, or a list of them, in which `!pattern` leaves files out. Each file is read once, in the order of the list. */
export type Patterns = string | URL | readonly (string | URL)[];

export interface SourceOptions {
  /** What relative paths start from; default: the working directory of the client. */
  cwd?: string;
  /** Default: by the first bytes of each file; a name that ends with .gz or .zst then has to be right. */
  compression?: 'auto' | 'none' | Compression;
  /** For bytes that are not UTF-8: `fail` (default), `replace` them by U+FFFD, or `skip` the record and count it. */
  invalid?: OnInvalid;
  /** Bytes of the longest record; a longer one is an error. Default 64 MiB, of whole files 512 MiB. */
  maxRecord?: number;
}
export interface JsonlOptions extends SourceOptions {
  /** A line that is not JSON: `fail` (default), or `skip` it and count it. */
  bad?: OnBad;
}
export interface CsvOptions extends JsonlOptions {
  /** True (default): the first record of each file has the names. False: records are arrays. A list: the names, where files have none. */
  header?: boolean | readonly string[];
  /** One character; default: a comma. */
  separator?: string;
  /** One character, or '' where quotes mean nothing; default: ". Inside a quoted field it stands twice. */
  quote?: string;
  /**
   * May quoted fields contain newlines? True (default): large files are read through once while splits are planned, so that
   * none cuts a record. False: saves that.
   */
  multiline?: boolean;
}
export interface FileText {
  /** Absolute. */
  path: string;
  text: string;
}
export interface FileBytes {
  path: string;
  bytes: Uint8Array;
}

const MIB = 1 << 20;

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

/** The value of each line; empty lines are left out. */
export function jsonl<T = unknown>(patterns: Patterns, options: JsonlOptions = {}): Source<T> {
  const format: Format = { kind: 'jsonl', ...text('jsonl', options), bad: oneOf('jsonl', 'bad', options.bad, BAD) };
  return { kind: 'jsonl', ...located('jsonl', patterns, options), format };
}

/** Each row as an object by the names of the header, all values strings; empty lines are left out. */
export function csv<T = Record<string, string>>(
  patterns: Patterns,
  options?: CsvOptions & { header?: true | readonly string[] },
): Source<T>;
/** Each row as an array of strings. */
export function csv<T = string[]>(patterns: Patterns, options: CsvOptions & { header: false }): Source<T>;
export function csv(patterns: Patterns, options: CsvOptions = {}): Source<unknown> {
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
    bad: oneOf('csv', 'bad', options.bad, BAD),
    header: typeof header === 'boolean' ? header : [...header],
    separator,
    quote,
    multiline: multiline && quote !== '',
  };
  return { kind: 'csv', ...located('csv', patterns, options), format };
}

/** Each file as one record, unpacked if it is compressed. */
export function files(patterns: Patterns, options?: SourceOptions & { as?: 'text' }): Source<FileText>;
export function files(patterns: Patterns, options: SourceOptions & { as: 'bytes' }): Source<FileBytes>;
export function files(patterns: Patterns, options: SourceOptions & { as?: 'text' | 'bytes' } = {}): Source<any> {
  const as = oneOf('files', 'as', options.as, ['text', 'bytes']);
  const format: Format = { kind: 'files', ...text('files', { maxRecord: 512 * MIB, ...options }), as };
  return { kind: 'files', ...located('files', patterns, options), format };
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

const BAD = ['fail', 'skip'] as const;

function located(name: string, patterns: Patterns, { cwd, compression }: SourceOptions) {
  const list = [patterns].flat().map((pattern) => (pattern instanceof URL ? fileURLToPath(pattern) : pattern));
  const wrong = list.find((pattern) => typeof pattern !== 'string' || pattern === '');
  if (list.length === 0 || wrong !== undefined)
    throw new UsageError(`${name} takes a path, a glob, or a list of them; got ${JSON.stringify(wrong ?? list)}`);
  return {
    patterns: list,
    cwd: cwd ?? process.cwd(),
    compression: oneOf(name, 'compression', compression, ['auto', 'none', 'gzip', 'zstd']),
  };
}

function text(name: string, { invalid, maxRecord = 64 * MIB }: SourceOptions) {
  if (!Number.isSafeInteger(maxRecord) || maxRecord < 1)
    throw new UsageError(`${name}: maxRecord is a number of bytes, 1 or more; got ${maxRecord}`);
  return { invalid: oneOf(name, 'invalid', invalid, ['fail', 'replace', 'skip']), maxRecord };
}

/** The value, which has to be one of the list; the first one where there is none. */
function oneOf<T extends string>(name: string, option: string, value: T | undefined, list: readonly T[]): T {
  if (value !== undefined && !list.includes(value))
    throw new UsageError(`${name}: ${option} is one of ${list.join(', ')}; got ${JSON.stringify(value)}`);
  return value ?? list[0]!;
}

const single = (char: string): boolean => char.length === 1 && char < '\x80' && char !== '\n' && char !== '\r';
