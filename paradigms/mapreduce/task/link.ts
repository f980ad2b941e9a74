/** Records on their way into a map: a list, which is worked off whenever there is time. */
import { MapReduceError } from '../errors.ts';
import { type Context, type Emit, isThenable } from './context.ts';

/** Records that wait at most, unless the map is asynchronous. */
const MOST = 1_024;

export class Link {
  readonly #call: (record: unknown) => unknown;
  readonly #context: Pick<Context, 'file' | 'task'>;
  #inbox: readonly unknown[] = [];
  #given: unknown[] = [];
  #at = 0;
  #count = 0;
  /** What a map is not ready with. */
  #waits: PromiseLike<unknown> | undefined;

  /** @param context says where records come from, for errors */
  constructor(call: (record: unknown) => unknown, context: Pick<Context, 'file' | 'task'>) {
    this.#call = call;
    this.#context = context;
  }

  /** Records that have come. */
  get count(): number {
    return this.#count;
  }

  readonly push: Emit = (key, value) => {
    this.#count++;
    if (this.#given.push([key, value]) >= MOST && !this.#waits && this.#at === this.#inbox.length) this.#work();
  };

  /** Works off a list of them, and all that waits. */
  take(records: readonly unknown[]): void | Promise<void> {
    this.#count += records.length;
    this.#inbox = records;
    this.#at = 0;
    return this.settle();
  }

  /** Until nothing waits any more. */
  settle(): void | Promise<void> {
    this.#work();
    return this.#waits && this.#wait();
  }

  async #wait(): Promise<void> {
    while (this.#waits) {
      try {
        await this.#waits;
      } catch (error) {
        throw this.#failed(error);
      }
      this.#waits = undefined;
      this.#work();
    }
  }

  #work(): void {
    if (this.#waits) return;
    do {
      const records = this.#inbox;
      let at = this.#at;
      try {
        while (at < records.length) {
          const result = this.#call(records[at++]);
          if (isThenable(result)) {
            this.#at = at;
            this.#waits = result;
            return;
          }
        }
      } catch (error) {
        this.#at = at;
        throw this.#failed(error);
      }
      this.#inbox = this.#given;
      this.#given = [];
      this.#at = 0;
    } while (this.#inbox.length);
  }

  #failed(error: unknown): unknown {
    if (error instanceof MapReduceError || error instanceof Stop) return error;
    const index = this.#count - (this.#inbox.length - this.#at) - this.#given.length;
    const { file, task } = this.#context;
    const where = `record ${index} of task ${task.id}${file === undefined ? '' : `, in ${file}`}`;
    const what = error instanceof Error ? `${error.name}: ${error.message}` : `it threw ${String(error)}`;
    return new MapReduceError(`map of step ${task.step} failed at ${where}: ${what}`, { cause: error });
  }
}

/** Thrown to end a task that has done enough. */
export class Stop extends Error {}
