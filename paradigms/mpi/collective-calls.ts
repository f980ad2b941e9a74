/** Collectives of a communicator: arguments are checked, an algorithm is chosen, and it is started. All of them can be awaited later. */
import { isTypedArray, type TypedArray } from './arrays.ts';
import * as direct from './collectives/direct.ts';
import * as doubling from './collectives/doubling.ts';
import * as ring from './collectives/ring.ts';
import * as tree from './collectives/tree.ts';
import { checkCounts, checkTyped, cut, type Layout, paste } from './collectives/vectors.ts';
import { ANY_SOURCE } from './constants.ts';
import { MpiError } from './errors.ts';
import { Format } from './frame.ts';
import { type Op, SUM } from './op-names.ts';
import { checkArrayOp, checkOp, combine, isCommutative } from './ops.ts';
import { nameOf, type Packet, packed, packedArray, unpacked } from './packet.ts';
import { PointToPoint } from './point-to-point.ts';
import type { Request } from './request.ts';
import { on, type Round } from './round.ts';
import { algorithmOf } from './signature.ts';

/** Bytes from which on each step is worth less than what it copies. */
const LARGE = 64 << 10;
const CHAINED = 512 << 10;
/** Ranks from which on everybody with everybody is too much. */
const MANY = 16;

export interface ReduceOptions {
  /** Every element is folded in the same order, in rank order: sums of fractions do not depend on where an element lies. */
  deterministic?: boolean;
}

export class CollectiveCalls extends PointToPoint {
  /** Done when all have called it. */
  barrier(): Request<void> {
    return this.core.collective('barrier', {}, doubling.barrier);
  }

  /** The root's value, at all ranks. */
  bcast<T = any>(value: T | undefined, root = 0): Request<T> {
    this.#checkRoot('bcast', root);
    const packet = this.rank === root ? packed(value) : undefined;
    return this.core.collective('bcast', { root }, function* (round) {
      return unpacked(yield* broadcast(round, packet, root)) as T;
    });
  }

  /** The root's elements, into the arrays of the others. */
  bcastBuffer(array: TypedArray, root = 0): Request<void> {
    this.#checkRoot('bcastBuffer', root);
    const packet = packedArray(array);
    return this.core.collective('bcastBuffer', { root }, function* (round) {
      if (round.rank === root) yield* broadcast(round, packet, root);
      else {
        const got = unpacked(yield* broadcast(round, undefined, root));
        checkTyped('bcastBuffer', got);
        if (got.constructor !== array.constructor || got.length > array.length)
          throw new MpiError(
            `bcastBuffer: rank ${root} gave ${nameOf(got)} of ${got.length}, and the array is ${nameOf(array)} of ${array.length}`,
          );
        (array as Uint8Array).set(got as Uint8Array);
      }
    });
  }

  /** Value i of the root's list, at rank i. */
  scatter<T = any>(values: readonly T[] | undefined, root = 0): Request<T> {
    this.#checkRoot('scatter', root);
    const packets = this.rank === root ? this.#list('scatter', values).map(packed) : undefined;
    return this.core.collective('scatter', { root }, function* (round) {
      return unpacked(yield* direct.scatter(round, packets, root)) as T;
    });
  }

  /** At the root the values of all in rank order; undefined at the others. */
  gather<T = any>(value: T, root = 0): Request<T[] | undefined> {
    this.#checkRoot('gather', root);
    const packet = packed(value);
    return this.core.collective('gather', { root }, function* (round) {
      const all = yield* direct.gather(round, packet, root);
      return all?.map((p) => unpacked(p) as T);
    });
  }

  /** The values of all in rank order. */
  allgather<T = any>(value: T): Request<T[]> {
    const packet = packed(value);
    return this.core.collective('allgather', {}, function* (round) {
      return (yield* everybodys(round, packet)).map((p) => unpacked(p) as T);
    });
  }

  /** Value i goes to rank i; gives what came from each. */
  alltoall<T = any>(values: readonly T[]): Request<T[]> {
    const packets = this.#list('alltoall', values).map(packed);
    return this.core.collective('alltoall', {}, function* (round) {
      return (yield* direct.alltoall(round, packets)).map((p) => unpacked(p) as T);
    });
  }

