/** What came of a job, as it is logged, kept and printed. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { RemoteError } from '../../core/index.ts';
import type { Outcome } from '../../paradigms/index.ts';
import { describe } from '../display/failure.ts';
import type { JobResult } from './job.ts';
import type { Job } from './jobs.ts';

/** Of a function, its value is what a command would have printed. */
export function resultOf(outcome: Outcome, script: boolean): JobResult {
  const started = Date.now() - Math.round(outcome.ms);
  const blank = { exit: 0, signal: null, stdout: '', stderr: '', started, ran: outcome.ms };
  if (outcome.status === 'fulfilled') {
    if (!script) return outcome.value as JobResult;
    return { ...blank, stdout: outcome.value === undefined ? '' : `${JSON.stringify(outcome.value)}\n` };
  }
  const { reason } = outcome;
  const job = (reason as RemoteError & { job?: JobResult }).job;
  return job ?? { ...blank, exit: -1, stderr: `${describe(reason, { colours: false, width: 80 })}\n` };
}

/** For --json. */
export function shown({ seq, item }: Job, outcome: Outcome, result: JobResult, script: boolean): object {
  const { exit, signal, stdout, stderr, ran } = result;
  const about = { seq, item, engine: outcome.engine, ms: Math.round(ran) };
  if (!script) return { ...about, exit, ...(signal && { signal }), stdout, stderr };
  return outcome.status === 'fulfilled'
    ? { ...about, value: outcome.value }
    : { ...about, error: { name: outcome.reason.name, message: outcome.reason.message } };
}

/** For --results. */
export function keep(folder: string, { stdout, stderr, exit }: JobResult): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'stdout'), stdout);
  writeFileSync(path.join(folder, 'stderr'), stderr);
  writeFileSync(path.join(folder, 'exit'), `${exit}\n`);
}
