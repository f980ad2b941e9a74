/**
 * Engines as jobs of Slurm: those that are to start at one time become one array job, each engine a task of it that is queued,
 * placed, seen and cancelled on its own. What they need to know travels in the job's environment.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { LaunchError, UsageError } from '../errors.ts';
import { type AgentOrders, ORDERS } from './agent-messages.ts';
import { agentCommand, agentProgram } from './agent-program.ts';
import type { EngineExit, EngineHandle, EngineSpec, Launcher } from './launcher.ts';
import { runSlurm, statesOf, type TaskState } from './slurm-commands.ts';

export interface SlurmOptions {
  /**
   * The batch script of one engine, with `#SBATCH` lines for partition, account, time, memory, and `{command}` on a line of its own
   * where the engine is to run. Default: a script without any wishes.
   */
  template?: string | undefined;
  /** Further options of sbatch, e.g. `['--partition=long']`. They count before the template's. */
  options?: readonly string[] | undefined;
  /** Node on the nodes, where it is not on the PATH. */
  node?: string | undefined;
  /** Working directory there. Default: that of the cluster. */
  cwd?: string | undefined;
  /** A folder that the nodes share with this machine, for what engines print when they cannot start. Default: the working directory. */
  folder?: string | undefined;
}

const TEMPLATE = `#!/bin/sh
#SBATCH --job-name=tutti
#SBATCH --ntasks=1
{command}
`;
/** ms between looks at the queue. */
const EVERY = 1_000;
/** Engines of one array job; Slurm's own limit is 1,001 unless it says otherwise (MaxArraySize). */
const MOST = 1_000;

export function slurm(options: SlurmOptions = {}): Launcher {
  const { template = TEMPLATE } = options;
  if (!/^\s*\{command\}\s*$/m.test(template))
    throw new UsageError("The Slurm template has no line '{command}', where the engine is to run");
  const watch = new Watch();
  let group: Group | undefined;
  return {
    kind: 'slurm',
    scheme: 'network',
    atOnce: MOST,
    launch(spec, tell = () => {}) {
      if (!group || group.full) {
        group = new Group({ ...options, template }, watch, tell);
        const made = group;
        setImmediate(() => {
          if (group === made) group = undefined;
          void made.submit();
        });
      }
      return group.add(spec);
    },
    close: async () => watch.close(),
  };
}

/** Engines of one array job. */
class Group {
  #options: SlurmOptions & { template: string };
  #watch: Watch;
  #tell: (warning: string) => void;
  #tasks: { spec: EngineSpec; task: Task }[] = [];

  constructor(options: SlurmOptions & { template: string }, watch: Watch, tell: (warning: string) => void) {
    this.#options = options;
    this.#watch = watch;
    this.#tell = tell;
  }

  get full(): boolean {
    return this.#tasks.length >= MOST;
  }

  add(spec: EngineSpec): EngineHandle {
    const task = new Task();
    this.#tasks.push({ spec, task });
    return task;
  }

  async submit(): Promise<void> {
    const { template, options = [], node = 'node', cwd = this.#tasks[0]!.spec.cwd, folder = cwd } = this.#options;
    const engines = this.#tasks.map(({ spec: { id, token } }) => [id, token] as const);
    const { id: _, token: __, ...common } = this.#tasks[0]!.spec;
    const orders: AgentOrders = { common: { ...common, cwd, kind: 'slurm' }, engines };
    const command = `${agentCommand(node)} <<'TUTTI'\n${agentProgram()}\nTUTTI`;
    let outputs: string | undefined;
    try {
      outputs = mkdtempSync(path.join(folder, '.tutti-slurm-'));
      const output = path.join(outputs, '%a');
      const job = await runSlurm(
        'sbatch',
        [
          ...['--parsable', `--array=0-${engines.length - 1}`, `--chdir=${cwd}`, '--export=ALL', '--no-requeue'],
          ...[`--output=${output}`, `--error=${output}`],
          ...options,
        ],
        { input: template.replace(/^\s*\{command\}\s*$/m, () => command), env: { [ORDERS]: JSON.stringify(orders) } },
      );
      const id = job.trim().split(';')[0]!;
      this.#watch.follow(
        id,
        this.#tasks.map(({ task }) => task),
        outputs,
        this.#tell,
      );
    } catch (error) {
      if (outputs) rmSync(outputs, { recursive: true, force: true });
      const failure =
        error instanceof LaunchError ? error : new LaunchError((error as Error).message, { cause: error });
      for (const { task } of this.#tasks) task.end({ exitCode: null, signal: null, error: failure });
    }
  }
}

/** One engine. */
class Task implements EngineHandle {
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
  tasks: readonly Task[];
  outputs: string;
  tell(warning: string): void;
}

/** Looks at the queue while there are engines in it. */
class Watch {
  #jobs = new Map<string, Followed>();
  #timer: NodeJS.Timeout | undefined;
  #looking = false;

  follow(job: string, tasks: readonly Task[], outputs: string, tell: (warning: string) => void): void {
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
