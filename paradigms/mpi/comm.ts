/** A communicator: what a rank's main gets, and what is made from it. */
import type { TypedArray } from './arrays.ts';
import type { CartComm } from './cart-comm.ts';
import { CollectiveCalls } from './collective-calls.ts';
import * as direct from './collectives/direct.ts';
import type { Core } from './core.ts';
import { createGroup } from './create-group.ts';
import { MpiError } from './errors.ts';
import { Grid } from './grid.ts';
import { type Comparison, Group } from './group.ts';
import type { Intercomm } from './intercomm.ts';
import { packed, unpacked } from './packet.ts';
import * as requests from './request.ts';
import { derived, Request, requestOf } from './request.ts';
import type { CollectiveName } from './signature.ts';
import type { SpawnMain, SpawnOptions } from './spawn.ts';
import { SyncComm } from './sync-comm.ts';
import { Condition } from './util/condition.ts';
import { Counter, type CounterOptions } from './util/counter.ts';
import { Mutex, type MutexOptions } from './util/mutex.ts';
import { Pool, type PoolOptions } from './util/pool.ts';
import { Semaphore, type SemaphoreOptions } from './util/semaphore.ts';
import { Sequential } from './util/sequential.ts';
import { openWindow, type Window, type WindowArray } from './window.ts';

export class Comm extends CollectiveCalls implements AsyncDisposable {
  #sync: SyncComm | undefined;

  /**
   * The same operations with the thread blocked until they are done, as in C.
   * @throws MpiError unless all members are threads of one process
   */
  get sync(): SyncComm {
    return (this.#sync ??= new SyncComm(this));
  }

  /** Of this rank. */
  get host(): string {
    return this.core.world.hosts[this.core.world.rank]!;
  }

  /** Of this rank alone. */
  get self(): Comm {
    const { world } = this.core;
    this.core.check('self');
    // Who else has a communicator with its context sends nothing here.
    world.self ??= world.communicators.open([world.rank], world.communicators.next);
    return new Comm(world.self);
  }

  /** The same members, another context: messages of one never meet receives of the other. Collective. */
  dup(): Request<Comm> {
    return this.#create('dup', undefined, () => 0);
  }

  /**
   * One communicator for each colour, ranks in the order of keys, and of ranks here where keys are equal. Null where the
   * colour is undefined. Collective.
   */
  split(color: number | undefined, key = 0): Request<Comm | null> {
    if (color !== undefined && !(Number.isInteger(color) && color >= 0))
      throw new MpiError(`split: a colour is an integer from 0 on, or undefined; got ${String(color)}`);
    return this.#create('split', color, () => key) as Request<Comm | null>;
  }

  /** Those that share something: `host`, the machine. Collective. */
  splitType(type: 'host', key = 0): Request<Comm> {
    if (type !== 'host') throw new MpiError(`splitType knows 'host'; got ${String(type)}`);
    const { hosts } = this.core.world;
    return this.#create('split', hosts.indexOf(this.host), () => key) as Request<Comm>;
  }

  /** Of its members. */
  group(): Group {
    return new Group(this.core.members);
  }

  /** Of the members of a group, in its order; null for others. Collective over this communicator. */
  create(group: Group): Request<Comm | null> {
    const place = group.members.indexOf(this.core.world.rank);
    return this.#create('create', place < 0 ? undefined : 0, () => place) as Request<Comm | null>;
  }

  /** IDENT: the same one; CONGRUENT: the same members in the same order; SIMILAR: in another one. */
  compare(other: Comm): Comparison {
    if (other.core === this.core) return 'IDENT';
    const of = this.group().compare(other.group());
    return of === 'IDENT' ? 'CONGRUENT' : of;
  }

  /**
   * The same where only the members of the group call it, all with the same tag: for those that are left when others cannot be
   * reached, or are busy. Collective over the group.
   */
  createGroup(group: Group, tag = 0): Request<Comm> {
    return derived(createGroup(this.core, group, tag), (core) => new Comm(core));
  }

  /**
   * Members as places of a grid, the last dimension counting fastest; null for those that it has no place for. Collective.
   * @param periods in which dimensions the last place is followed by the first
   */
  cart(dims: readonly number[], periods: readonly boolean[] = dims.map(() => false)): Request<CartComm | null> {
    const grid = new Grid(dims, periods);
    if (grid.size > this.size)
      throw new MpiError(
        `cart: a grid of ${dims.join(' × ')} has ${grid.size} places, and ${this.core.name} ${this.size} ranks`,
      );
    const color = this.rank < grid.size ? 0 : undefined;
    return this.#create(
      'cart',
      color,
      () => this.rank,
      (core) => core.world.cart(core, grid),
    ) as Request<CartComm | null>;
  }

  /**
   * An array of each rank that all can read and write: in place where they share memory, else by messages. Collective.
   * @example const w = await comm.window(Int32Array, 1); await w.fetchAdd(0, 0, 1); await w.fence();
   */
  window<A extends TypedArray>(type: WindowArray<A>, length: number): Request<Window<A>> {
    return openWindow(this, type, length);
  }

