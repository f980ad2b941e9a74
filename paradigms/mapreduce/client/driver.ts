/**
 * Sees a job through: stage after stage, task by task. It knows what each task has left and where; what is lost with an engine, or
 * cannot be fetched any more, it has made again, and before that what that was made of.
 */
import { Tally } from '../counters.ts';
import { MapReduceError } from '../errors.ts';
import type { Input, OutputName, TaskSpec } from '../messages.ts';
import type { Plan } from '../plan.ts';
import { planSplits } from '../sources/index.ts';
import { IN_CHECKPOINT } from '../task/checkpoint.ts';
import { compareOf, cutsOf } from '../task/partitioner.ts';
import type { Counters, JobProgress } from '../types.ts';
import type { Checkpoint } from './checkpoint.ts';
import { Kept } from './kept.ts';
import type { PlannedInput } from './options.ts';
import type { Runner } from './runner.ts';
import { splitSizeFor } from './split-size.ts';
import { StageRun, type TaskRun } from './stage-run.ts';

/** Tasks on their way, for each engine: it need not wait for the next one. */
const AHEAD = 3;
/** How often a task may find that what it reads has gone. */
const LOSSES = 16;
/** Tasks that are asked for keys, and how many of each; how many they look at in the first stage. */
const SAMPLE = { tasks: 16, size: 1_000, most: 20_000 };

export interface DriverOptions {
  readonly plan: Plan;
  readonly inputs: readonly PlannedInput[];
  readonly runner: Runner;
  readonly splitSize: number | undefined;
  readonly signal: AbortSignal;
  readonly checkpoint: Checkpoint | undefined;
  /** Something has changed that shows in `progress`. */
  changed(): void;
}

export class Driver {
  readonly stages: readonly StageRun[];
  readonly #options: DriverOptions;
  readonly #began = performance.now();
  /** All tasks of the first stage are known. */
  #planned = false;
  #waiting: (() => void)[] = [];
  /** The checkpoint has something of this job. */
  #resumes = false;

  constructor(options: DriverOptions) {
    this.#options = options;
    this.stages = options.plan.stages.map(({ ops }, index) => new StageRun(index, ops[0]!));
  }

  /** Resolves when all tasks are done. */
  async run(): Promise<void> {
    for (const stage of this.stages) {
      const tasks = stage.index === 0 ? this.#firstTasks(stage) : this.#laterTasks(stage);
      await this.#runAll(stage, tasks);
    }
  }

  get last(): StageRun {
    return this.stages.at(-1)!;
  }

  /** A task of the last stage, when it is done; undefined where there are no more. */
  async part(index: number): Promise<TaskRun | undefined> {
    for (;;) {
      const task = this.last.tasks[index];
      if (task?.done) return task;
      if (!task && this.#planned && (this.stages.length === 1 || this.last.tasks.length)) return undefined;
      this.#options.signal.throwIfAborted();
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Makes what a task has left again, unless that has happened since. */
  async restore(stage: StageRun, task: TaskRun, lost: TaskRun['done']): Promise<void> {
    if (task.done === lost) task.done = undefined;
    if (!task.done) await this.#ensure(stage, task);
  }

  /** Done, and not with an engine that is known to be lost. */
  async present(stage: StageRun, task: TaskRun): Promise<NonNullable<TaskRun['done']>> {
    this.#forgetLost(task);
    await this.#ensure(stage, task);
    return task.done!;
  }

  counters(step?: number): Counters {
    const tally = new Tally();
    for (const { tasks } of this.stages)
      for (const { done } of tasks)
        for (const [of, counters] of done?.counters ?? []) if (step === undefined || of === step) tally.merge(counters);
    return tally.counts;
  }

  progress(): JobProgress {
    const elapsed = performance.now() - this.#began;
    const phases = this.stages.map((stage) => stage.progress());
    // Stages that have not begun are taken to last as long as the former ones.
    const share = phases.map(({ tasks, done, bytes, totalBytes }) =>
      totalBytes ? bytes / totalBytes : tasks ? done / tasks : 0,
    );
    const part = share.reduce((sum, one) => sum + one, 0) / share.length;
    return { phases, elapsed, left: part > 0.02 && this.#planned ? (elapsed / part) * (1 - part) : undefined };
  }

  /** Those that wait look again. */
  wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
    this.#options.changed();
  }

  async *#firstTasks(stage: StageRun): AsyncGenerator<TaskRun> {
    const { inputs, runner, signal } = this.#options;
    const splitSize = this.#options.splitSize ?? (await splitSizeFor(inputs, runner.width, { signal }));
    for (const { source, index } of inputs) {
      if (source instanceof Kept) for (const part of source.inputs(index, runner)) yield stage.add(part, part.bytes);
      else
        for await (const split of planSplits(source, { splitSize, signal }))
          yield stage.add({ kind: 'split', input: index, split }, split.bytes);
    }
    this.#planned = true;
  }

  async *#laterTasks(stage: StageRun): AsyncGenerator<TaskRun> {
    const { plan } = this.#options;
    const { reducers } = plan.steps[plan.stages[stage.index]!.reads!]!;
    const bytes = this.stages[stage.index - 1]!.tasks.reduce((sum, { done }) => sum + (done?.bytes ?? 0), 0);
    for (let i = 0; i < reducers; i++) stage.add(undefined, bytes / reducers);
    yield* stage.tasks;
  }

  async #runAll(stage: StageRun, tasks: AsyncIterable<TaskRun>): Promise<void> {
    const { runner, signal } = this.#options;
    // One that has failed stays, so that whoever waits for some or all of them is told.
    const pending = new Set<Promise<void>>();
    for await (const task of this.#prepared(stage, tasks)) {
      while (pending.size >= AHEAD * runner.width) await Promise.race(pending);
      signal.throwIfAborted();
      const running: Promise<void> = this.#ensure(stage, task).then(() => void pending.delete(running));
      running.catch(() => {});
      pending.add(running);
    }
    this.wake();
    await Promise.all(pending);
  }

