/** What `run` returns: a job that has begun, awaitable, iterable. */
import { setMaxListeners } from 'node:events';
import { Observable } from 'rxjs';
import { CancelledError, TimeoutError, UsageError } from '../../../core/index.ts';
import { abortOutput, commitOutput, type OutputSpec, prepareOutput } from '../output/index.ts';
import type { Plan } from '../plan.ts';
import type { Counters, Job, JobProgress, JobSummary } from '../types.ts';
import { Checkpoint } from './checkpoint.ts';
import { Driver } from './driver.ts';
import { Kept } from './kept.ts';
import type { PlannedInput, RunOptions } from './options.ts';
import { type Pair, type ResultsHome, readResults } from './results.ts';
import type { Runner } from './runner.ts';

/** ms between two words on how far it is. */
const PACE = 100;

export class RunningJob implements Job<any> {
  readonly #plan: Plan;
  readonly #runner: Runner;
  readonly #options: RunOptions;
  readonly #driver: Driver;
  readonly #checkpoint: Checkpoint | undefined;
  readonly #abort = new AbortController();
  readonly #listeners = new Set<() => void>();
  /** All tasks are done. */
  readonly #done: Promise<void>;
  /** Results are on the engines. */
  readonly #home: ResultsHome;
  #collected: Promise<Pair[]> | undefined;
  #read = false;
  #ended: Promise<void> | undefined;

  /** @param run makes who runs the tasks; its signal is aborted when they are to stop */
  constructor(plan: Plan, inputs: readonly PlannedInput[], options: RunOptions, run: (signal: AbortSignal) => Runner) {
    this.#plan = plan;
    this.#options = options;
    const { signal } = this.#abort;
    // Each task on its way listens.
    setMaxListeners(0, signal);
    const runner = run(signal);
    this.#runner = runner;
    const changed = (): void => {
      for (const listener of this.#listeners) listener();
    };
    const { splitSize } = options;
    this.#checkpoint = plan.checkpoint === undefined ? undefined : new Checkpoint(plan.checkpoint);
    this.#driver = new Driver({ plan, inputs, runner, splitSize, checkpoint: this.#checkpoint, signal, changed });
    this.#home = { job: plan.job, driver: this.#driver, runner, signal };
    const given = options.signal;
    const follow = (): void => this.#abort.abort(given!.reason);
    if (given?.aborted) follow();
    else given?.addEventListener('abort', follow, { once: true });
    const { timeout } = options;
    const late = (): void =>
      this.#abort.abort(new TimeoutError(`The job was not done within its timeout of ${timeout} ms`));
    const timer = timeout === undefined ? undefined : setTimeout(late, timeout);
    this.#done = this.#run().finally(() => {
      clearTimeout(timer);
      given?.removeEventListener('abort', follow);
    });
    // Whoever awaits or reads the job is told.
    this.#done.catch(() => {});
  }

  get counters(): Counters {
    return this.#driver.counters();
  }

  get stepCounters(): Counters[] {
    return this.#plan.steps.map((_, step) => this.#driver.counters(step));
  }

  readonly progress$ = new Observable<JobProgress>((subscriber) => {
    let timer: NodeJS.Timeout | undefined;
    const tell = (): void => {
      timer = undefined;
      subscriber.next(this.#driver.progress());
    };
    const listener = (): void => {
      timer ??= setTimeout(tell, PACE);
    };
    this.#listeners.add(listener);
    tell();
    this.#done.then(
      () => {
        clearTimeout(timer);
        tell();
        subscriber.complete();
      },
      () => subscriber.complete(),
    );
    return () => {
      clearTimeout(timer);
      this.#listeners.delete(listener);
    };
  });

  then<A = any, B = never>(
    onDone?: ((value: any) => A | PromiseLike<A>) | null,
    onFailed?: ((reason: any) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#result().then(onDone, onFailed);
  }

  catch<B = never>(onFailed: (reason: any) => B | PromiseLike<B>): Promise<any> {
    return this.#result().catch(onFailed);
  }

  finally(then: () => void): Promise<any> {
    return this.#result().finally(then);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Pair> {
    if (this.#plan.output)
      throw new UsageError(`The results of this job are in ${this.#plan.output.dir}; await it, and read them there`);
    if (this.#options.keep) {
      yield* (await this) as Kept;
      return;
    }
    for await (const pairs of this.#reading()) yield* pairs;
  }

  async cancel(reason = 'Cancelled'): Promise<void> {
    this.#abort.abort(new CancelledError(`The job was cancelled: ${reason}`));
    await this.#done.catch(() => {});
    await this.#end();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.cancel('Nobody needs it any more');
  }

  #result(): Promise<unknown> {
    if (this.#plan.output) return this.#done.then(() => this.#summary());
    if (this.#options.keep) return this.#done.then(() => new Kept(this.#home, () => this.#over()));
    this.#collected ??= this.#collect();
    return this.#collected;
  }

  async #collect(): Promise<Pair[]> {
    const all: Pair[] = [];
    for await (const pairs of this.#reading()) for (const pair of pairs) all.push(pair);
    return all;
  }

  /** Once, and what is not read to the end is not wanted. */
  async *#reading(): AsyncGenerator<Pair[]> {
    if (this.#read)
      throw new UsageError(
        'The results of a job are read once; with { keep: true } they stay, and are read as often as wanted',
      );
    this.#read = true;
    let whole = false;
    try {
      yield* readResults(this.#home);
      await this.#done;
      whole = true;
      await this.#over();
    } finally {
      if (!whole) await this.cancel('Nobody reads its results any more');
    }
  }

  #summary(): JobSummary {
    const { tasks } = this.#driver.last;
    return {
      output: this.#plan.output!.dir,
      parts: tasks.filter(({ done }) => done?.records).length,
      records: tasks.reduce((sum, { done }) => sum + (done?.records ?? 0), 0),
      counters: this.counters,
    };
  }

  async #run(): Promise<void> {
    const { output } = this.#plan;
    const { signal } = this.#abort;
    let prepared = false;
    try {
      signal.throwIfAborted();
      if (output) await this.#prepare(output);
      prepared = output !== undefined;
      await this.#driver.run();
      signal.throwIfAborted();
      if (!output) return;
      await commitOutput(output, this.#driver.last.tasks.length);
      await this.#over();
    } catch (thrown) {
      const error = signal.aborted ? signal.reason : thrown;
      // What still runs is to stop, and whoever waits for parts is told why.
      this.#abort.abort(error);
      this.#driver.wake();
      await this.#end();
      if (prepared) await abortOutput(output!);
      throw error;
    }
  }

  async #prepare(output: OutputSpec): Promise<void> {
    // What a former run of the same job was killed with.
    if (await this.#checkpoint?.exists()) await abortOutput(output);
    await prepareOutput(output);
  }

  /** All is well; copies of tasks that were not the first may take a while to see that they are not needed. */
  async #over(): Promise<void> {
    void this.#end();
    await this.#checkpoint?.remove();
  }

  #end(): Promise<void> {
    this.#ended ??= this.#runner.end();
    return this.#ended;
  }
}
