/**
 * Two groups that talk to each other: those who spawned, and those who were spawned. A rank that is named is one of the other
 * group, in messages as in collectives.
 */
import type { Comm } from './comm.ts';
import { PROC_NULL, ROOT } from './constants.ts';
import type { Core } from './core.ts';
import { MpiError, RankLostError } from './errors.ts';
import { Group } from './group.ts';
import { type Op, SUM } from './op-names.ts';
import { checkOp, combine } from './ops.ts';
import { nameOf, type Packet, packed, unpacked } from './packet.ts';
import { PointToPoint } from './point-to-point.ts';
import { Request } from './request.ts';
import { on, onAll, type Round } from './round.ts';
import type { CollectiveName } from './signature.ts';

export interface Sides {
  /** A communicator of both groups, for what concerns both. */
  readonly inner: Comm;
  /** Ranks of this group there. */
  readonly mine: readonly number[];
  /** This rank does without it from now on. */
  part(): Promise<void>;
}

export class Intercomm extends PointToPoint implements AsyncDisposable {
  readonly #sides: Sides;
  #disconnected: Promise<void> | undefined;

  /** @internal @param core whose members are the other group, though this rank is none of them */
  constructor(core: Core, sides: Sides) {
    super(core);
    this.#sides = sides;
  }

  /** Of this rank's own group. */
  override get size(): number {
    return this.#sides.mine.length;
  }
  get remoteSize(): number {
    return this.core.members.length;
  }
  group(): Group {
    return new Group(this.#sides.mine);
  }
  remoteGroup(): Group {
    return new Group(this.core.members);
  }

  /** Done when all of both groups have called it. */
  barrier(): Request<void> {
    this.core.check('barrier');
    return this.#sides.inner.barrier();
  }

  /**
   * The root's value, at all ranks of the other group.
   * @param root ROOT at the root, PROC_NULL at the others of its group, the root's rank at the other group
   */
  bcast<T = any>(value: T | undefined, root: number): Request<T | undefined> {
    const packet = root === ROOT ? packed(value) : undefined;
    return this.#rooted(
      'bcast',
      root,
      function* (round, others) {
        if (packet) yield* onAll(others.map((to) => round.send(to, packet)));
        return packet ? value : undefined;
      },
      function* (round, from) {
        return unpacked(yield* on(round.receive(from))) as T;
      },
    );
  }

