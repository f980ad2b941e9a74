/**
 * Engines as jobs of Slurm: those that are to start at one time become one array job, each engine a task of it that is queued,
 * placed, seen and cancelled on its own. What they need to know travels in the job's environment.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { LaunchError, UsageError } from '../errors.ts';
import { type AgentOrders, ORDERS } from './agent-messages.ts';
import { agentCommand, agentProgram } from './agent-program.ts';
import type { EngineHandle, EngineSpec, Launcher } from './launcher.ts';
import { runSlurm } from './slurm-commands.ts';
import { SlurmTask, SlurmWatch } from './slurm-watch.ts';

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
/** Engines of one array job; Slurm's own limit is 1,001 unless it says otherwise (MaxArraySize). */
const MOST = 1_000;

export function slurm(options: SlurmOptions = {}): Launcher {
  const { template = TEMPLATE } = options;
  if (!/^\s*\{command\}\s*$/m.test(template))
    throw new UsageError("The Slurm template has no line '{command}', where the engine is to run");
  const watch = new SlurmWatch();
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
  #watch: SlurmWatch;
  #tell: (warning: string) => void;
  #tasks: { spec: EngineSpec; task: SlurmTask }[] = [];

  constructor(options: SlurmOptions & { template: string }, watch: SlurmWatch, tell: (warning: string) => void) {
    this.#options = options;
    this.#watch = watch;
    this.#tell = tell;
  }

  get full(): boolean {
    return this.#tasks.length >= MOST;
  }

  add(spec: EngineSpec): EngineHandle {
    const task = new SlurmTask();
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
