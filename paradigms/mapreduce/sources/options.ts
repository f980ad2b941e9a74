/** What can be said of all sources, checked. */
import { fileURLToPath } from 'node:url';
import { UsageError } from '../../../core/index.ts';
import type { Compression, OnBad, OnInvalid } from './format.ts';

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
export interface PairsOptions extends SourceOptions {
  separator?: string;
}
export interface FixedOptions extends Pick<SourceOptions, 'cwd' | 'compression'> {
  /** Bytes at the end that are too few for a record: `fail` (default), or `skip` them and count that. */
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
const MIB = 1 << 20;
const OF_FILES = ['cwd', 'compression'];
export const OF_TEXT = ['invalid', 'maxRecord'];

/** Throws UsageError for options that the source does not have. */
export function located(name: string, patterns: Patterns, options: SourceOptions, more: readonly string[] = OF_TEXT) {
  const known = [...OF_FILES, ...more];
  const unknown = Object.keys(options).find((option) => !known.includes(option));
  if (unknown !== undefined) throw new UsageError(`${name} has no option '${unknown}'; it has: ${known.join(', ')}`);
  const list = [patterns].flat().map((pattern) => (pattern instanceof URL ? fileURLToPath(pattern) : pattern));
  const wrong = list.find((pattern) => typeof pattern !== 'string' || pattern === '');
  if (list.length === 0 || wrong !== undefined)
    throw new UsageError(`${name} takes a path, a glob, or a list of them; got ${JSON.stringify(wrong ?? list)}`);
  return {
    patterns: list,
    cwd: options.cwd ?? process.cwd(),
    compression: oneOf(name, 'compression', options.compression, ['auto', 'none', 'gzip', 'zstd']),
  };
}

/** Of records that are text. */
export function text(name: string, { invalid, maxRecord = 64 * MIB }: SourceOptions) {
  if (!Number.isSafeInteger(maxRecord) || maxRecord < 1)
    throw new UsageError(`${name}: maxRecord is a number of bytes, 1 or more; got ${maxRecord}`);
  return { invalid: oneOf(name, 'invalid', invalid, ['fail', 'replace', 'skip']), maxRecord };
}

/** The value, which has to be one of the list; the first one where there is none. */
export function oneOf<T extends string>(name: string, option: string, value: T | undefined, list: readonly T[]): T {
  if (value !== undefined && !list.includes(value))
    throw new UsageError(`${name}: ${option} is one of ${list.join(', ')}; got ${JSON.stringify(value)}`);
  return value ?? list[0]!;
}

export const single = (char: string): boolean => char.length === 1 && char < '\x80' && char !== '\n' && char !== '\r';

export const onBad = (name: string, bad: OnBad | undefined): OnBad => oneOf(name, 'bad', bad, ['fail', 'skip']);
