/** What `client.use(mapReduce)` gives, and how to do without a cluster. */
import { type ClientHost, NoEnginesError } from '../../../core/index.ts';
import { type Bag, type BagOptions, bagsOn } from '../bag/index.ts';
import type { OutputSpec } from '../output/index.ts';
import type { Source } from '../sources/index.ts';
import type { Job, JobSpec, JobSummary } from '../types.ts';
import { farmRunner } from './farm-runner.ts';
import { inlineRunner } from './inline-runner.ts';
import { RunningJob } from './job.ts';
import type { Kept } from './kept.ts';
import { planOf, type RunOptions } from './options.ts';

/** Runs a job, or a list of them, of which each gets what the one before has emitted. It has begun when this returns. */
export interface Run {
  <I, K = any, V = any, OK = any, OV = any>(
    job: JobSpec<I, K, V, OK, OV>,
    options: RunOptions<I> & { output: string | OutputSpec },
  ): Job<JobSummary>;
  <I, K = any, V = any, OK = any, OV = any>(
    job: JobSpec<I, K, V, OK, OV>,
    options: RunOptions<I> & { keep: true },
  ): Job<Kept>;
  <I, K = any, V = any, OK = any, OV = any>(
    job: JobSpec<I, K, V, OK, OV>,
    options: RunOptions<I>,
  ): Job<[key: OK, value: OV][]>;
  (jobs: readonly JobSpec[], options: RunOptions & { output: string | OutputSpec }): Job<JobSummary>;
  (jobs: readonly JobSpec[], options: RunOptions & { keep: true }): Job<Kept>;
  (jobs: readonly JobSpec[], options: RunOptions): Job<[key: any, value: any][]>;
}

export interface MapReduce {
  /** @throws UsageError for options that make no sense. All else rejects the job. */
  readonly run: Run;
  /** Records with methods: `bag(lines('*.txt')).flatMap(wordsOf).keyBy(…).reduceByKey(…)`. Nothing runs before something is asked for. */
  bag<T>(source: Source<T>, options?: BagOptions): Bag<T>;
}

export function makeMapReduce(host: ClientHost): MapReduce {
  const run = ((jobs: JobSpec | readonly JobSpec[], options: RunOptions) => {
    if (options?.inline) return runInline(jobs as JobSpec, options);
    const { id: client } = host;
    const width = host.client.engines.filter(({ state }) => state !== 'lost').length;
    const { plan, inputs } = planOf(jobs, options, { name: `${client}-${unique()}`, client, width });
    if (!width)
      throw new NoEnginesError(
        'The cluster has no engines to run the job on: add some, or run it here with { inline: true }',
      );
    const { label = 'mapreduce' } = options;
    return new RunningJob(plan, inputs, options, (signal) => farmRunner(host, plan, label, signal));
  }) as Run;
  return { run, bag: bagsOn(run) };
}

/** The same in this process, without a cluster: one task after the other. */
export const runInline: Run = ((jobs: JobSpec | readonly JobSpec[], options: RunOptions) => {
  const { plan, inputs } = planOf(jobs, options, { name: `inline-${unique()}`, client: 0, width: 1 });
  return new RunningJob(plan, inputs, options, (signal) => inlineRunner(plan, signal));
}) as Run;

function unique(): string {
  return Math.random().toString(36).slice(2);
}
