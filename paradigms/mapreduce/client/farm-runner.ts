/** Tasks on the engines of a cluster, through the task farm. */
import { type AsyncResult, type ClientHost, remote } from '../../../core/index.ts';
import { taskFarm } from '../../farm/index.ts';
import type { TaskResult, TaskSpec } from '../messages.ts';
import type { Plan } from '../plan.ts';
import type { Runner } from './runner.ts';

/** What the half on engines is known by there: `RUN_TASK`. */
declare const runMapReduceTask: (plan: Plan, spec: TaskSpec) => Promise<TaskResult>;

type Work = ((spec: TaskSpec) => AsyncResult<TaskResult, TaskResult>) & Disposable;

/** Errors of the input, of the output, and of how things are used: another run would meet them again. */
const mayRunAgain = remote(
  (error: { code?: unknown } | undefined) =>
    !['INPUT', 'OUTPUT', 'OUTPUT_EXISTS', 'USAGE'].includes(String(error?.code)),
  {},
);

export function farmRunner(host: ClientHost, plan: Plan, label: string, signal: AbortSignal): Runner {
  const { client } = host;
  const there = () => client.engines.filter(({ state }) => state !== 'lost');
  const farm = host.use(taskFarm);
  const works = new Map<number, Work>();
  /** The plan travels once, with its functions as they are now. Stages have names of their own: the farm learns how long each takes. */
  const workOf = (stage: number): Work => {
    let work = works.get(stage);
    if (!work) {
      const { phase, step } = plan.stages[stage]!.ops[0]!;
      const { attempts = 2, speculate: hedge = false } = plan.steps[step]!;
      const run = (spec: TaskSpec) => runMapReduceTask(plan, spec);
      Object.defineProperty(run, 'name', { value: `${phase} ${step}` });
      const options = { attempts, hedge, signal, label, retryIf: mayRunAgain };
      work = farm.with(options).wrap(remote(run, { plan })) as Work;
      works.set(stage, work);
    }
    return work;
  };
  for (const stage of plan.stages.keys()) workOf(stage);
  return {
    place: client,
    get width() {
      return Math.max(1, there().length);
    },
    async run(spec, { progress }) {
      const result = workOf(spec.stage)(spec);
      const told = result.progress$.subscribe({
        next: ({ done, total }) => progress(done, total ?? done),
        error: () => {},
      });
      try {
        return await result;
      } finally {
        told.unsubscribe();
      }
    },
    code() {
      // With all that they have captured.
      const { payload, code } = host.parcel([plan.steps, plan.maps]);
      return [...code, ...payload.parts.map((part) => Buffer.from(part).toString('latin1'))].join('\n');
    },
    incarnation: (engine) => client.engines.find(({ id }) => id === engine)?.incarnation ?? -1,
    holds: (engine, since) => there().some(({ id, incarnation }) => id === engine && incarnation === since),
    elsewhere: (id) => ({
      runs: (request) => host.engine(id).ask('runs', request),
      blocks: (request) => host.engine(id).ask('blocks', request),
    }),
    async end() {
      for (const work of works.values()) work[Symbol.dispose]();
      // Those that are lost meanwhile have nothing left.
      await Promise.allSettled(there().map(({ id }) => host.engine(id).ask('end', plan.job)));
    },
  };
}