  /**
   * All values in one, at the root; undefined at the others. Numbers, bigints and booleans; arrays and typed arrays element by
   * element; whatever an operation of your own takes.
   */
  reduce<T = any>(
    value: T,
    op: Op<T> = SUM,
    root = 0,
    { deterministic = false }: ReduceOptions = {},
  ): Request<T | undefined> {
    this.#checkRoot('reduce', root);
    checkOp(op);
    tryOut(op, value);
    return this.core.collective('reduce', { root, op }, (round) =>
      tree.reduce(round, value, op, root, deterministic),
    ) as Request<T | undefined>;
  }

  /** All values in one, at all ranks. */
  allreduce<T = any>(value: T, op: Op<T> = SUM, { deterministic = false }: ReduceOptions = {}): Request<T> {
    checkOp(op);
    tryOut(op, value);
    return this.core.collective('allreduce', { op }, function* (round) {
      if (!deterministic && isTypedArray(value) && inRing(round, value, op)) {
        const sum = value.slice();
        yield* ring.allreduce(round, sum, op);
        return sum as T;
      }
      return (yield* doubling.allreduce(round, value, op)) as T;
    });
  }

  /** The same into an array: of the result only, which may be the array itself. */
  allreduceBuffer(
    array: TypedArray,
    op: Op = SUM,
    into: TypedArray = array,
    options: ReduceOptions = {},
  ): Request<void> {
    checkReduction(array, op, into);
    return this.core.collective('allreduce', { op }, function* (round) {
      if (!options.deterministic && inRing(round, array, op)) {
        if (into !== array) (into as Uint8Array).set(array as Uint8Array);
        yield* ring.allreduce(round, into, op);
      } else (into as Uint8Array).set((yield* doubling.allreduce(round, array, op)) as Uint8Array);
    });
  }

  /** Of the values of rank 0 to this one. */
  scan<T = any>(value: T, op: Op<T> = SUM): Request<T> {
    checkOp(op);
    tryOut(op, value);
    return this.core.collective('scan', { op }, (round) => doubling.scan(round, value, op, false)) as Request<T>;
  }

  /** Of the values of the ranks before this one; undefined at rank 0. */
  exscan<T = any>(value: T, op: Op<T> = SUM): Request<T | undefined> {
    checkOp(op);
    tryOut(op, value);
    return this.core.collective('exscan', { op }, (round) => doubling.scan(round, value, op, true)) as Request<
      T | undefined
    >;
  }

  /** Value i of all lists in one, at rank i. Of a typed array, elements: as many for each rank, or `counts`. */
  reduceScatter<T = any>(values: readonly T[], op?: Op<T>): Request<T>;
  reduceScatter<A extends TypedArray>(array: A, op?: Op, counts?: readonly number[]): Request<A>;
  reduceScatter(values: readonly unknown[] | TypedArray, op: Op = SUM, counts?: readonly number[]): Request<any> {
    checkOp(op);
    const { size } = this;
    let list: readonly unknown[];
    if (isTypedArray(values)) {
      const each = counts ?? new Array<number>(size).fill(values.length / size);
      checkCounts('reduceScatter', each, size);
      list = cut('reduceScatter', values, each).map(unpacked);
    } else list = this.#list('reduceScatter', values);
    return this.core.collective('reduceScatter', { op }, (round) => direct.reduceScatter(round, list, op));
  }

  /** `counts[i]` elements of the root's array, at rank i. */
  scatterv<A extends TypedArray>(
    array: A | undefined,
    counts: readonly number[] | undefined,
    root = 0,
    { displs, into }: { displs?: readonly number[]; into?: A } = {},
  ): Request<A> {
    this.#checkRoot('scatterv', root);
    let packets: Packet[] | undefined;
    if (this.rank === root) {
      checkTyped('scatterv', array);
      checkCounts('scatterv', counts, this.size);
      packets = cut('scatterv', array, counts, displs);
    }
    return this.core.collective('scatterv', { root }, function* (round) {
      const piece = unpacked(yield* direct.scatter(round, packets, root)) as A;
      return into
        ? (paste('scatterv', [packedArray(piece)], { into, like: into }).subarray(0, piece.length) as A)
        : piece;
    });
  }

