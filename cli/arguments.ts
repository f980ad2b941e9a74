/** Arguments that several commands share: what they are called, and what their texts mean. */
import { statSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { Argv, CommandModule } from 'yargs';
import { UsageError } from '../core/errors.ts';
import { LOG_FORMATS, LOG_LEVELS, type LogFormat, type LogLevel, type LogOptions, oneOf } from '../core/log-options.ts';

/** A command whose handler sees what its builder declares. */
export function command<A>(spec: {
  command: string;
  describe: string;
  builder: (y: Argv) => Argv<A>;
  handler: (args: A) => Promise<void>;
}): CommandModule {
  return spec as unknown as CommandModule;
}

export const text = (option: string, describe: string) => ({
  type: 'string' as const,
  requiresArg: true,
  describe,
  coerce: (given: string | string[] | undefined) => once(option, given),
});

export const jsonOption = { type: 'boolean' as const, default: false, describe: 'Print one JSON document on stdout' };
export const kindOption = text('--kind', 'Kind of engines: process or thread');
/** Where the cluster is one that runs; `default` is the default. */
export const nameOption = text('--name', 'The cluster: its name, connection file or URL');
/** What a new cluster is called. */
export const newNameOption = {
  ...text('--name', 'Name of the cluster'),
  default: 'default',
  coerce: (given: string | string[]) => once('--name', given)!,
};
export const fileOption = text('--file', 'Read the code from a file');
export const connectOption = {
  ...text('--connect', 'The cluster: its name, connection file or URL'),
  demandOption: true,
};

export const cwdOption = {
  ...text('--cwd', 'Working directory of the engines'),
  coerce: (given: string | string[] | undefined) => {
    const cwd = once('--cwd', given);
    if (cwd === undefined) return undefined;
    if (!statSync(cwd, { throwIfNoEntry: false })?.isDirectory()) throw new UsageError(`--cwd: ${cwd} is no directory`);
    return path.resolve(cwd);
  },
};
export const enginesOption = {
  ...text('-n', 'How many engines'),
  alias: 'n',
  coerce: (given: string | string[] | undefined) =>
    given === undefined ? undefined : parseCount('-n', once('-n', given)),
};
export const targetsOption = {
  type: 'string' as const,
  alias: 't',
  requiresArg: true,
  describe: 'Engines to use, e.g. 0,2 or 0-3 (repeatable; default: all)',
  coerce: (given: string | string[] | undefined) => (given === undefined ? undefined : parseIds('-t', [given].flat())),
};
/** Where the controller's log goes, and what gets into it. */
export const logOptions = {
  'log-level': {
    ...text('--log-level', `The least that is logged: ${LOG_LEVELS.join(', ')}`),
    coerce: (given: string | string[] | undefined) => choice('--log-level', LOG_LEVELS, given),
  },
  'log-format': {
    ...text('--log-format', 'json or pretty (default: pretty on a terminal)'),
    coerce: (given: string | string[] | undefined) => choice('--log-format', LOG_FORMATS, given),
  },
  'log-file': text('--log-file', 'Log to this file instead of stderr'),
};

/** Undefined when nothing was said of it. */
export function logOf(args: {
  'log-level': LogLevel | undefined;
  'log-format': LogFormat | undefined;
  'log-file': string | undefined;
}): LogOptions | undefined {
  const log = { level: args['log-level'], format: args['log-format'], file: args['log-file'] };
  return Object.values(log).some((said) => said !== undefined) ? log : undefined;
}

function choice<T extends string>(option: string, known: readonly T[], given: string | string[] | undefined) {
  return given === undefined ? undefined : oneOf(option, known, once(option, given));
}

export function once(option: string, given: string | string[] | undefined): string | undefined {
  if (Array.isArray(given)) throw new UsageError(`${option} is given ${given.length} times: ${given.join(', ')}`);
  if (given === '') throw new UsageError(`${option} is empty`);
  return given;
}

export function parseCount(what: string, given: string | undefined): number {
  if (given === undefined || !/^\d{1,6}$/.test(given))
    throw new UsageError(`${what} is a number of engines: 0, 1, 2, …; got '${given}'`);
  return Number(given);
}

/** Seconds as text: any number from 0 on. */
export function seconds(option: string, given: string | string[] | undefined): number | undefined {
  const text = once(option, given);
  if (text !== undefined && !/^\d+(\.\d+)?$/.test(text))
    throw new UsageError(`${option} takes seconds, e.g. 30; got '${text}'`);
  return text === undefined ? undefined : Number(text);
}

/** Engine ids in ascending order, each once: `0,2`, `0-3`, or several such texts. */
export function parseIds(what: string, given: readonly string[]): number[] {
  const ids = new Set<number>();
  for (const piece of given.flatMap((list) => list.split(','))) {
    const [, first, last = first] = /^\s*(\d{1,6})(?:-(\d{1,6}))?\s*$/.exec(piece) ?? [];
    if (first === undefined || Number(last) < Number(first))
      throw new UsageError(`${what} takes engine ids such as 0,2 or 0-3; got '${given.join(' ')}'`);
    for (let id = Number(first); id <= Number(last); id++) ids.add(id);
  }
  return [...ids].sort((a, b) => a - b);
}

/** The first word that is no option, nor an option's value. */
export function commandOf(argv: string[]): string | undefined {
  return wordsOf(argv).find((token) => token.kind === 'positional')?.value;
}

export interface Taken {
  /** What is left for the parser. */
  own: string[];
  /** The code of `exec`, the script of `run` and its like. */
  text: string | undefined;
  /** What follows the script is the script's own, options and all. */
  rest: string[];
  /** What follows `:::` of `farm`. */
  items?: string[];
}

/** Commands whose first word is a script, which what follows belongs to. */
const SCRIPTS = new Set<string | undefined>(['run', 'mpi']);

/** Takes code and scripts out of the arguments before the parser reads anything into them, such as options or numbers. */
export function takeText(argv: string[]): Taken {
  if (commandOf(argv) === 'farm') return takeFarm(argv);
  if (commandOf(argv) === 'mapreduce') return { own: jobFirst(withStdin(argv)), text: undefined, rest: [] };
  const tokens = wordsOf(argv);
  const [command, text] = tokens.filter((token) => token.kind === 'positional');
  if (!text || (command?.value !== 'exec' && !SCRIPTS.has(command?.value)))
    return { own: argv, text: undefined, rest: [] };
  const marker = tokens.find((token) => token.kind === 'option-terminator');
  const before = argv.slice(0, text.index).filter((_, i) => i !== marker?.index);
  const after = argv.slice(text.index + 1);
  if (command && SCRIPTS.has(command.value)) return { own: before, text: text.value, rest: after };
  return { own: [...before, ...after], text: text.value, rest: [] };
}

function takeFarm(argv: string[]): Taken {
  const colons = argv.indexOf(':::');
  const before = withStdin(colons < 0 ? argv : argv.slice(0, colons));
  const tokens = wordsOf(before);
  const text = tokens.filter((token) => token.kind === 'positional')[1];
  const own = before.filter((_, i) => i !== text?.index);
  return { own, text: text?.value, rest: [], ...(colons >= 0 && { items: argv.slice(colons + 1) }) };
}

const SCRIPT = /\.[cm]?[jt]s$/;

/** The parser takes a lone `-` for an option. */
function withStdin(argv: string[]): string[] {
  const words: string[] = [];
  for (const word of argv) {
    if (word === '-' && words.at(-1) === '--input') words.pop();
    words.push(word === '-' ? '--input=-' : word);
  }
  return words;
}

/** `--input` takes all that follows it: a job behind the files (the last word that is a script) is put before them. */
function jobFirst(argv: string[]): string[] {
  const tokens = wordsOf(argv);
  const command = tokens.find((token) => token.kind === 'positional')!;
  const options = tokens.filter((token) => token.kind === 'option');
  const files = options.find(({ name }) => name === 'input');
  const words = tokens.filter((token) => token.kind === 'positional' && token.index > command.index);
  const isOfCommands = options.some(({ name }) => ['mapper', 'combiner', 'reducer'].includes(name));
  const job = words.findLast((token) => token.kind === 'positional' && SCRIPT.test(token.value));
  if (!files || !job || isOfCommands || words[0]!.index < files.index) return argv;
  const others = argv.filter((_, i) => i !== job.index);
  return [...others.slice(0, command.index + 1), argv[job.index]!, ...others.slice(command.index + 1)];
}

/** What was typed, word by word. */
export function wordsOf(argv: string[]) {
  const value = { type: 'string' } as const;
  const options = {
    engines: { ...value, short: 'n' },
    targets: { ...value, short: 't' },
    name: value,
    kind: value,
    ranks: value,
    hostfile: value,
    machinefile: value,
    host: value,
    'map-by': value,
    'ssh-config': value,
    node: value,
    file: value,
    input: value,
    'input-format': value,
    separator: value,
    'record-length': value,
    output: value,
    'output-format': value,
    mapper: value,
    combiner: value,
    reducer: value,
    reducers: value,
    memory: value,
    'split-size': value,
    checkpoint: value,
    jobs: { ...value, short: 'j' },
    attempts: value,
    timeout: value,
    halt: value,
    joblog: value,
    results: value,
    'log-level': value,
    'log-format': value,
    'log-file': value,
  };
  return parseArgs({ args: argv, strict: false, tokens: true, options }).tokens;
}
