/** Results that stay on the engines: input of further jobs, read when somebody wants to. */

import { UsageError } from '../../../core/index.ts';
import type { KeptPart } from '../types.ts';
import type { Driver } from './driver.ts';
import { type Pair, type ResultsHome, readResults } from './results.ts';
import type { Runner } from './runner.ts';
import type { KeptInput } from './stage-run.ts';

export class Kept implements AsyncIterable<Pair>, AsyncDisposable {
  readonly kind = 'kept';
  readonly #home: ResultsHome;
  readonly #end: () => Promise<void>;
  #closed = false;

  constructor(home: ResultsHome, end: () => Promise<void>) {
    this.#home = home;
    this.#end = end;
  }

  /** Where they are now. */
  get parts(): KeptPart[] {
    return this.#driver.last.tasks.map(({ done }) => ({
      engine: done?.engine ?? -1,
      records: done?.records ?? 0,
      bytes: done?.bytes ?? 0,
    }));
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Pair> {
    this.#check();
    for await (const pairs of readResults(this.#home)) yield* pairs;
  }

  /** They are not needed any more. Closing twice is fine. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#end();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** For the driver of another job. @throws UsageError where that does not run where they are */
  inputs(input: number, runner: Runner): (KeptInput & { bytes: number })[] {
    this.#check();
    const { job, driver } = this.#home;
    if (runner.place !== this.#home.runner.place)
      throw new UsageError(
        'Results that are kept are input of jobs of the same client: of its cluster, or inline where they were made inline',
      );
    const stage = driver.last;
    return stage.tasks.map((task) => {
      let last = task.done;
      return {
        kind: 'kept part',
        input,
        bytes: task.done?.bytes ?? 0,
        async locate() {
          last = await driver.present(stage, task);
          return { kind: 'kept', input, engine: last.engine, name: { job, stage: stage.index, task: task.id } };
        },
        lost: () => driver.restore(stage, task, last),
      };
    });
  }

  get #driver(): Driver {
    return this.#home.driver;
  }

  #check(): void {
    if (this.#closed) throw new UsageError('These results were closed, and are gone');
  }
}
