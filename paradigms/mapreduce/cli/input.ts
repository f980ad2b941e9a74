/** What `--input` names, as sources. */
import { UsageError } from '../../../core/index.ts';
import type { RunOptions } from '../client/options.ts';
import { csv, files, fixed, from, jsonl, lines, pairs, readStream, type Source } from '../sources/index.ts';

export const INPUT_FORMATS = ['lines', 'pairs', 'jsonl', 'csv', 'fixed', 'files'] as const;
export type InputFormat = (typeof INPUT_FORMATS)[number];

export interface Given {
  format: InputFormat | undefined;
  separator: string | undefined;
  length: string | undefined;
}

const STDIN = '-';
/** Which end of a name says what a record is. */
const ENDS: readonly (readonly [InputFormat, RegExp])[] = [
  ['jsonl', /\.(jsonl|ndjson)(\.gz|\.zst)?$/],
  ['csv', /\.csv(\.gz|\.zst)?$/],
];

export function inputOf(patterns: readonly string[], given: Given): RunOptions['input'] {
  const named = patterns.filter((pattern) => pattern !== STDIN);
  if (patterns.length - named.length > 1) throw new UsageError('--input - is given twice; standard input is read once');
  const format = given.format ?? formatOf(named);
  check(format, given);
  const sources: Source<any>[] = [];
  if (named.length) sources.push(sourceOf(named, format, given));
  if (named.length === patterns.length) return sources[0]!;
  const read = fromStdin(format, given);
  return patterns[0] === STDIN ? [read, ...sources] : [...sources, read];
}

/** Where all names say the same. */
function formatOf(names: readonly string[]): InputFormat {
  const found = names.length ? ENDS.find(([, end]) => names.every((name) => end.test(name))) : undefined;
  return found?.[0] ?? 'lines';
}

function check(format: InputFormat, { separator, length }: Given): void {
  if (separator !== undefined && format !== 'pairs' && format !== 'csv')
    throw new UsageError(`--separator is for --input-format pairs or csv; this one is ${format}`);
  if (length !== undefined && format !== 'fixed')
    throw new UsageError(`--record-length is for --input-format fixed; this one is ${format}`);
  if (format === 'fixed' && !/^[1-9]\d{0,8}$/.test(length ?? ''))
    throw new UsageError(
      `--input-format fixed needs --record-length, a number of bytes: 1, 2, 3, …${length === undefined ? '' : `; got '${length}'`}`,
    );
}

function sourceOf(patterns: readonly string[], format: InputFormat, { separator, length }: Given): Source<any> {
  const separated = separator === undefined ? {} : { separator };
  if (format === 'pairs') return pairs(patterns, separated);
  if (format === 'jsonl') return jsonl(patterns);
  if (format === 'csv') return csv(patterns, separated);
  if (format === 'fixed') return fixed(patterns, Number(length));
  return format === 'files' ? files(patterns) : lines(patterns);
}

/** Engines may be elsewhere: the records travel. */
function fromStdin(kind: InputFormat, given: Given): Source<any> {
  const { format } = sourceOf([STDIN], kind, given) as Extract<Source<any>, { format: unknown }>;
  if (process.stdin.isTTY) process.stderr.write('Reads records from the terminal; Ctrl-D ends them\n');
  return from(readStream(process.stdin, format, 'standard input'));
}