  /** Value i of the root's list, at rank i of the other group. */
  scatter<T = any>(values: readonly T[] | undefined, root: number): Request<T | undefined> {
    if (root === ROOT && !(Array.isArray(values) && values.length === this.remoteSize))
      throw new MpiError(
        `scatter takes a list with one value for each of the ${this.remoteSize} ranks of the other group; got ${Array.isArray(values) ? `${values.length} values` : nameOf(values)}`,
      );
    const packets = root === ROOT ? values!.map(packed) : [];
    return this.#rooted(
      'scatter',
      root,
      function* (round, others) {
        yield* onAll(others.map((to, i) => round.send(to, packets[i]!)));
        return undefined;
      },
      function* (round, from) {
        return unpacked(yield* on(round.receive(from))) as T;
      },
    );
  }

  /** At the root the values of the other group, in rank order; undefined elsewhere. */
  gather<T = any>(value: T | undefined, root: number): Request<T[] | undefined> {
    const packet = root >= 0 ? packed(value) : undefined;
    return this.#rooted<T[] | undefined>(
      'gather',
      root,
      function* (round, others) {
        return (yield* receiveAll(round, others)).map((came) => unpacked(came) as T);
      },
      function* (round, to) {
        yield* on(round.send(to, packet!));
        return undefined;
      },
    );
  }

  /** At the root the values of the other group in one; undefined elsewhere. */
  reduce<T = any>(value: T | undefined, op: Op<T> = SUM, root: number = ROOT): Request<T | undefined> {
    checkOp(op);
    const packet = root >= 0 ? packed(value) : undefined;
    return this.#rooted<T | undefined>(
      'reduce',
      root,
      function* (round, others) {
        return folded(yield* receiveAll(round, others), op) as T;
      },
      function* (round, to) {
        yield* on(round.send(to, packet!));
        return undefined;
      },
    );
  }

  /** The values of the other group, in rank order. */
  allgather<T = any>(value: T): Request<T[]> {
    const packet = packed(value);
    return this.#both(
      'allgather',
      () => packet,
      (came) => came.map((one) => unpacked(one) as T),
    );
  }

  /** The values of the other group in one. */
  allreduce<T = any>(value: T, op: Op<T> = SUM): Request<T> {
    checkOp(op);
    const packet = packed(value);
    return this.#both(
      'allreduce',
      () => packet,
      (came) => folded(came, op) as T,
    );
  }

  /** Value i goes to rank i of the other group; gives what came from each. */
  alltoall<T = any>(values: readonly T[]): Request<T[]> {
    if (!Array.isArray(values) || values.length !== this.remoteSize)
      throw new MpiError(`alltoall takes one value for each of the ${this.remoteSize} ranks of the other group`);
    const packets = values.map(packed);
    return this.#both(
      'alltoall',
      (i) => packets[i]!,
      (came) => came.map((one) => unpacked(one) as T),
    );
  }

  /**
   * One communicator of both groups. Those who say `high` come after those who do not; where both groups say the same, the parents
   * come first. Collective over both.
   */
  merge(high = false): Request<Comm> {
    this.core.check('merge');
    const { inner, mine } = this.#sides;
    const merged = new Request<Comm>();
    const begin = async (): Promise<Comm> => {
      const all = await inner.allgather(high);
      const theirs = this.core.members;
      if (mine.some((rank) => all[rank] !== high) || theirs.some((rank) => all[rank] !== all[theirs[0]!]))
        throw new MpiError('merge: all ranks of a group say the same, high or not');
      const last = high && !all[theirs[0]!] ? 1 : 0;
      const made = await inner.split(0, last * inner.size + inner.rank);
      return made!;
    };
    begin().then(
      (comm) => merged.resolve(comm),
      (error) => merged.reject(error),
    );
    return merged;
  }

  /** Both groups go on without each other. Collective over both, as far as they have not ended. */
  disconnect(): Promise<void> {
    return (this.#disconnected ??= this.#disconnect());
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.#disconnected ?? (this.core.open && !this.core.failed().length ? this.disconnect() : Promise.resolve());
  }

  /** Ends the runs of both groups. */
  abort(code = 1): never {
    return this.core.world.abort(code);
  }

  /** Ranks of the other group that are known to be gone. */
  get lost(): number[] {
    return this.core.failed();
  }
  /** From now on receives from anybody do without those that are gone. Gives them. */
  acknowledge(): number[] {
    const lost = this.core.failed();
    for (const rank of lost) {
      this.core.acknowledged.add(rank);
      this.core.world.noticed.add(this.core.members[rank]!);
    }
    return lost;
  }

  async #disconnect(): Promise<void> {
    const { core } = this;
    try {
      await this.barrier();
    } catch (error) {
      // Who has ended goes on without us anyway.
      const ended = core.world.retired.size > 0 && core.failed().length === 0;
      if (!(ended && error instanceof RankLostError)) throw error;
    }
    core.close();
    await this.#sides.part();
  }

  #rooted<T>(
    name: CollectiveName,
    root: number,
    atRoot: (round: Round, others: readonly number[]) => Generator<Request, T>,
    elsewhere: (round: Round, root: number) => Generator<Request, T>,
  ): Request<T | undefined> {
    this.core.check(name);
    const { members } = this.core;
    if (root !== ROOT && root !== PROC_NULL && !(Number.isInteger(root) && root >= 0 && root < members.length))
      throw new MpiError(
        `${name}: the root is ROOT at itself, PROC_NULL at the others of its group, and else a rank of the other group, 0 to ${members.length - 1}; got ${String(root)}`,
      );
    return this.#sides.inner.core.collective<T | undefined>(name, {}, function* (round) {
      if (root === PROC_NULL) return undefined;
      return yield* root === ROOT ? atRoot(round, members) : elsewhere(round, members[root]!);
    });
  }

  /** Each to each of the other group, packet i to rank i. */
  #both<T>(name: CollectiveName, packet: (i: number) => Packet, as: (came: Packet[]) => T): Request<T> {
    this.core.check(name);
    const { members } = this.core;
    return this.#sides.inner.core.collective(name, {}, function* (round) {
      const sends = members.map((to, i) => round.send(to, packet(i)));
      const came = yield* receiveAll(round, members);
      yield* onAll(sends);
      return as(came);
    });
  }
}

function* receiveAll(round: Round, from: readonly number[]): Generator<Request, Packet[]> {
  const receives = from.map((rank) => round.receive(rank));
  const came: Packet[] = [];
  for (const receive of receives) came.push(yield* on(receive));
  return came;
}

/** In rank order. */
function folded(came: readonly Packet[], op: Op): unknown {
  return came.map(unpacked).reduce((sum, value) => combine(op, sum, value));
}
