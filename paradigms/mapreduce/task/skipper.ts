/** Leaves out records that make the map throw, with all that it has emitted for them. */
import { BUILT_IN } from '../counters.ts';
import type { JobSpec } from '../types.ts';
import { type Context, type Emit, isThenable } from './context.ts';
import { Stop } from './link.ts';

export class Skipper {
  readonly #emit: Emit;
  readonly #most: number;
  #emitted: [unknown, unknown][] = [];
  #inside = false;
  #skipped = 0;

  /** @param most records that it may leave out */
  constructor(emit: Emit, most: number) {
    this.#emit = emit;
    this.#most = most;
  }

  /** For the map's context: what is emitted for a record goes on when the map is done with it. */
  readonly emit: Emit = (key, value) => {
    if (this.#inside) this.#emitted.push([key, value]);
    else this.#emit(key, value);
  };

  calling(map: NonNullable<JobSpec['map']>, context: Context): (record: unknown) => unknown {
    const done = (): void => {
      this.#inside = false;
      const pairs = this.#emitted;
      this.#emitted = [];
      for (const [key, value] of pairs) this.#emit(key, value);
    };
    const failed = (error: unknown): void => {
      this.#inside = false;
      this.#emitted = [];
      if (error instanceof Stop || context.signal.aborted || ++this.#skipped > this.#most) throw error;
      context.counter(BUILT_IN, 'records skipped');
    };
    return (record) => {
      this.#inside = true;
      let result: unknown;
      try {
        result = map(record, context);
      } catch (error) {
        return failed(error);
      }
      return isThenable(result) ? result.then(done, failed) : done();
    };
  }
}
