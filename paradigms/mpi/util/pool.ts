/**
 * One rank of a communicator gives work to the others: functions that it sends, one at a time to each. Whoever is free gets the
 * next; one that is gone takes with it only what it had.
 */
import type { Comm } from '../comm.ts';
import { MpiError, RankLostError } from '../errors.ts';

const TASK = 1;
const RESULT = 2;

export interface PoolOptions {
  /** The rank that gives the work. Default 0. */
  root?: number;
}

export interface PoolMapOptions {
  /** So many items go together: for functions that take no time. Default 1. */
  chunk?: number;
}

/** Several calls of one function. */
interface Task {
  readonly fn: unknown;
  readonly calls: readonly (readonly unknown[])[];
  settle(outcome: Outcome): void;
}

/** Of its calls, in order, up to the first that has failed. */
type Outcome = { ok: true; values: unknown[] } | { ok: false; error: unknown };

type Message = { fn: unknown; calls: readonly (readonly unknown[])[] } | null;

export class Pool implements AsyncDisposable {
  readonly #comm: Comm;
  #idle: number[];
  #workers: number;
  readonly #queue: Task[] = [];
  #open = 0;
  #closed: Promise<void> | undefined;
  #drained = (): void => {};

  /** Collective: the pool at the root; at the others, which serve until it is closed, null. @internal */
  static async open(comm: Comm, { root = 0 }: PoolOptions = {}): Promise<Pool | null> {
    if (!Number.isInteger(root) || root < 0 || root >= comm.size)
      throw new MpiError(
        `pool: there is no rank ${String(root)} to be its root; ${comm.core.name} has ranks 0 to ${comm.size - 1}`,
      );
    const own = await comm.dup();
    if (own.rank === root) return new Pool(own);
    try {
      await serve(own, root);
    } finally {
      own.core.close();
    }
    return null;
  }

  private constructor(comm: Comm) {
    this.#comm = comm;
    this.#idle = Array.from({ length: comm.size }, (_, rank) => rank).filter((rank) => rank !== comm.rank);
    // Alone, it does the work itself.
    if (!this.#idle.length) this.#idle = [comm.rank];
    this.#workers = this.#idle.length;
  }

  /** Ranks that work, and are there. */
  get size(): number {
    return this.#workers;
  }

  /**
   * Calls the function at one of the others. It takes along what it has captured, as functions that a client sends do.
   * @throws CannotTravelError, what the function throws, RankLostError when its rank goes meanwhile
   */
  submit<A extends unknown[], R>(fn: (...args: A) => R, ...args: A): Promise<Awaited<R>> {
    this.#check('submit', fn);
    const call = async (): Promise<unknown> => (await this.#run(await this.#travelling(fn), [args]))[0];
    return this.#during(call) as Promise<Awaited<R>>;
  }

  /**
   * What the function gives for each item, in their order, wherever it was called. Rejects with the first that fails.
   * @example const squares = await pool.map((x: number) => x * x, [1, 2, 3]);
   */
  map<T, R>(
    fn: (item: T, index: number) => R,
    items: Iterable<T>,
    { chunk = 1 }: PoolMapOptions = {},
  ): Promise<Awaited<R>[]> {
    this.#check('map', fn);
    if (!Number.isInteger(chunk) || chunk < 1)
      throw new MpiError(`map: a chunk is 1 or more items; got ${String(chunk)}`);
    const calls = Array.from(items, (item, i) => [item, i] as const);
    return this.#during(async () => {
      const travelling = await this.#travelling(fn);
      const parts: Promise<unknown[]>[] = [];
      for (let i = 0; i < calls.length; i += chunk) parts.push(this.#run(travelling, calls.slice(i, i + chunk)));
      const values = await Promise.all(parts);
      return values.flat(1) as Awaited<R>[];
    });
  }

  /** When all that was given is done; the others go on after their `pool()`. Closing twice is fine. */
  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    const { core, rank, size } = this.#comm;
    if (this.#open)
      await new Promise<void>((resolve) => {
        this.#drained = resolve;
      });
    if (!core.world.over) {
      const lost = core.lost();
      const ends: PromiseLike<unknown>[] = [];
      for (let to = 0; to < size; to++)
        if (to !== rank && !lost.includes(to)) ends.push(this.#comm.send(null, to, TASK));
      await Promise.allSettled(ends);
    }
    core.close();
  }

  #check(what: string, fn: unknown): void {
    if (this.#closed) throw new MpiError(`${what}: this pool was closed; open another one`);
    if (typeof fn !== 'function') throw new MpiError(`${what} takes a function; got ${typeof fn}`);
  }

  /** In the form in which it can be sent; alone, it need not be. */
  async #travelling(fn: unknown): Promise<unknown> {
    const { core, size } = this.#comm;
    return size === 1 ? fn : core.world.functions.pack(fn);
  }

  /** The pool is not closed before it has ended. */
  async #during<T>(work: () => Promise<T>): Promise<T> {
    this.#open++;
    try {
      return await work();
    } finally {
      if (--this.#open === 0) this.#drained();
    }
  }

  #run(fn: unknown, calls: Task['calls']): Promise<unknown[]> {
    return new Promise((resolve, reject) => {
      this.#queue.push({
        fn,
        calls,
        settle: (outcome) => (outcome.ok ? resolve(outcome.values) : reject(outcome.error)),
      });
      this.#pump();
    });
  }

  #pump(): void {
    while (this.#queue.length && this.#idle.length) void this.#give(this.#idle.shift()!, this.#queue.shift()!);
    if (this.#workers) return;
    for (const { settle } of this.#queue.splice(0))
      settle({ ok: false, error: new MpiError('All ranks of this pool are gone; nobody is left to do its work') });
  }

  async #give(rank: number, { fn, calls, settle }: Task): Promise<void> {
    let outcome: Outcome;
    let gone = false;
    try {
      if (rank === this.#comm.rank) outcome = await callAll(fn as () => unknown, calls);
      else {
        const answer = this.#comm.recv<Outcome>(rank, RESULT);
        try {
          await this.#comm.send({ fn, calls } satisfies Message, rank, TASK);
        } catch (error) {
          answer.cancel();
          throw error;
        }
        outcome = await answer;
      }
    } catch (error) {
      gone = error instanceof RankLostError;
      outcome = { ok: false, error };
    }
    if (gone) this.#workers--;
    else this.#idle.push(rank);
    settle(outcome);
    this.#pump();
  }
}

async function serve(comm: Comm, root: number): Promise<void> {
  const { functions } = comm.core.world;
  for (;;) {
    const message = await comm.recv<Message>(root, TASK);
    if (message === null) return;
    let outcome: Outcome;
    try {
      outcome = await callAll((await functions.open(message.fn)) as () => unknown, message.calls);
    } catch (error) {
      outcome = { ok: false, error };
    }
    try {
      await comm.send(outcome, root, RESULT);
    } catch (error) {
      if (error instanceof MpiError) throw error;
      await comm.send({ ok: false, error }, root, RESULT); // it cannot travel
    }
  }
}

async function callAll(fn: (...args: any[]) => unknown, calls: Task['calls']): Promise<Outcome> {
  const values: unknown[] = [];
  try {
    for (const args of calls) values.push(await fn(...args));
    return { ok: true, values };
  } catch (error) {
    return { ok: false, error };
  }
}
