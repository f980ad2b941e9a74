/** Numbers that no two ranks get: each call of `next`, of whichever rank, gives the one after the last. */
import type { Comm } from '../comm.ts';
import { MpiError } from '../errors.ts';
import type { Request } from '../request.ts';
import type { Window } from '../window.ts';

export interface CounterOptions {
  /** Default 0. */
  start?: number;
  /** Default 1. */
  step?: number;
  /** The rank that has it in its memory. Default 0. */
  home?: number;
}

export class Counter implements AsyncDisposable, AsyncIterable<number> {
  readonly #comm: Comm;
  readonly #window: Window<Float64Array>;
  readonly #home: number;
  readonly #step: number;
  #freed: Promise<void> | undefined;

  /** @internal */
  static async open(comm: Comm, { start = 0, step = 1, home = 0 }: CounterOptions = {}): Promise<Counter> {
    for (const [name, value] of Object.entries({ start, step }))
      if (typeof value !== 'number' || Number.isNaN(value))
        throw new MpiError(`counter: ${name} is a number; got ${String(value)}`);
    if (!Number.isInteger(home) || home < 0 || home >= comm.size)
      throw new MpiError(
        `counter: there is no rank ${String(home)} to keep it; ${comm.core.name} has ranks 0 to ${comm.size - 1}`,
      );
    const own = await comm.dup();
    const window = await own.window(Float64Array, own.rank === home ? 1 : 0);
    if (own.rank === home) window.local[0] = start;
    await own.barrier();
    return new Counter(own, window, home, step);
  }

  private constructor(comm: Comm, window: Window<Float64Array>, home: number, step: number) {
    this.#comm = comm;
    this.#window = window;
    this.#home = home;
    this.#step = step;
  }

  next(): Request<number> {
    if (this.#freed) throw new MpiError('next: this counter was freed; make another one');
    return this.#window.fetchAdd(this.#home, 0, this.#step);
  }

  /** Until the loop is left. */
  async *[Symbol.asyncIterator](): AsyncGenerator<number> {
    for (;;) yield await this.next();
  }

  /** Collective over those that are left. Freeing twice is fine. */
  free(): Promise<void> {
    return (this.#freed ??= this.#free());
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.free();
  }

  async #free(): Promise<void> {
    const { core } = this.#comm;
    if (!core.world.over) await this.#window.free();
    if (!core.freed) core.close();
  }
}
