/** Slurm's commands: submitting, asking after jobs, cancelling. */
import { execFile } from 'node:child_process';
import { constants } from 'node:os';
import { LaunchError } from '../errors.ts';
import { withoutTokens } from './launcher.ts';

/** ms for one command; Slurm's own patience with its controller is shorter. */
const PATIENCE = 60_000;

/** Resolves with what it prints. Rejects with LaunchError: what Slurm says, and of what. */
export function runSlurm(
  program: 'sbatch' | 'scontrol' | 'scancel',
  args: readonly string[],
  { input = '', env = {} }: { input?: string; env?: Record<string, string> } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { env: { ...withoutTokens(process.env), ...env }, timeout: PATIENCE };
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      if (!error) return resolve(stdout);
      const said = stderr.trim() || stdout.trim();
      if ((error as NodeJS.ErrnoException).code === 'ENOENT')
        return reject(
          new LaunchError(
            `There is no program ${program} here; Slurm's commands are needed on the controller's machine`,
            { cause: error },
          ),
        );
      if (program === 'sbatch')
        return reject(new LaunchError(`Slurm has refused the job: ${said || error.message}`, { cause: error }));
      reject(new LaunchError(`${program} ${args.join(' ')} failed: ${said || error.message}`, { cause: error }));
    });
    child.stdin?.on('error', () => {}).end(input);
  });
}

export interface TaskState {
  /** As Slurm says it: RUNNING, COMPLETED, TIMEOUT, … */
  readonly state: string;
  readonly over: boolean;
  readonly reason: string;
  readonly exitCode: number | null;
  readonly signal: string | null;
}

const UNDER_WAY = /^(PENDING|RUNNING|SUSPENDED|CONFIGURING|COMPLETING|REQUEUED|RESIZING|SIGNALING|STAGE_OUT|STOPPED)/;
const GONE: TaskState = { state: 'COMPLETED', over: true, reason: '', exitCode: null, signal: null };

/** Of the tasks of an array job, by index. One that Slurm has forgotten is over. */
export async function statesOf(job: string): Promise<{ get(index: number): TaskState | undefined }> {
  let text: string;
  try {
    text = await runSlurm('scontrol', ['--oneliner', 'show', 'job', job]);
  } catch (error) {
    if (/invalid job id/i.test((error as Error).message)) return { get: () => GONE };
    throw error;
  }
  const states = new Map<number, TaskState>();
  for (const line of text.split('\n').filter((one) => one.includes('JobId='))) {
    const field = (name: string): string => new RegExp(`(?:^|\\s)${name}=(\\S*)`).exec(line)?.[1] ?? '';
    const state = field('JobState');
    const [code = '0', signal = '0'] = field('ExitCode').split(':');
    const said = field('Reason');
    const one: TaskState = {
      state,
      over: !UNDER_WAY.test(state),
      reason: said === 'None' ? '' : said,
      exitCode: Number(signal) ? null : Number(code),
      signal: signalNamed(Number(signal)),
    };
    for (const index of indices(field('ArrayTaskId'))) states.set(index, one);
  }
  return { get: (index) => states.get(index) ?? GONE };
}

/** `3`, or of those that wait together `1-4,7%2`. */
function indices(text: string): number[] {
  return text
    .replace(/%.*/, '')
    .split(',')
    .flatMap((piece) => {
      const [, first, last = first] = /^(\d+)(?:-(\d+))?/.exec(piece) ?? [];
      if (first === undefined) return [];
      return Array.from({ length: Number(last) - Number(first) + 1 }, (_, i) => Number(first) + i);
    });
}

function signalNamed(number: number): string | null {
  return Object.entries(constants.signals).find(([, value]) => value === number)?.[0] ?? null;
}
