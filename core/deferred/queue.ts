import { QueueClosedError, QueueOverflowError, QueueUnderflowError, UsageError } from '../errors.ts';
import { Deferred } from './deferred.ts';
import { Line } from './line.ts';

export interface DeferredQueueOptions {
  /** How many values may lie in it; unlimited if absent. 0: `put` only to somebody who waits. */
  readonly size?: number | undefined;
  /** How many may wait for a value; unlimited if absent. 0: `get` only what is there. */
  readonly backlog?: number | undefined;
}

/**
 * Values on one side, those who wait for one on the other, both first come, first served. A value goes straight to who
 * has waited longest. Iterating takes values until the queue is closed and empty.
 */
export class DeferredQueue<T> implements AsyncIterable<T> {
  readonly #size: number;
  readonly #backlog: number;
  readonly #values = new Line<T>();
  readonly #getters = new Line<Deferred<T>>();
  #closed = false;

  constructor({ size, backlog }: DeferredQueueOptions = {}) {
    this.#size = limit('size', size);
    this.#backlog = limit('backlog', backlog);
  }

  /** Values that nobody has taken yet. */
  get size(): number {
    return this.#values.size;
  }

  /** How many wait for a value. */
  get waiting(): number {
    return this.#getters.size;
  }

  /** Throws QueueOverflowError if the queue is full, QueueClosedError if it is closed. */
  put(value: T): void {
    if (this.#closed) throw new QueueClosedError('put() into a queue that is closed; nobody would get it');
    const getter = this.#getters.next();
    if (getter) getter.callback(value);
    else if (this.#values.size < this.#size) this.#values.join(value);
    else
      throw new QueueOverflowError(
        `put() into a queue that holds ${this.#size}, as many as it may; get() first, or give it a larger size`,
      );
  }

  /**
   * The first value, as soon as there is one; cancelling while it waits loses none. Throws QueueUnderflowError if
   * `backlog` others wait. Fails with QueueClosedError when nothing more can come.
   */
  get(): Deferred<T> {
    if (this.#values.size > 0) return Deferred.succeed(this.#values.next() as T);
    if (this.#closed) return Deferred.fail(closed());
    if (this.#getters.size >= this.#backlog)
      throw new QueueUnderflowError(
        `get() from an empty queue for which ${this.#backlog} wait, as many as may; put() first, or give it a larger backlog`,
      );
    const getter = new Deferred<T>(() => this.#getters.leave(place));
    const place = this.#getters.join(getter);
    return getter;
  }

  /** No more values; those in it can still be had. Who waits fails with QueueClosedError. Closing twice is fine. */
  close(): void {
    this.#closed = true;
    for (let getter = this.#getters.next(); getter; getter = this.#getters.next()) getter.errback(closed());
  }

  /** Leaving the loop gives up the place in line; it loses no value. */
  [Symbol.asyncIterator](): AsyncIterator<T, undefined, undefined> {
    let getter: Deferred<T> | undefined;
    let over = false;
    const end = { done: true, value: undefined } as const;
    return {
      next: async () => {
        if (over) return end;
        getter = this.get();
        try {
          return { done: false, value: await getter };
        } catch (error) {
          if (over || error instanceof QueueClosedError) return end;
          throw error;
        }
      },
      return: async () => {
        over = true;
        getter?.cancel('left the loop');
        return end;
      },
    };
  }
}

function limit(name: string, value: number | undefined): number {
  if (value === undefined) return Number.POSITIVE_INFINITY;
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new UsageError(`A queue with ${name} ${value} is not possible; give a whole number from 0, or leave it out`);
}

function closed(): QueueClosedError {
  return new QueueClosedError('The queue is closed, and nothing is left in it');
}
