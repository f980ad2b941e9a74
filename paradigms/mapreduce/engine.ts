/** The half on engines: tasks of jobs, and what they have left here for others. */
import { task } from '../../core/engine/inside.ts';
import { CancelledError, type EngineHalf, type EngineHost } from '../../core/index.ts';
import { type BlocksRequest, RUN_TASK, type RunsRequest, type TaskResult, type TaskSpec } from './messages.ts';
import type { Plan } from './plan.ts';
import type { Elsewhere } from './task/fetch.ts';
import { runTask } from './task/run-task.ts';
import { SHARE, Store } from './task/store.ts';

/** Jobs that are over, of which late tasks may still come. */
const ENDED = 1_024;
/** ms that tasks of a job which is over have to see it. */
const PATIENCE = 2_000;

interface JobHere {
  readonly client: number;
  readonly store: Store;
  readonly over: AbortController;
  readonly running: Set<Promise<unknown>>;
}

export default function makeEngine(host: EngineHost): EngineHalf {
  const jobs = new Map<string, JobHere>();
  const ended = new Set<string>();

  const elsewhere = (id: number): Elsewhere => ({
    runs: (request) => host.engine(id).ask('runs', request),
    blocks: (request) => host.engine(id).ask('blocks', request),
  });

  function jobOf({ job, client, temp, memory }: Plan): JobHere {
    if (ended.has(job)) throw new CancelledError('The job is over');
    let here = jobs.get(job);
    if (!here) {
      const store = new Store(temp, memory * SHARE.outputs);
      jobs.set(job, (here = { client, store, over: new AbortController(), running: new Set() }));
    }
    return here;
  }

  async function run(plan: Plan, spec: TaskSpec): Promise<TaskResult> {
    const { over, running } = jobOf(plan);
    const work = runTask(plan, spec, {
      engine: host.id,
      attempt: task.attempt,
      signal: AbortSignal.any([task.signal, over.signal]),
      store: (job) => jobs.get(job)?.store,
      elsewhere,
      progress: (done, total) => task.progress(done, total),
    });
    running.add(work);
    try {
      return await work;
    } finally {
      running.delete(work);
    }
  }

  /** Resolves when nothing of it runs or is left here. */
  async function end(job: string): Promise<void> {
    ended.add(job);
    if (ended.size > ENDED) ended.delete(ended.values().next().value!);
    const here = jobs.get(job);
    if (!here) return;
    here.over.abort(new CancelledError('The job is over'));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, PATIENCE);
    });
    await Promise.race([Promise.allSettled(here.running), late]);
    clearTimeout(timer);
    jobs.delete(job);
    here.store.close();
  }

  host.onLoss((loss) => {
    if (loss.type !== 'client') return;
    for (const [job, { client }] of jobs) if (client === loss.client) void end(job);
  });

  return {
    runs: (request: RunsRequest) => jobs.get(request.job)?.store.runs(request) ?? { missing: request.tasks, runs: [] },
    blocks: (request: BlocksRequest) => jobs.get(request.job)?.store.blocks(request),
    end,
    globals: { [RUN_TASK]: run },
  };
}
