/** Mutual exclusion among the ranks of a communicator: first come, first served. */
import type { Comm } from '../comm.ts';
import { MpiError } from '../errors.ts';
import { derived, type Request, settledWith } from '../request.ts';
import { type Held, whileHeld } from './held.ts';
import { type AcquireOptions, Kept } from './kept.ts';
import { Monitor, type MonitorQuestion } from './monitor.ts';

export interface MutexOptions {
  /** A rank that holds it may acquire it again, and releases it as often. */
  recursive?: boolean;
  /** The rank that keeps the queue. Default 0. */
  home?: number;
}

export class Mutex implements AsyncDisposable {
  /** @internal */
  readonly kept: Kept<MonitorQuestion>;
  /** @internal Conditions of it, in the order in which they were made. */
  conditions = 0;
  readonly #recursive: boolean;
  #waiting = false;
  #depth = 0;

  /** @internal */
  static async open(comm: Comm, { recursive = false, home = 0 }: MutexOptions = {}): Promise<Mutex> {
    return new Mutex(await Kept.open(comm, 'mutex', home, () => new Monitor()), recursive);
  }

  private constructor(kept: Kept<MonitorQuestion>, recursive: boolean) {
    this.kept = kept;
    this.#recursive = recursive;
  }

  /** By this rank. */
  get held(): boolean {
    return this.#depth > 0;
  }
  /** How often this rank has acquired it, and not released it. */
  get depth(): number {
    return this.#depth;
  }

  /**
   * Waits for its turn. A rank holds a mutex, not a task of it: that it holds it already is an error, unless it is recursive.
   * @throws MpiError; RankLostError when a rank is gone that held it
   * @example await using held = await mutex.acquire();
   */
  acquire(options?: AcquireOptions): Request<Held> {
    if (this.#again('acquire')) return settledWith(this.#hold());
    return derived(this.#ask('acquire', true, options), () => this.#hold());
  }

  /** Takes it if nobody holds it. */
  tryAcquire(): Request<boolean> {
    if (this.#again('tryAcquire')) {
      this.#hold();
      return settledWith(true);
    }
    return derived(this.#ask('tryAcquire', false), (got) => {
      if (got) this.#hold();
      return got;
    });
  }

  /** @throws MpiError when this rank does not hold it */
  release(): Request<void> {
    this.check('release');
    if (--this.#depth > 0) return settledWith(undefined);
    return this.kept.ask('release', { do: 'release' });
  }

  /** By any rank, as of the answer. */
  locked(): Request<boolean> {
    return this.kept.ask('locked', { do: 'locked' });
  }

  /** Acquires it, and releases it when what `section` gives has come, or when it has thrown. */
  async run<T>(section: () => T | PromiseLike<T>, options?: AcquireOptions): Promise<T> {
    return whileHeld(this.acquire(options), section);
  }

  /** Collective. */
  free(): Promise<void> {
    return this.kept.free();
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.free();
  }

  /** @internal @throws MpiError unless this rank holds it */
  check(what: string): void {
    if (!this.#depth)
      throw new MpiError(`${what}: rank ${this.kept.comm.rank} does not hold this mutex; acquire it first`);
  }

  /** @internal Gives it up while a request is under way after which it is held as before. */
  lend(request: Request<unknown>): void {
    const depth = this.#depth;
    this.#depth = 0;
    this.#waiting = true;
    request.whenSettled(() => {
      this.#waiting = false;
      if (!request.failed) this.#depth = depth;
    });
  }

  #again(what: string): boolean {
    if (this.#waiting)
      throw new MpiError(`${what}: rank ${this.kept.comm.rank} waits for this mutex already; await that first`);
    if (this.#depth && !this.#recursive)
      throw new MpiError(
        `${what}: rank ${this.kept.comm.rank} holds this mutex already; release it first, or make it with { recursive: true }`,
      );
    return this.#depth > 0;
  }

  #ask(what: string, wait: boolean, options?: AcquireOptions): Request<boolean> {
    const request = this.kept.ask<boolean>(what, { do: 'acquire', wait }, options);
    this.#waiting = true;
    request.whenSettled(() => {
      this.#waiting = false;
    });
    return request;
  }

  #hold(): Held {
    this.#depth++;
    let released = false;
    return {
      [Symbol.asyncDispose]: async () => {
        if (released || !this.#depth) return;
        released = true;
        await this.release();
      },
    };
  }
}
