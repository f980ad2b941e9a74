/** Engines that Slurm has: how each of them stands, by looking at the queue. */
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { LaunchError } from '../errors.ts';
import type { EngineExit, EngineHandle } from './launcher.ts';
import { runSlurm, statesOf, type TaskState } from './slurm-commands.ts';

/** ms between looks. */
const EVERY = 1_000;

/** One engine. */
export class SlurmTask implements EngineHandle {
  readonly pid = 0;
  readonly host = 'Slurm';
  readonly exited: Promise<EngineExit>;
  ended = false;
  /** `job_index`, once it has one. */
  name: string | undefined;
  #resolve!: (exit: EngineExit) => void;
  #listener: (stream: 'stdout' | 'stderr', text: string) => void = () => {};
  #doomed = false;

  constructor() {
    this.exited = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  onOutput(listener: (stream: 'stdout' | 'stderr', text: string) => void): void {
    this.#listener = listener;
  }

  kill(): void {
    this.#doomed = true;
    if (this.name === undefined || this.ended) return;
    void runSlurm('scancel', [this.name]).catch((error) =>
      // It is in Slurm's hands then; whoever waits should not wait for ever.
      this.end({ exitCode: null, signal: null, error: error as Error }),
    );
  }

  named(name: string): void {
    this.name = name;
    if (this.#doomed) this.kill();
  }

  end(exit: EngineExit, printed = ''): void {
    if (this.ended) return;
    this.ended = true;
    if (printed) this.#listener('stderr', printed);
    this.#resolve(exit);
  }
}

interface Followed {
  tasks: readonly SlurmTask[];
  outputs: string;
  tell(warning: string): void;
}

/** Looks at the queue while there are engines in it. */
export class SlurmWatch {
  #jobs = new Map<string, Followed>();
  #timer: NodeJS.Timeout | undefined;
  #looking = false;

  follow(job: string, tasks: readonly SlurmTask[], outputs: string, tell: (warning: string) => void): void {
    this.#jobs.set(job, { tasks, outputs, tell });
    for (const [i, task] of tasks.entries()) task.named(`${job}_${i}`);
    this.#timer ??= setInterval(() => void this.#look(), EVERY).unref();
  }

  /** The engines of all its jobs have ended. */
  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    for (const { outputs } of this.#jobs.values()) rmSync(outputs, { recursive: true, force: true });
    this.#jobs.clear();
  }

  async #look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      for (const [job, { tasks, outputs }] of this.#jobs) {
        const states = await statesOf(job);
        for (const [i, task] of tasks.entries()) {
          const state = states.get(i);
          if (!task.ended && state && state.over) task.end(exitOf(state), readIfThere(path.join(outputs, String(i))));
        }
        if (!tasks.every(({ ended }) => ended)) continue;
        rmSync(outputs, { recursive: true, force: true });
        this.#jobs.delete(job);
      }
    } catch {
      // The controller of Slurm may be away; it is asked again.
    } finally {
      this.#looking = false;
    }
    if (this.#jobs.size) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

function exitOf({ state, exitCode, signal, reason }: TaskState): EngineExit {
  if (state === 'COMPLETED' || state === 'FAILED') return { exitCode, signal };
  const error = new LaunchError(`Slurm has ended its job: ${state}${reason ? ` (${reason})` : ''}`);
  return state === 'CANCELLED' ? { exitCode: null, signal: 'SIGTERM' } : { exitCode, signal, error };
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // the node does not share this folder
  }
}
