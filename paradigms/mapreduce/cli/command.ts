/** `tutti mapreduce job.ts --input 'glob' --output folder`. */
import { type Client, type Command, type CommandTools, UsageError } from '../../../core/index.ts';
import { type Run, runInline } from '../client/map-reduce.ts';
import type { RunOptions } from '../client/options.ts';
import { commands } from '../commands.ts';
import { MapReduceError } from '../errors.ts';
import { OutputError, type OutputOptions, outputTo } from '../output/index.ts';
import { InputError } from '../sources/index.ts';
import type { Counters, Job, JobSpec } from '../types.ts';
import { Bars } from './bars.ts';
import { INPUT_FORMATS, type InputFormat, inputOf } from './input.ts';
import { jobIn } from './job-module.ts';

interface Arguments {
  job?: string | undefined;
  input?: string[] | undefined;
  'input-format'?: InputFormat;
  separator?: string | undefined;
  'record-length'?: string | undefined;
  output?: string | undefined;
  'output-format'?: OutputOptions['format'];
  gzip: boolean;
  reducers?: string | undefined;
  mapper?: string | undefined;
  combiner?: string | undefined;
  reducer?: string | undefined;
  memory?: string | undefined;
  'split-size'?: string | undefined;
  checkpoint?: string | undefined;
  inline: boolean;
  json: boolean;
  engines?: number | undefined;
}

/** @param runOn what a client runs jobs with */
export function mapReduceCommand(tools: CommandTools, runOn: (client: Client) => Run): Command {
  return {
    command: 'mapreduce [job]',
    describe: 'Map and reduce files',
    builder: (yargs: any) =>
      yargs
        .usage(
          "tutti mapreduce job.ts --input 'logs/*.gz' --output counts\ntutti mapreduce --mapper 'grep foo' --reducer 'uniq -c' --input 'logs/*'\n\n" +
            'Runs the job that a module exports, or commands that read records from their standard input and print `key<TAB>value`. ' +
            'Without --output, what it makes is printed: one [key, value] a line; of commands, their lines.',
        )
        .positional('job', { type: 'string', describe: 'A .ts or .js module that exports a job, or a list of jobs' })
        .options(tools.options)
        .option('input', {
          type: 'string',
          array: true,
          requiresArg: true,
          describe: 'Files, globs in quotes, or - for standard input',
        })
        .option('input-format', {
          choices: INPUT_FORMATS,
          describe: 'What a record is (default: by the names of the files jsonl, csv or lines)',
        })
        .option('separator', { type: 'string', requiresArg: true, describe: 'Of pairs (default: a tab) or csv' })
        .option('record-length', { type: 'string', requiresArg: true, describe: 'Of fixed: bytes of a record' })
        .option('output', {
          type: 'string',
          requiresArg: true,
          describe: 'A folder for the results; it must not exist, or be empty',
        })
        .option('output-format', { choices: ['jsonl', 'csv', 'text'], describe: 'Default: jsonl; of commands: text' })
        .option('gzip', { type: 'boolean', default: false, describe: 'Compress the output' })
        .option('reducers', { type: 'string', requiresArg: true, describe: 'How many (default: as many as engines)' })
        .option('mapper', { type: 'string', requiresArg: true, describe: 'A command in place of a job' })
        .option('combiner', {
          type: 'string',
          requiresArg: true,
          describe: 'A command that makes few lines of many, by key, before they travel to the reducer',
        })
        .option('reducer', { type: 'string', requiresArg: true, describe: 'The same' })
        .option('memory', {
          type: 'string',
          requiresArg: true,
          describe: 'What each engine may use, e.g. 64M (default: 256M)',
        })
        .option('split-size', { type: 'string', requiresArg: true, describe: 'Input for one task, e.g. 16M' })
        .option('checkpoint', {
          type: 'string',
          requiresArg: true,
          describe: 'A folder by which the same command goes on where it ended',
        })
        .option('inline', {
          type: 'boolean',
          default: false,
          describe: 'In this process, without a cluster: for debuggers',
        })
        .example("tutti mapreduce words.ts --input 'data/*.txt' --output words --reducers 4 -n 4", 'on four engines'),
    handler: (args: Arguments) => handle(tools, args, runOn),
  };
}

async function handle(tools: CommandTools, args: Arguments, runOn: (client: Client) => Run): Promise<void> {
  const job = await jobOf(args);
  const options = optionsOf(args);
  if (args.inline) {
    if (args.engines !== undefined) throw new UsageError('--inline runs the job in this process: leave -n out');
    await carryOut(tools, args, runInline(job as JobSpec, { ...options, signal: tools.interruption() }));
  } else
    await tools.session(args, async (client, signal) => {
      const losses = client.events$.subscribe((event) => {
        if (event.type === 'engine-lost' && !signal.aborted)
          process.stderr.write(
            `Engine ${event.engine.id} was lost (${event.reason}): what it had made is made again\n`,
          );
      });
      try {
        await carryOut(tools, args, runOn(client)(job as JobSpec, { ...options, signal }));
      } finally {
        losses.unsubscribe();
      }
    });
}

