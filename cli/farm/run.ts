/** Carries a farm of commands, or of calls of a script's function, out, and prints what comes of it. */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Client, remote } from '../../core/index.ts';
import { type Farm, type Halt, type Outcome, taskFarm } from '../../paradigms/index.ts';
import type { Stages } from '../interruption.ts';
import { printJson, say } from '../output.ts';
import { Bar } from './bar.ts';
import { countOf } from './items.ts';
import { type JobResult, MOST_OUTPUT, runShell } from './job.ts';
import type { Joblog } from './joblog.ts';
import { type Job, jobsOf, type Work } from './jobs.ts';
import { keep, resultOf, shown } from './results.ts';

export interface FarmRun extends Work {
  /** At a time, on all engines. */
  jobs: number | undefined;
  attempts: number;
  timeout: number | undefined;
  halt: Halt | undefined;
  keepOrder: boolean;
  results: string | undefined;
  progress: boolean;
  json: boolean;
}

/** ms for what was told to end: a job that does not listen is killed after 200. */
const PATIENCE = 2_000;

/** Resolves with the exit code. */
export async function runFarm(
  client: Client,
  run: FarmRun,
  { stopping, killing }: Stages,
  joblog: Joblog | undefined,
): Promise<number> {
  using log = joblog?.open();
  const engines = Math.max(1, client.engines.length);
  const limit = run.jobs ?? engines;
  const farm = client.use(taskFarm, {
    attempts: run.attempts,
    concurrency: Math.ceil(limit / engines),
    ...(run.timeout !== undefined && { timeout: run.timeout }),
  });
  const jobs = new Map<number, Job>();
  const fn = run.script ? remote(pathToFileURL(path.resolve(run.text)), 'default') : shell;
  const map = farm.settle(source(), fn as (item: unknown) => unknown, {
    ordered: run.keepOrder,
    // What waits on an engine would begin after a Ctrl-C; and short calls of a function go in chunks.
    ...(run.script && run.jobs === undefined ? {} : { chunk: 1, limit }),
    signal: killing,
    ...(run.halt && { halt: run.halt }),
  });
  const bar = run.progress && process.stderr.isTTY ? new Bar(process.stderr) : undefined;
  const count = bar && (await countOf(run.items, run.input));
  const show = (): void => {
    const { done, failed, taken, total } = map.progress;
    bar?.show({ done, failed, taken, total: total ?? (count && count - (log?.met ?? 0)) });
  };
  const watching = bar && map.progress$.subscribe(show);
  const printed: unknown[] = [];
  const ended = { ok: 0, failed: 0 };
  try {
    for await (const outcome of map as AsyncIterable<Outcome>) {
      const job = jobs.get(outcome.index)!;
      jobs.delete(outcome.index);
      const result = resultOf(outcome, run.script);
      ended[result.exit === 0 ? 'ok' : 'failed']++;
      log?.write({ ...job, ...result, ms: result.ran, signal: result.signal ?? '', engine: outcome.engine });
      if (run.results !== undefined) keep(path.join(run.results, String(job.seq)), result);
      bar?.clear();
      if (run.json) printed.push(shown(job, outcome, result, run.script));
      else print(result);
      show();
    }
  } catch (error) {
    if (!killing.aborted) throw error;
    await quiet(farm);
  } finally {
    watching?.unsubscribe();
    bar?.clear();
  }
  if (run.json) printJson(printed);
  if (log?.isStrange) say(`None of the finished jobs of ${log.file} is in this input: is it of another one?`);
  return exitCode(run, ended);

  async function* source(): AsyncGenerator<unknown> {
    let index = 0;
    for await (const job of jobsOf(run, log)) {
      if (stopping.aborted) return;
      jobs.set(index++, job);
      yield run.script ? job.item : { command: job.command, cwd: process.cwd(), most: MOST_OUTPUT };
    }
  }
}

/** Who waits for some job to succeed has what he wants when it has. */
function exitCode({ halt }: FarmRun, { ok, failed }: { ok: number; failed: number }): number {
  if (halt && halt.when !== 'never' && halt.on === 'success') return ok ? 0 : 1;
  return failed ? 1 : 0;
}

/** Resolves when nothing runs any more: engines that end first would leave jobs behind. */
async function quiet(farm: Farm): Promise<void> {
  const until = performance.now() + PATIENCE;
  while (performance.now() < until && (await farm.stats()).running)
    await new Promise((resolve) => setTimeout(resolve, 20));
}

/** A code that is not 0 is a failure, so that it may be tried again. */
const shell = remote(
  async (job: { command: string; cwd: string; most: number }) => {
    const result = await runShell(job);
    if (result.exit === 0) return result;
    const how = result.signal ? `ended by ${result.signal}` : `exit code ${result.exit}`;
    throw Object.assign(new Error(`${job.command}: ${how}`), { job: result });
  },
  { runShell },
);

function print({ stdout, stderr }: JobResult): void {
  if (stdout) process.stdout.write(stdout);
  if (stderr) process.stderr.write(stderr);
}
