/** What can be said of jobs, checked; and the plan that follows from it. */
import path from 'node:path';
import { UsageError } from '../../../core/index.ts';
import { type Check, shown } from '../../farm/options.ts';
import { type OutputSpec, outputTo } from '../output/index.ts';
import { type Plan, type Step, stagesOf } from '../plan.ts';
import type { Source } from '../sources/index.ts';
import type { JobSpec } from '../types.ts';
import type { Kept } from './kept.ts';

/** Records, and the mapper that they go to, if it is not that of the job. */
export interface MappedInput<I = any> {
  readonly source: Source<I> | Kept;
  readonly map: JobSpec<I>['map'];
}
export type JobInput<I = any> = Source<I> | Kept | readonly (Source<I> | Kept | MappedInput)[];

export interface RunOptions<I = any> {
  /** Where records come from: one input, or a list. */
  input: JobInput<I>;
  /** A folder, which must not exist or be empty. Without it, results come to the client. */
  output?: string | OutputSpec;
  /** Results stay on the engines, as input of further jobs. */
  keep?: boolean;
  /** Bytes of input for one task. Default: a quarter of each engine's share, from 1 to 64 MiB. */
  splitSize?: number;
  /** Bytes that each engine may use for the job; what is more goes to temporary files. Default: 256 MiB. */
  memory?: number;
  /** The folder of temporary files, on each engine. Default: that of the system. */
  temp?: string;
  /**
   * A folder that this program and all engines share. What tasks have made for later steps is kept there until the job is done: run again
   * with the same folder, a job that did not come to its end goes on where it ended. Nothing is left in it at the end.
   */
  checkpoint?: string;
  /** In this process, one task after the other: for debuggers. Same results. */
  inline?: boolean;
  /** Aborting cancels. */
  signal?: AbortSignal;
  /** ms, after which it is cancelled, with TimeoutError. */
  timeout?: number;
  label?: string;
}

const FUNCTION: Check = ['a function', (value) => typeof value === 'function'];
const FLAG: Check = ['true or false', (value) => typeof value === 'boolean'];
const TEXT: Check = ['a text', (value) => typeof value === 'string' && value !== ''];
const isWhole = (value: unknown, least: number): boolean => Number.isSafeInteger(value) && (value as number) >= least;
/** Less would be all blocks and no records. */
const LEAST_MEMORY = 1 << 20;

const OF_JOBS: Readonly<Record<keyof JobSpec, Check>> = {
  map: FUNCTION,
  combine: FUNCTION,
  reduce: FUNCTION,
  partition: [
    "a function of a key and the number of reducers, or 'range'",
    (p) => typeof p === 'function' || p === 'range',
  ],
  sort: FUNCTION,
  group: FUNCTION,
  reducers: ['a whole number: 1, 2, 3, …', (n) => isWhole(n, 0)],
  setup: FUNCTION,
  teardown: FUNCTION,
  attempts: ['how often a task may run in all: 1, 2, 3, …', (n) => isWhole(n, 1)],
  speculate: FLAG,
  skipBadRecords: ['true, or how many records of a task', (n) => typeof n === 'boolean' || isWhole(n, 0)],
};

const OF_RUNS: Readonly<Record<keyof RunOptions, Check>> = {
  input: ['lines(…), jsonl(…), csv(…), files(…), from(…), kept results, or a list of them', isInput],
  output: ['the path of a folder', (o) => typeof o === 'string' || typeof o?.dir === 'string'],
  keep: FLAG,
  splitSize: ['a number of bytes, 1 or more', (n) => isWhole(n, 1)],
  memory: [`a number of bytes, ${LEAST_MEMORY} or more`, (n) => isWhole(n, LEAST_MEMORY)],
  temp: TEXT,
  checkpoint: TEXT,
  inline: FLAG,
  signal: ['an AbortSignal', (value) => value instanceof AbortSignal],
  timeout: ['a number of milliseconds above 0', (ms) => typeof ms === 'number' && ms > 0 && ms <= 2 ** 31 - 1],
  label: TEXT,
};