  /** The elements of all in one array at the root, in rank order or where `displs` say. */
  gatherv<A extends TypedArray>(array: A, root = 0, layout: Layout & { into?: A } = {}): Request<A | undefined> {
    this.#checkRoot('gatherv', root);
    this.#checkLayout('gatherv', array, layout);
    const packet = packedArray(array);
    return this.core.collective('gatherv', { root }, function* (round) {
      const all = yield* direct.gather(round, packet, root);
      return all && (paste('gatherv', all, { ...layout, like: array }) as A);
    });
  }

  /** The same at all ranks. */
  allgatherv<A extends TypedArray>(array: A, layout: Layout & { into?: A } = {}): Request<A> {
    this.#checkLayout('allgatherv', array, layout);
    const packet = packedArray(array);
    return this.core.collective('allgatherv', {}, function* (round) {
      return paste('allgatherv', yield* everybodys(round, packet), { ...layout, like: array }) as A;
    });
  }

  /** `counts[i]` elements go to rank i; gives what came from each, in rank order or where `receive` says. */
  alltoallv<A extends TypedArray>(
    array: A,
    counts: readonly number[],
    { displs, receive = {}, into }: { displs?: readonly number[]; receive?: Layout; into?: A } = {},
  ): Request<A> {
    checkTyped('alltoallv', array);
    checkCounts('alltoallv', counts, this.size);
    if (receive.counts) checkCounts('alltoallv: receive.counts', receive.counts, this.size);
    const packets = cut('alltoallv', array, counts, displs);
    return this.core.collective('alltoallv', {}, function* (round) {
      return paste('alltoallv', yield* direct.alltoall(round, packets), { ...receive, into, like: array }) as A;
    });
  }

  #checkRoot(what: string, root: number): void {
    this.core.check(what);
    if (!Number.isInteger(root) || root < 0 || root >= this.size)
      throw new MpiError(
        `${what}: there is no rank ${String(root)} to be the root; ${this.core.name} has ranks 0 to ${this.size - 1}`,
      );
  }

  #checkLayout(what: string, array: unknown, { counts, displs }: Layout): void {
    checkTyped(what, array);
    if (counts) checkCounts(`${what}: counts`, counts, this.size);
    if (displs) checkCounts(`${what}: displs`, displs, this.size);
  }

  #list<T>(what: string, values: readonly T[] | undefined): readonly T[] {
    if (Array.isArray(values) && values.length === this.size) return values;
    const got = Array.isArray(values) ? `${values.length} values` : nameOf(values);
    throw new MpiError(`${what} takes a list with one value for each of the ${this.size} ranks; got ${got}`);
  }
}

function inRing(round: Round, array: TypedArray, op: Op): boolean {
  return round.size > 1 && array.byteLength >= LARGE && array.length >= round.size && isCommutative(op);
}

function everybodys(round: Round, own: Packet): Generator<Request, Packet[]> {
  return round.size > MANY ? ring.allgather(round, own) : direct.allgather(round, own);
}

/** @throws what `allreduceBuffer` was given wrongly. */
export function checkReduction(array: TypedArray, op: Op, into: TypedArray): void {
  checkOp(op);
  checkTyped('allreduceBuffer', array);
  checkArrayOp(op, array);
  if (into?.constructor !== array.constructor || into.length !== array.length)
    throw new MpiError(
      `allreduceBuffer takes two arrays of one type and length; got ${nameOf(array)} of ${array.length} and ${nameOf(into)} of ${into?.length}`,
    );
}

/** What goes with a rank's own value does not go with anybody's: found out before others wait for it. */
function tryOut(op: Op, value: unknown): void {
  if (isTypedArray(value)) checkArrayOp(op, value);
  else if (typeof op === 'string') combine(op, value, value);
}

export function* broadcast(round: Round, packet: Packet | undefined, root: number): Generator<Request, Packet> {
  if (packet) {
    const long = round.size > 2 && packet.format === Format.ARRAY && packet.parts[0]!.length >= CHAINED;
    if (long) yield* ring.sendChain(round, packet);
    else yield* tree.sendDown(round, root, packet);
    return packet;
  }
  const first = round.receive(ANY_SOURCE);
  let got = yield* on(first);
  if (algorithmOf(first.signature) === ring.CHAIN) got = yield* ring.receiveChain(round, root, got);
  else yield* tree.sendDown(round, root, got);
  return got;
}
