/** Where a job writes, and how. Plain data: it travels to the engines. */
import path from 'node:path';
import { UsageError } from '../../../core/index.ts';

export interface OutputOptions {
  /**
   * `jsonl` (default): one [key, value] a line. `text`: key, tab, value. `csv`: the key and the value, or their elements where they are
   * lists, as fields. A record whose key is undefined is its value alone.
   */
  format?: 'jsonl' | 'csv' | 'text';
  gzip?: boolean;
  /** Of CSV: names, which become the first line of each file and the order of the fields of values that are objects. */
  columns?: readonly string[];
}
export interface OutputSpec extends OutputOptions {
  /** Absolute, and the same on all engines. It does not exist yet, or is empty. */
  readonly dir: string;
}

export function outputTo(dir: string, options: OutputOptions = {}): OutputSpec {
  const { format = 'jsonl', columns } = options;
  if (typeof dir !== 'string' || dir === '') throw new UsageError(`The output is a folder; got ${JSON.stringify(dir)}`);
  if (!(format in EXTENSIONS))
    throw new UsageError(
      `The format of output is one of ${Object.keys(EXTENSIONS).join(', ')}; got ${JSON.stringify(format)}`,
    );
  const unknown = Object.keys(options).find((name) => !OPTIONS.includes(name));
  if (unknown !== undefined) throw new UsageError(`Output has no option '${unknown}'; it has: ${OPTIONS.join(', ')}`);
  if (columns && !(Array.isArray(columns) && columns.every((name) => typeof name === 'string')))
    throw new UsageError(`The columns of output are a list of names; got ${JSON.stringify(columns)}`);
  if (columns && format !== 'csv') throw new UsageError(`Only output as csv has columns; this one is ${format}`);
  return { ...options, dir: path.resolve(dir) };
}

const OPTIONS = ['format', 'gzip', 'columns'];
const EXTENSIONS = { jsonl: 'jsonl', csv: 'csv', text: 'txt' };

/** `part-00003.jsonl.gz`, or with the name in the place of `part`. */
export function partName({ format = 'jsonl', gzip }: OutputSpec, part: number, name = 'part'): string {
  return `${name}-${String(part).padStart(5, '0')}.${EXTENSIONS[format]}${gzip ? '.gz' : ''}`;
}

const NAME = /^[\w.=-]+(\/[\w.=-]+)*$/;

export function checkName(name: string): void {
  if (NAME.test(name) && !/(^|\/)(\.|_)/.test(name) && name !== 'part') return;
  throw new UsageError(
    `${JSON.stringify(name)} is no name for output: letters, digits and . _ = - with / for folders, nothing that begins with . or _, and not 'part'`,
  );
}
