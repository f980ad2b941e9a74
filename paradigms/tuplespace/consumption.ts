/** One or more loops that take tuples, of which they hold no more than so many at a time. */
import { TimeoutError } from '../../core/index.ts';
import type { Held } from './link.ts';

interface Source {
  readonly concurrency: number;
  readonly signal: AbortSignal | undefined;
  /** Waits for a tuple, which is then ours to settle. */
  take(stop: AbortSignal): Promise<Held>;
  settle(held: Held, taken: boolean): void;
  /** It ends when no tuple comes in time. */
  readonly ends: boolean;
}

interface Loop {
  resolve(held: Held | undefined): void;
  reject(error: unknown): void;
}

export class Consumption<T> implements AsyncIterable<T> {
  readonly #source: Source;
  readonly #ready: Held[] = [];
  readonly #hungry: Loop[] = [];
  #stop = new AbortController();
  #taking = 0;
  #held = 0;
  #loops = 0;
  #over: { error?: unknown } | undefined;

  constructor(source: Source) {
    this.#source = source;
    const { signal } = source;
    if (signal?.aborted) this.#end({ error: signal.reason });
    else signal?.addEventListener('abort', () => this.#end({ error: signal.reason }), { once: true });
  }

  [Symbol.asyncIterator](): AsyncIterator<T> {
    let current: Held | undefined;
    let over = false;
    this.#loops++;
    const done = (): void => {
      if (!current) return;
      this.#source.settle(current, true);
      current = undefined;
      this.#held--;
    };
    const leave = (): void => {
      if (over) return;
      over = true;
      // What was taken ahead for the last loop goes back; another loop may begin anew.
      if (--this.#loops === 0) this.#rest();
    };
    return {
      next: async () => {
        done();
        if (over) return { done: true, value: undefined };
        try {
          current = await this.#next();
        } catch (error) {
          leave();
          throw error;
        }
        if (!current) leave();
        return current ? { done: false, value: current.tuple } : { done: true, value: undefined };
      },
      return: async () => {
        done();
        leave();
        this.#pump();
        return { done: true, value: undefined };
      },
    };
  }

  #next(): Promise<Held | undefined> {
    return new Promise((resolve, reject) => {
      this.#hungry.push({ resolve, reject });
      this.#pump();
    });
  }

  #pump(): void {
    while (this.#hungry.length && this.#ready.length) this.#feed(this.#ready.shift()!);
    if (this.#over) {
      for (const loop of this.#hungry.splice(0)) {
        if ('error' in this.#over) loop.reject(this.#over.error);
        else loop.resolve(undefined);
      }
      return;
    }
    if (!this.#loops) return;
    while (this.#taking + this.#ready.length + this.#held < this.#source.concurrency) {
      const { signal } = this.#stop;
      this.#taking++;
      this.#source.take(signal).then(
        (held) => {
          this.#taking--;
          if (signal.aborted) this.#source.settle(held, false);
          else if (this.#hungry.length) this.#feed(held);
          else this.#ready.push(held);
          this.#pump();
        },
        (error) => {
          this.#taking--;
          if (!signal.aborted) this.#end(this.#source.ends && error instanceof TimeoutError ? {} : { error });
        },
      );
    }
  }

  #feed(held: Held): void {
    this.#held++;
    this.#hungry.shift()!.resolve(held);
  }

  #end(over: { error?: unknown }): void {
    this.#over ??= over;
    this.#rest();
    this.#pump();
  }

  #rest(): void {
    this.#stop.abort();
    this.#stop = new AbortController();
    for (const held of this.#ready.splice(0)) this.#source.settle(held, false);
  }
}