  /** As they become known, unless all have to be known first: to go on from a checkpoint, or to sample them. */
  async *#prepared(stage: StageRun, tasks: AsyncIterable<TaskRun>): AsyncGenerator<TaskRun> {
    const { plan, checkpoint } = this.#options;
    const { writes } = plan.stages[stage.index]!;
    const step = writes === undefined ? undefined : plan.steps[writes]!;
    const cut = step?.partition === 'range' && step.reducers > 1;
    if (!cut && !checkpoint) {
      yield* tasks;
      return;
    }
    const all: TaskRun[] = [];
    for await (const task of tasks) all.push(task);
    if (checkpoint) await this.#resume(checkpoint, stage);
    if (cut) {
      const make = async () => cutsOf(await this.#sample(stage, all), step.reducers, compareOf(step));
      stage.cuts = await (checkpoint ? checkpoint.cuts(stage.index, make) : make());
    }
    yield* all;
  }

  async #resume(checkpoint: Checkpoint, { index, tasks }: StageRun): Promise<void> {
    const { plan, runner } = this.#options;
    if (index === 0) this.#resumes = await checkpoint.open(plan, runner.code(), tasks);
    if (!this.#resumes || plan.stages[index]!.writes === undefined) return;
    for (const task of tasks) {
      const done = checkpoint.done(index, task.id);
      if (!done) continue;
      task.done = { ...done, incarnation: 0 };
      task.read = task.bytes;
    }
    this.wake();
  }

  async #sample(stage: StageRun, tasks: readonly TaskRun[]): Promise<unknown[]> {
    const count = Math.min(tasks.length, SAMPLE.tasks);
    const chosen = Array.from({ length: count }, (_, i) => tasks[Math.floor(((i + 0.5) * tasks.length) / count)]!);
    // Records of a file that come first are as good as others; keys of a reducer that come first are the smallest.
    const most = stage.index === 0 ? SAMPLE.most : Number.MAX_SAFE_INTEGER;
    const keys = await Promise.all(
      chosen.map(async (task) => {
        const result = await this.#attempt(stage, task, { size: SAMPLE.size, most });
        return result.kind === 'sample' ? result.keys : [];
      }),
    );
    return keys.flat();
  }

  /** Done, if it is not, or not any more. */
  #ensure(stage: StageRun, task: TaskRun): Promise<void> {
    if (task.done) return Promise.resolve();
    task.running ??= this.#complete(stage, task).finally(() => {
      task.running = undefined;
    });
    return task.running;
  }

  async #complete(stage: StageRun, task: TaskRun): Promise<void> {
    const result = await this.#attempt(stage, task);
    if (result.kind !== 'done') return;
    task.done = { ...result, incarnation: this.#options.runner.incarnation(result.engine) };
    task.read = task.bytes;
    this.wake();
  }

  /** Until what it reads is there. */
  async #attempt(stage: StageRun, task: TaskRun, sample?: TaskSpec['sample']) {
    const { runner, signal } = this.#options;
    const { index, cuts } = stage;
    for (let losses = 0; ; losses++) {
      signal.throwIfAborted();
      const before = this.stages[index - 1];
      if (before) await this.#ensureAll(before);
      const known = before?.tasks.map(({ done }) => done);
      const from = await this.#inputOf(task, before);
      const result = await runner.run(
        { stage: index, task: task.id, from, cuts, sample },
        {
          progress: (done, total) => {
            if (task.done || sample) return;
            task.read = total ? (done / total) * task.bytes : 0;
            this.#options.changed();
          },
        },
      );
      if (result.kind !== 'starved') return result;
      task.read = 0;
      if (losses === LOSSES)
        throw new MapReduceError(
          `Task ${task.id} of step ${stage.step} found ${LOSSES} times that what it reads had gone with its engine; engines are lost too often, or cannot reach each other`,
        );
      if (task.input?.kind === 'kept part') await task.input.lost();
      else await this.#restoreAll(before, result.missing, known ?? []);
    }
  }

  /** Engines that are known to be lost are not asked. */
  async #ensureAll(stage: StageRun): Promise<void> {
    for (const task of stage.tasks) this.#forgetLost(task);
    await Promise.all(stage.tasks.map((task) => this.#ensure(stage, task)));
  }

  #forgetLost(task: TaskRun): void {
    const { done } = task;
    if (!done || done.engine === IN_CHECKPOINT) return;
    if (!this.#options.runner.holds(done.engine, done.incarnation)) task.done = undefined;
  }

  async #restoreAll(
    stage: StageRun | undefined,
    missing: readonly OutputName[],
    known: readonly TaskRun['done'][],
  ): Promise<void> {
    if (!stage) return;
    await Promise.all(missing.map(({ task }) => this.restore(stage, stage.tasks[task]!, known[task])));
  }

  async #inputOf(task: TaskRun, before: StageRun | undefined): Promise<Input> {
    if (before) return { kind: 'shuffle', places: before.places() };
    const input = task.input!;
    return input.kind === 'split' ? input : input.locate();
  }
}
