/** Tasks in this process, one after the other: for debuggers, and for small things. */
import { CancelledError } from '../../../core/index.ts';
import type { Plan } from '../plan.ts';
import { runTask } from '../task/run-task.ts';
import { SHARE, Store } from '../task/store.ts';
import type { Runner } from './runner.ts';

/** ms that a task has to end once its signal was aborted; then it is left behind at its await. */
const GRACE = 500;
/** There are no others. */
const HERE = 0;

/** Of all jobs in this process: one may read what another has kept. */
const stores = new Map<string, Store>();

export function inlineRunner(plan: Plan, stop: AbortSignal): Runner {
  const store = new Store(plan.temp, plan.memory * SHARE.outputs);
  stores.set(plan.job, store);
  const over = new AbortController();
  const signal = AbortSignal.any([stop, over.signal]);
  const abandoned = new Promise<never>((_, reject) => {
    const give = (): unknown => setTimeout(() => reject(signal.reason), GRACE).unref();
    if (signal.aborted) give();
    else signal.addEventListener('abort', give, { once: true });
  });
  abandoned.catch(() => {}); // where nothing is left behind
  let before: Promise<unknown> = Promise.resolve();
  const elsewhere = () => ({
    runs: async (request: Parameters<Store['runs']>[0]) =>
      stores.get(request.job)?.runs(request) ?? { missing: request.tasks, runs: [] },
    blocks: async (request: Parameters<Store['blocks']>[0]) => stores.get(request.job)?.blocks(request),
  });
  return {
    place: stores,
    width: 1,
    run(spec, { progress }) {
      const { attempts = 2 } = plan.steps[plan.stages[spec.stage]!.ops[0]!.step]!;
      const attemptAll = async () => {
        for (let attempt = 1; ; attempt++) {
          signal.throwIfAborted();
          const home = { engine: HERE, attempt, progress, elsewhere, signal, store: (job: string) => stores.get(job) };
          try {
            return await runTask(plan, spec, home);
          } catch (error) {
            if (attempt >= attempts || signal.aborted) throw error;
          }
        }
      };
      const work = before.then(attemptAll);
      before = work.catch(() => {});
      return Promise.race([work, abandoned]);
    },
    code: () => [plan.steps, plan.maps].flat().map(textOf).join('\n'),
    incarnation: () => 0,
    holds: () => true,
    elsewhere,
    async end() {
      over.abort(new CancelledError('The job is over'));
      await Promise.race([before, abandoned.catch(() => {})]);
      stores.delete(plan.job);
      store.close();
    },
  };
}

/** Of the functions in it; not of what they have captured. */
function textOf(given: object | undefined): string {
  if (typeof given === 'function') return String(given);
  return Object.entries(given ?? {})
    .map(([name, value]) => `${name}: ${String(value)}`)
    .join();
}
