/** Ranks wait until another one says that something has changed. */
import type { Comm } from '../comm.ts';
import { MpiError } from '../errors.ts';
import type { Request } from '../request.ts';
import type { Held } from './held.ts';
import type { AcquireOptions } from './kept.ts';
import { Mutex, type MutexOptions } from './mutex.ts';

export class Condition implements AsyncDisposable {
  readonly mutex: Mutex;
  readonly #own: boolean;
  readonly #id: number;

  /** @internal @param given of the same members, or how to make one */
  static async open(comm: Comm, given?: Mutex | MutexOptions): Promise<Condition> {
    if (given instanceof Mutex) return new Condition(given, false);
    return new Condition(await Mutex.open(comm, given), true);
  }

  private constructor(mutex: Mutex, own: boolean) {
    this.mutex = mutex;
    this.#own = own;
    this.#id = ++mutex.conditions;
  }

  acquire(options?: AcquireOptions): Request<Held> {
    return this.mutex.acquire(options);
  }
  release(): Request<void> {
    return this.mutex.release();
  }

  /**
   * Gives the mutex up until this rank is notified, first come, first served, and gives true when it holds it again; false when the
   * timeout was over before. The mutex is held again also when it rejects because of its signal.
   * @throws MpiError when this rank does not hold the mutex
   */
  async wait({ signal, timeout }: AcquireOptions = {}): Promise<boolean> {
    this.mutex.check('wait');
    signal?.throwIfAborted();
    const request = this.mutex.kept.ask<boolean>('wait', { do: 'wait', condition: this.#id }, { signal, timeout });
    this.mutex.lend(request);
    const notified = await request;
    if (!notified) signal?.throwIfAborted();
    return notified;
  }

  /** Waits until the predicate holds; it is asked when the mutex is held. False: the timeout was over before. */
  async waitFor(
    predicate: () => boolean | PromiseLike<boolean>,
    { signal, timeout }: AcquireOptions = {},
  ): Promise<boolean> {
    this.mutex.check('waitFor');
    const until = performance.now() + (timeout ?? Number.POSITIVE_INFINITY);
    while (!(await predicate())) {
      const left = until - performance.now();
      if (left <= 0) return false;
      await this.wait({ signal, ...(timeout !== undefined && { timeout: left }) });
    }
    return true;
  }

  /** Lets so many of those that wait go on, one after the other; gives how many that are. */
  notify(count = 1): Request<number> {
    this.mutex.check('notify');
    if (!(Number.isInteger(count) && count >= 0) && count !== Number.POSITIVE_INFINITY)
      throw new MpiError(`notify takes how many may go on: 0, 1, 2, …; got ${String(count)}`);
    return this.mutex.kept.ask('notify', { do: 'notify', condition: this.#id, count });
  }
  notifyAll(): Request<number> {
    return this.notify(Number.POSITIVE_INFINITY);
  }

  /** Collective. A mutex that it was given is not freed with it. */
  async free(): Promise<void> {
    if (this.#own) await this.mutex.free();
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.free();
  }
}