function isInput(input: any): boolean {
  if (Array.isArray(input)) return input.length > 0 && input.every((one) => isInput(one?.map ? one.source : one));
  return typeof input === 'object' && input !== null && typeof input.kind === 'string';
}

function check(what: string, value: unknown, checks: Readonly<Record<string, Check>>): void {
  if (typeof value !== 'object' || value === null)
    throw new UsageError(`${what} is an object; got ${value === null ? 'null' : typeof value}`);
  for (const [name, one] of Object.entries(value)) {
    const known = Object.hasOwn(checks, name) ? checks[name] : undefined;
    if (!known) throw new UsageError(`${what} has no '${name}'; it has: ${Object.keys(checks).join(', ')}`);
    if (one !== undefined && !known[1](one)) throw new UsageError(`${what}: ${name} is ${known[0]}; got ${shown(one)}`);
  }
}

export interface PlannedInput {
  readonly source: Source<unknown> | Kept;
  /** Index into `Plan.maps`. */
  readonly index: number;
}

const DEFAULT_MEMORY = 256 << 20;

/** @param name of the job, unlike that of all others. @param width engines. @throws UsageError */
export function planOf(
  jobs: JobSpec | readonly JobSpec[],
  options: RunOptions,
  { name, client, width }: { name: string; client: number; width: number },
): { plan: Plan; inputs: PlannedInput[] } {
  const list = Array.isArray(jobs) ? (jobs as readonly JobSpec[]) : [jobs as JobSpec];
  if (!list.length) throw new UsageError('run takes a job, or a list of jobs, and there is none in the list');
  check('The options of run', options, OF_RUNS);
  if (options.input === undefined) throw new UsageError("run needs { input }, e.g. { input: lines('logs/*.txt') }");
  if (options.output !== undefined && options.keep)
    throw new UsageError('Results are written to `output`, or `keep` leaves them on the engines; give one of them');
  const steps = list.map((job, i) => stepOf(job, list.length > 1 ? `Step ${i}` : 'The job', Math.max(1, width)));
  const given = Array.isArray(options.input) ? options.input : [options.input];
  const inputs = given.map((one, index) => ({ source: 'source' in one ? one.source : one, index }));
  const { output, memory = DEFAULT_MEMORY, temp, checkpoint } = options;
  const plan: Plan = {
    ...{ job: name, client, steps, stages: stagesOf(steps), memory, temp },
    checkpoint: checkpoint && path.resolve(checkpoint),
    maps: given.map((one) => ('source' in one ? one.map : undefined)),
    output: output === undefined ? undefined : outputOf(output),
  };
  return { plan, inputs };
}

function outputOf(output: string | OutputSpec): OutputSpec {
  if (typeof output === 'string') return outputTo(output);
  const { dir, ...rest } = output;
  return outputTo(dir, rest);
}

function stepOf(job: JobSpec, what: string, width: number): Step {
  check(what, job, OF_JOBS);
  const { reduce, reducers, partition, sort, group, combine } = job;
  const shuffles = [reduce, partition, sort, group].some((one) => one !== undefined);
  if (reducers === 0 && (shuffles || combine))
    throw new UsageError(
      `${what} has 0 reducers, and something for them to do; leave reduce, combine, sort, group and partition out, or give it 1 or more`,
    );
  if (group && partition === undefined && (reducers ?? width) > 1)
    throw new UsageError(
      `${what} has group, and needs partition: keys that are reduced together must go to one reducer, e.g. partition: (key, n) => key[0] % n`,
    );
  if (combine && !shuffles && reducers === undefined)
    throw new UsageError(`${what} has combine, and no reduce for what it makes; add reduce, or leave it out`);
  return { ...job, reducers: reducers ?? (shuffles ? width : 0) };
}
