/** From what a bag is made of to jobs: a chain of steps where it can be, and results that stay on the engines where branches meet. */
import type { Kept } from '../client/kept.ts';
import type { MappedInput, RunOptions } from '../client/options.ts';
import type { OutputSpec } from '../output/index.ts';
import type { Source } from '../sources/index.ts';
import type { Job, JobSpec, JobSummary } from '../types.ts';
import { branchesOf, type End, type Node, type OrderedNode, type Origin, SECOND, type WideNode } from './graph.ts';
import type { Op } from './ops.ts';
import { mapperOf, stepFunctions } from './pipeline.ts';

export type Run = (jobs: readonly JobSpec[], options: RunOptions) => Job<any>;
export type BagOptions = Pick<RunOptions, 'splitSize' | 'memory' | 'temp' | 'inline' | 'signal' | 'label'> &
  Pick<JobSpec, 'attempts' | 'speculate'>;

interface Program {
  readonly input: readonly MappedInput[];
  readonly steps: readonly JobSpec[];
}

/** One for each time that records are asked for. */
export class Execution {
  readonly #run: Run;
  readonly #options: Omit<RunOptions, 'input'>;
  readonly #ofSteps: JobSpec;
  readonly #kept = new Map<Origin, Promise<Kept>>();
  readonly #jobs: Job<any>[] = [];

  constructor(run: Run, { attempts, speculate, ...options }: BagOptions) {
    this.#run = run;
    this.#options = options;
    this.#ofSteps = { ...(attempts !== undefined && { attempts }), ...(speculate !== undefined && { speculate }) };
  }

  async records(end: End): Promise<unknown[]> {
    const pairs: [unknown, unknown][] = await this.#start(await this.#program([end], {}));
    return pairs.map(([, record]) => record);
  }

  async *each(end: End): AsyncGenerator<unknown> {
    for await (const [, record] of this.#start(await this.#program([end], {}))) yield record;
  }

  async write(end: End, output: OutputSpec): Promise<JobSummary> {
    return this.#start(await this.#program([end], {}), { output });
  }

  async keep(end: End): Promise<Kept> {
    return this.#start(await this.#program([end], {}), { keep: true });
  }

  /** Stops what still runs, and lets go of what has been kept on the engines. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#jobs.map((job) => job[Symbol.asyncDispose]()));
  }

  #start({ input, steps }: Program, more: Pick<RunOptions, 'output' | 'keep'> = {}): Job<any> {
    const job = this.#run(
      steps.map((step) => ({ ...step, ...this.#ofSteps })),
      { ...this.#options, ...more, input },
    );
    this.#jobs.push(job);
    return job;
  }

  /** The step, with records of all these ends. */
  async #program(ends: readonly End[], step: JobSpec): Promise<Program> {
    const branches = ends.flatMap(({ node, out }) => branchesOf(node).map((branch) => ({ ...branch, out })));
    const [{ origin, ops, out }] = branches as [(typeof branches)[0]];
    const functions = stepFunctions(ops, out);
    if (branches.length === 1 && origin.kind === 'wide') {
      const before = await this.#program(origin.inputs, origin.step);
      return { input: before.input, steps: [...before.steps, { ...functions, ...step }] };
    }
    const input = await Promise.all(
      branches.map(async (branch) => ({
        source: await this.#sourceOf(branch.origin),
        map: mapperOf(branch.ops, branch.out),
      })),
    );
    return { input, steps: [{ ...functions, ...step }] };
  }

  #sourceOf(origin: Origin): Source<any> | Promise<Kept> {
    if (origin.kind === 'source') return origin.source;
    if (origin.kind === 'kept') return Promise.resolve(origin.kept);
    let kept = this.#kept.get(origin);
    if (!kept) {
      kept = origin.kind === 'wide' ? this.#keepWide(origin) : this.#keepOrdered(origin);
      kept.catch(() => undefined);
      this.#kept.set(origin, kept);
    }
    return kept;
  }

  async #keepWide({ inputs, step }: WideNode): Promise<Kept> {
    return this.#start(await this.#program(inputs, step), { keep: true });
  }

  /** In two passes: the first one finds out what is in each part. */
  async #keepOrdered({ parent, accumulate }: OrderedNode): Promise<Kept> {
    // It stays until all is over: what is lost with an engine is made again from it.
    const records = await this.keep({ node: parent, out: { kind: 'record' } });
    const op = accumulate ? await this.#accumulating(records, accumulate) : numbering(records);
    const step = stepFunctions([SECOND, op], { kind: 'record' });
    return this.#start({ input: [{ source: records, map: step.map }], steps: [step] }, { keep: true });
  }

  async #accumulating(records: Kept, f: (sum: any, record: any) => unknown): Promise<Op> {
    const add = (sum: [unknown] | undefined, record: unknown): [unknown] => [sum ? f(sum[0], record) : record];
    const step = stepFunctions([SECOND, { kind: 'fold', zero: () => undefined, add }], { kind: 'partition' });
    const sums: [part: number, [unknown]][] = await this.#start({
      input: [{ source: records, map: step.map }],
      steps: [step],
    });
    const ofPart = new Map(sums);
    let before: [unknown] | undefined;
    const all = records.parts.map((_, part) => {
      const here = before;
      const sum = ofPart.get(part);
      if (sum) before = add(before, sum[0]);
      return here;
    });
    return { kind: 'accumulate', f, before: all };
  }
}

function numbering({ parts }: Kept): Op {
  let sum = 0;
  return { kind: 'number', first: parts.map(({ records }) => (sum += records) - records) };
}

/** Can its splits be worked on one after the other? */
export function isNarrow(node: Node): boolean {
  return branchesOf(node).every(({ origin }) => origin.kind === 'source');
}