async function jobOf(args: Arguments): Promise<JobSpec | readonly JobSpec[]> {
  const { job, mapper, combiner, reducer, reducers } = args;
  const commanded = isCommanded(args);
  if (commanded === (job !== undefined))
    throw new UsageError(
      commanded
        ? 'A job, or --mapper and --reducer: give one of them'
        : "Which job? tutti mapreduce job.ts --input 'data/*', or --mapper 'grep foo'",
    );
  const found = job === undefined ? commands({ mapper, combiner, reducer }) : await jobIn(job);
  if (reducers === undefined) return found;
  if (!/^\d{1,5}$/.test(reducers)) throw new UsageError(`--reducers is a number: 1, 2, 3, …; got '${reducers}'`);
  // Of a chain it is said of the last one: its output is what is asked for.
  const list = [found].flat() as JobSpec[];
  return [...list.slice(0, -1), { ...list.at(-1)!, reducers: Number(reducers) }];
}

const isCommanded = ({ mapper, combiner, reducer }: Arguments): boolean =>
  [mapper, combiner, reducer].some((command) => command !== undefined);

function optionsOf(args: Arguments): RunOptions {
  const { input, output, memory, gzip, checkpoint } = args;
  if (!input?.length) throw new UsageError("Which input? --input 'data/*.txt', or --input - for standard input");
  if (checkpoint !== undefined && input.includes('-'))
    throw new UsageError('--checkpoint reads the input again, and standard input comes once; name files');
  const text = isCommanded(args);
  const inputFormat = args['input-format'];
  if (text && inputFormat !== undefined && inputFormat !== 'lines')
    throw new UsageError(`Commands read lines; --input-format ${inputFormat} is for jobs`);
  const format = args['output-format'] ?? (text ? 'text' : 'jsonl');
  return {
    input: inputOf(input, {
      format: text ? 'lines' : inputFormat,
      separator: args.separator,
      length: args['record-length'],
    }),
    ...(output !== undefined && { output: outputTo(output, { format, gzip }) }),
    ...(memory !== undefined && { memory: bytesIn('--memory', memory) }),
    ...(args['split-size'] !== undefined && { splitSize: bytesIn('--split-size', args['split-size']) }),
    ...(checkpoint !== undefined && { checkpoint }),
    label: 'tutti mapreduce',
  };
}

function bytesIn(option: string, given: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)([kmg]?)b?$/i.exec(given) ?? [];
  if (number === undefined) throw new UsageError(`${option} is a number of bytes, e.g. 64M; got '${given}'`);
  return Math.round(Number(number) * 2 ** ({ '': 0, k: 10, m: 20, g: 30 }[unit.toLowerCase()] ?? 0));
}

async function carryOut(tools: CommandTools, args: Arguments, job: Job<any>): Promise<void> {
  const { json, output, mapper, reducer } = args;
  const bars = process.stderr.isTTY ? new Bars(process.stderr) : undefined;
  const watching = bars && job.progress$.subscribe((progress) => bars.show(progress));
  const quiet = (): void => {
    watching?.unsubscribe();
    bars?.clear();
  };
  const began = performance.now();
  try {
    const made =
      output !== undefined ? await job : json ? { results: await job } : await print(job, mapper ?? reducer, quiet);
    quiet();
    const elapsed = Math.round(performance.now() - began);
    const { counters, stepCounters } = job;
    if (json) tools.printJson({ ...made, counters, ...(stepCounters.length > 1 && { stepCounters }), elapsed });
    else process.stderr.write(`${summary(made, counters, elapsed)}\n`);
  } catch (error) {
    quiet();
    throw told(error);
  }
}

/** @param first is called before the first line */
async function print(job: Job<any>, command: string | undefined, first: () => void): Promise<undefined> {
  for await (const [key, value] of job) {
    first();
    const line = command === undefined ? JSON.stringify([key, value]) : value === undefined ? key : `${key}\t${value}`;
    if (!process.stdout.write(`${line}\n`)) await new Promise((resolve) => process.stdout.once('drain', resolve));
  }
  return undefined;
}

function summary(
  made: { output: string; parts: number; records: number } | undefined,
  counters: Counters,
  elapsed: number,
): string {
  const names = Object.entries(counters).flatMap(([group, all]) =>
    Object.entries(all).map(([name, count]) => `  ${group}: ${name} = ${count}`),
  );
  const wrote = made ? `${counted(made.records, 'record')} in ${counted(made.parts, 'part')} in ${made.output}, ` : '';
  return [`${wrote}${(elapsed / 1e3).toFixed(2)} s`, ...names].join('\n');
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

/** What was asked for cannot be done as it was asked for; or what the job's own code has thrown here. */
function told(error: unknown): unknown {
  if (error instanceof InputError || error instanceof OutputError)
    return new UsageError(error.message, { cause: error });
  if (!(error instanceof MapReduceError)) return error;
  const plain = new Error(error.message, { cause: error.cause });
  plain.name = error.name;
  plain.stack = `${error.name}: ${error.message}${error.cause instanceof Error ? `\n${error.cause.stack}` : ''}`;
  return plain;
}
