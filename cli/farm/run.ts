/** Carries a farm of commands, or of calls of a script's function, out, and prints what comes of it. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Client, type RemoteError, remote } from '../../core/index.ts';
import { type Halt, type Outcome, taskFarm } from '../../paradigms/index.ts';
import { printJson, say } from '../output.ts';
import { Bar } from './bar.ts';
import { itemsOf } from './items.ts';
import { type JobResult, MOST_OUTPUT, runShell } from './job.ts';
import { Joblog, keyOf } from './joblog.ts';
import { commandFor } from './template.ts';

export interface FarmRun {
  /** A command with placeholders, or the path of a module whose default export is the function. */
  text: string;
  script: boolean;
  items: readonly string[] | undefined;
  input: string | undefined;
  jobs: number | undefined;
  attempts: number;
  timeout: number | undefined;
  halt: Halt | undefined;
  keepOrder: boolean;
  joblog: string | undefined;
  resume: boolean;
  results: string | undefined;
  dryRun: boolean;
  progress: boolean;
  json: boolean;
}

interface Job {
  seq: number;
  item: unknown;
  key: string;
  command: string;
}

/** Resolves with how many jobs failed. */
export async function runFarm(
  client: Client,
  run: FarmRun,
  stopping: AbortSignal,
  killing: AbortSignal,
): Promise<number> {
  const log = run.joblog === undefined ? undefined : new Joblog(run.joblog, run.resume);
  const jobs: Job[] = [];
  const farm = client.use(taskFarm, {
    attempts: run.attempts,
    concurrency: Math.max(1, Math.ceil((run.jobs ?? 0) / Math.max(1, client.engines.length))),
    ...(run.timeout !== undefined && { timeout: run.timeout }),
  });
  const fn = (run.script ? remote(pathToFileURL(path.resolve(run.text)), 'default') : shell) as (
    item: unknown,
  ) => unknown;
  const options = {
    ordered: run.keepOrder,
    chunk: run.script ? ('auto' as const) : 1,
    signal: killing,
    ...(run.halt && { halt: run.halt }),
  };
  const map = farm.settle(source(), fn, options);
  const bar = run.progress && process.stderr.isTTY ? new Bar(process.stderr) : undefined;
  const watching = bar && map.progress$.subscribe((progress) => bar.show(progress));
  const printed: unknown[] = [];
  let failed = 0;
  try {
    for await (const outcome of map as AsyncIterable<Outcome>) {
      const job = jobs[outcome.index]!;
      delete jobs[outcome.index];
      const result = resultOf(outcome, run.script);
      if (result.exit !== 0) failed++;
      log?.write({ ...job, ...result, ms: result.ran, signal: result.signal ?? '', engine: outcome.engine });
      if (run.results !== undefined) keep(path.join(run.results, String(job.seq)), result);
      bar?.clear();
      if (run.json) printed.push(shown(job, outcome, result, run.script));
      else print(result, job);
      bar?.show(map.progress);
    }
  } finally {
    watching?.unsubscribe();
    bar?.clear();
  }
  if (run.json) printJson(printed);
  const strange = log?.strange;
  if (run.resume && strange && strange.done && !strange.met)
    say(`None of the ${strange.done} finished jobs of ${run.joblog} is in this input: is it of another one?`);
  return failed;

  async function* source(): AsyncGenerator<unknown> {
    let seq = 0;
    for await (const item of itemsOf(run.items, run.input)) {
      if (stopping.aborted) return;
      const text = typeof item === 'string' ? item : JSON.stringify(item);
      const command = run.script ? `${run.text} ${text}` : commandFor(run.text, text, ++seq);
      if (run.script) seq++;
      const key = keyOf(command);
      if (log?.isDone(key)) continue;
      jobs.push({ seq, item, key, command });
      yield run.script ? item : { command, cwd: process.cwd(), most: MOST_OUTPUT };
    }
  }
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

function resultOf(outcome: Outcome, script: boolean): JobResult {
  const blank = {
    exit: 0,
    signal: null,
    stdout: '',
    stderr: '',
    started: Date.now() - Math.round(outcome.ms),
    ran: outcome.ms,
  };
  if (outcome.status === 'fulfilled') {
    if (!script) return outcome.value as JobResult;
    const text = outcome.value === undefined ? '' : `${JSON.stringify(outcome.value)}\n`;
    return { ...blank, stdout: text };
  }
  const { reason } = outcome;
  const job = (reason as RemoteError & { job?: JobResult }).job;
  return job ?? { ...blank, exit: -1, stderr: `${reason.name}: ${reason.message}\n` };
}

function print({ stdout, stderr }: JobResult, _job: Job): void {
  if (stdout) process.stdout.write(stdout);
  if (stderr) process.stderr.write(stderr);
}

function shown(
  { seq, item }: Job,
  outcome: Outcome,
  { exit, signal, stdout, stderr, ran }: JobResult,
  script: boolean,
): object {
  const about = { seq, item, engine: outcome.engine, ms: Math.round(ran) };
  if (!script) return { ...about, exit, ...(signal && { signal }), stdout, stderr };
  return outcome.status === 'fulfilled'
    ? { ...about, value: outcome.value }
    : { ...about, error: { name: outcome.reason.name, message: outcome.reason.message } };
}

function keep(folder: string, { stdout, stderr, exit }: JobResult): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'stdout'), stdout);
  writeFileSync(path.join(folder, 'stderr'), stderr);
  writeFileSync(path.join(folder, 'exit'), `${exit}\n`);
}