  /** Numbers of which each call of anybody gets another one. Collective. */
  counter(options?: CounterOptions): Request<Counter> {
    return requestOf(Counter.open(this, options));
  }
  /** One rank at a time, first come, first served. Collective. */
  mutex(options?: MutexOptions): Request<Mutex> {
    return requestOf(Mutex.open(this, options));
  }
  /** Ranks that wait until others notify them: of a mutex that all of them have, or of one of its own. Collective. */
  condition(mutex?: Mutex | MutexOptions): Request<Condition> {
    return requestOf(Condition.open(this, mutex));
  }
  /** So many at a time, first come, first served. Collective. */
  semaphore(value = 1, options?: SemaphoreOptions): Request<Semaphore> {
    return requestOf(Semaphore.open(this, value, options));
  }
  /** A section that ranks enter in their order. @param home the rank that keeps whose turn it is. Collective. */
  sequential(home = 0): Request<Sequential> {
    return requestOf(Sequential.open(this, home));
  }
  /**
   * The others do what the root gives them: it gets a pool, and they get null when it is closed. Collective.
   * @example await using pool = await comm.pool(); if (pool) console.log(await pool.map((x: number) => x * x, [1, 2, 3]));
   */
  pool(options?: PoolOptions): Request<Pool | null> {
    return requestOf(Pool.open(this, options));
  }

  /**
   * Starts so many engines, and a run of their own on them; what it gives talks to them, and their `comm.parent` to us. They end with their
   * mains. Collective; the main and its arguments count at the root.
   * @throws SpawnError with why, for each of them
   */
  spawn<A extends readonly unknown[] = readonly unknown[]>(
    n: number,
    main: SpawnMain<A>,
    options: SpawnOptions<A> = {},
  ): Request<Intercomm> {
    return this.core.world.spawn(this.core, n, main, options);
  }
  /** Those who have spawned this run; undefined: it was begun by a client. */
  get parent(): Intercomm | undefined {
    return this.core.world.parent;
  }

  /** Gives it up: it cannot be used any more, and what was sent on it and not received is forgotten. Collective. */
  free(): Request<void> {
    const { core } = this;
    if (core.context === 0) throw new MpiError('The world cannot be freed; it ends with the run');
    const done = core.collective('free', {}, function* () {});
    core.close();
    return done;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.core.freed && this.core.context !== 0) await this.free();
  }

  /** Ends the whole run; `tutti mpi` exits with the code. */
  abort(code = 1): never {
    return this.core.world.abort(code);
  }

  /** All operations on it reject from now on, at all members, whatever they are waiting for. */
  revoke(): void {
    this.core.revoke();
  }
  get revoked(): boolean {
    return this.core.revoked;
  }

  /** Members that are known to be gone. */
  get lost(): number[] {
    return this.core.failed();
  }

  /** From now on receives from anybody do without those that are gone. Gives them. */
  acknowledge(): number[] {
    const lost = this.core.failed();
    for (const rank of lost) this.core.acknowledged.add(rank);
    return lost;
  }

  /** All bits that all survivors have set. Collective over those that are left, also when it is revoked. */
  agree(flag = -1): Request<number> {
    const agreed = new Request<number>();
    const round = this.core.agreements.agree(flag);
    round.whenSettled(() => (round.failed ? agreed.reject(round.error) : agreed.resolve(round.take().flag)));
    return agreed;
  }

  /** A communicator of those that are left, in the same order. Collective over them, also when this one is revoked. */
  shrink(): Request<Comm> {
    const { core } = this;
    const shrunk = new Request<Comm>();
    const round = core.agreements.agree(-1);
    round.whenSettled(() => {
      if (round.failed) {
        shrunk.reject(round.error);
        return;
      }
      const { lost, next } = round.take();
      for (const rank of lost) core.world.lose(rank, 'another rank has found it gone');
      const members = core.members.filter((member) => !lost.includes(member));
      shrunk.resolve(new Comm(core.world.communicators.open(members, next)));
    });
    return shrunk;
  }

  /** Something that is no message as a request: to be waited for together with others. */
  request<T>(promise: PromiseLike<T>): Request<T> {
    return requestOf(promise);
  }
  /** Settles when all have; `InStatusError` has the errors of those that failed. Undefined ones count as done. */
  waitAll = requests.all;
  /** The index of one that has settled; -1 when none is active. */
  waitAny = requests.any;
  /** The indices of all that have, as soon as one has; undefined when none is active. */
  waitSome = requests.some;
  testAll = (list: requests.Requests): boolean => this.#polled(() => requests.testAll(list));
  testAny = (list: requests.Requests): number | undefined => this.#polled(() => requests.testAny(list));
  testSome = (list: requests.Requests): number[] | undefined => this.#polled(() => requests.testSome(list));

  /** The run has ended, well or not: all operations reject. A communicator that somebody has kept can still be asked. */
  get finalized(): boolean {
    return this.core.world.over !== undefined;
  }

  /** Seconds, of a clock that only goes forward. */
  wtime(): number {
    return performance.now() / 1e3;
  }

  #polled<T>(test: () => T): T {
    this.core.world.waiting.poll();
    return test();
  }

  /** Members tell each other colours, keys, and contexts that they have not used. */
  #create(
    name: CollectiveName,
    color: number | undefined,
    key: () => number,
    make: (core: Core) => Comm = (core) => new Comm(core),
  ): Request<Comm> {
    const { core } = this;
    const { world } = core;
    const packet = packed([name === 'dup' ? 0 : (color ?? -1), key(), world.communicators.next]);
    return core.collective(name, {}, function* (round) {
      const told = (yield* direct.allgather(round, packet)).map((p) => unpacked(p) as [number, number, number]);
      const context = Math.max(...told.map(([, , next]) => next));
      if (name !== 'dup' && color === undefined) {
        world.communicators.skip(context);
        return null as unknown as Comm;
      }
      const mine = told[round.rank]![0];
      const members = told
        .map(([c, k], rank) => ({ c, k, rank }))
        .filter(({ c }) => c === mine)
        .sort((a, b) => a.k - b.k || a.rank - b.rank)
        .map(({ rank }) => core.members[rank]!);
      return make(world.communicators.open(members, context));
    });
  }
}
