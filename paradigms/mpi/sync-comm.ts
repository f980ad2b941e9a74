/** Operations of a communicator that block the thread until they are done. */
import { sameType, type TypedArray } from './arrays.ts';
import { checkReduction, type ReduceOptions } from './collective-calls.ts';
import { allreduceBlocked, barrierBlocked } from './collectives/doubling.ts';
import type { Layout } from './collectives/vectors.ts';
import type { Comm } from './comm.ts';
import { ANY_SOURCE, ANY_TAG, MAX_TAG } from './constants.ts';
import { MpiError } from './errors.ts';
import { type Op, SUM } from './op-names.ts';
import { packed, unpacked } from './packet.ts';
import type { Request, Requests, Status } from './request.ts';
import type { Strided } from './strided.ts';

type Tags = { sendTag?: number; recvTag?: number };

/** Bytes of arrays that are reduced step by step, each of them in one message. */
const SHORT = 16 << 10;

export class SyncComm {
  readonly #comm: Comm;
  #room: TypedArray = new Uint8Array(0);

  constructor(comm: Comm) {
    const { core } = comm;
    if (!core.world.sharesMemoryWith(core.members))
      throw new MpiError(
        `comm.sync blocks the thread, which takes members that are threads of one process: run with kind: 'thread', or await the same operations of comm`,
      );
    this.#comm = comm;
  }

  /** Of anything that comm's own methods return. */
  wait<T>(request: Request<T>): T {
    return this.#comm.core.world.waiting.wait(request);
  }
  waitAll(requests: Requests): unknown[] {
    return this.wait(this.#comm.waitAll(requests));
  }
  waitAny(requests: Requests): number {
    return this.wait(this.#comm.waitAny(requests));
  }
  waitSome(requests: Requests): number[] | undefined {
    return this.wait(this.#comm.waitSome(requests));
  }

  send(value: unknown, dest: number, tag = 0): void {
    const { core } = this.#comm;
    if (!core.open || !isTag(tag) || !core.straight.reaches(dest)) {
      this.wait(this.#comm.send(value, dest, tag));
      return;
    }
    const packet = packed(value);
    if (!core.straight.sendPacket(dest, packet, core.context, tag))
      this.wait(this.#comm.post('send', packet, dest, tag, false));
  }
  ssend(value: unknown, dest: number, tag?: number): void {
    this.wait(this.#comm.ssend(value, dest, tag));
  }
  recv<T = any>(source = ANY_SOURCE, tag = ANY_TAG): T {
    const { core } = this.#comm;
    const came = core.open && isWanted(tag) ? core.straight.receivePacket(source, core.context, tag) : undefined;
    return came ? (unpacked(came) as T) : this.wait(this.#comm.recv<T>(source, tag));
  }
  sendrecv<T = any>(value: unknown, dest: number, source?: number, tags?: Tags): T {
    return this.wait(this.#comm.sendrecv<T>(value, dest, source, tags));
  }
  sendBuffer(array: TypedArray | Strided, dest: number, tag = 0): void {
    const { core } = this.#comm;
    if (core.open && isTag(tag) && core.straight.sendArray(dest, array, core.context, tag)) return;
    this.wait(this.#comm.sendBuffer(array, dest, tag));
  }
  ssendBuffer(array: TypedArray | Strided, dest: number, tag?: number): void {
    this.wait(this.#comm.ssendBuffer(array, dest, tag));
  }
  recvBuffer(into: TypedArray | Strided, source = ANY_SOURCE, tag = ANY_TAG): Status {
    const { core } = this.#comm;
    const came = core.open && isWanted(tag) ? core.straight.receiveArray(source, into, core.context, tag) : undefined;
    return came ?? this.wait(this.#comm.recvBuffer(into, source, tag));
  }
  sendrecvBuffer(
    array: TypedArray | Strided,
    dest: number,
    into: TypedArray | Strided,
    source?: number,
    tags?: Tags,
  ): Status {
    return this.wait(this.#comm.sendrecvBuffer(array, dest, into, source, tags));
  }
  sendrecvReplace(array: TypedArray, dest: number, source?: number, tags?: Tags): Status {
    return this.wait(this.#comm.sendrecvReplace(array, dest, source, tags));
  }
  probe(source?: number, tag?: number): Status {
    return this.wait(this.#comm.probe(source, tag));
  }

  barrier(): void {
    this.#comm.core.blocking('barrier', undefined, barrierBlocked);
  }
  bcast<T = any>(value: T | undefined, root?: number): T {
    return this.wait(this.#comm.bcast<T>(value, root));
  }
  bcastBuffer(array: TypedArray, root?: number): void {
    this.wait(this.#comm.bcastBuffer(array, root));
  }
  scatter<T = any>(values: readonly T[] | undefined, root?: number): T {
    return this.wait(this.#comm.scatter<T>(values, root));
  }
  gather<T = any>(value: T, root?: number): T[] | undefined {
    return this.wait(this.#comm.gather<T>(value, root));
  }
  allgather<T = any>(value: T): T[] {
    return this.wait(this.#comm.allgather<T>(value));
  }
  alltoall<T = any>(values: readonly T[]): T[] {
    return this.wait(this.#comm.alltoall<T>(values));
  }
  reduce<T = any>(value: T, op?: Op<T>, root?: number, options?: ReduceOptions): T | undefined {
    return this.wait(this.#comm.reduce<T>(value, op, root, options));
  }
  allreduce<T = any>(value: T, op?: Op<T>, options?: ReduceOptions): T {
    return this.wait(this.#comm.allreduce<T>(value, op, options));
  }
  allreduceBuffer(array: TypedArray, op: Op = SUM, into = array, options?: ReduceOptions): void {
    checkReduction(array, op, into);
    if (array.byteLength > SHORT) {
      this.wait(this.#comm.allreduceBuffer(array, op, into, options));
      return;
    }
    if (into !== array) (into as Uint8Array).set(array as Uint8Array);
    const room = this.#roomLike(array);
    this.#comm.core.blocking('allreduce', op, (round) => allreduceBlocked(round, into, room, op));
  }
  scan<T = any>(value: T, op?: Op<T>): T {
    return this.wait(this.#comm.scan<T>(value, op));
  }
  exscan<T = any>(value: T, op?: Op<T>): T | undefined {
    return this.wait(this.#comm.exscan<T>(value, op));
  }
  reduceScatter<T = any>(values: readonly T[], op?: Op<T>): T;
  reduceScatter<A extends TypedArray>(array: A, op?: Op, counts?: readonly number[]): A;
  reduceScatter(values: any, op?: Op, counts?: readonly number[]): any {
    return this.wait(this.#comm.reduceScatter(values, op, counts));
  }
  scatterv<A extends TypedArray>(
    array: A | undefined,
    counts: readonly number[] | undefined,
    root?: number,
    options?: { displs?: readonly number[]; into?: A },
  ): A {
    return this.wait(this.#comm.scatterv(array, counts, root, options));
  }
  gatherv<A extends TypedArray>(array: A, root?: number, layout?: Layout & { into?: A }): A | undefined {
    return this.wait(this.#comm.gatherv(array, root, layout));
  }
  allgatherv<A extends TypedArray>(array: A, layout?: Layout & { into?: A }): A {
    return this.wait(this.#comm.allgatherv(array, layout));
  }
  alltoallv<A extends TypedArray>(
    array: A,
    counts: readonly number[],
    options?: { displs?: readonly number[]; receive?: Layout; into?: A },
  ): A {
    return this.wait(this.#comm.alltoallv(array, counts, options));
  }
  dup(): Comm {
    return this.wait(this.#comm.dup());
  }
  split(color: number | undefined, key?: number): Comm | null {
    return this.wait(this.#comm.split(color, key));
  }

  #roomLike(array: TypedArray): TypedArray {
    const room = this.#room;
    if (room.constructor === array.constructor && room.length === array.length) return room;
    return (this.#room = sameType(array, array.length));
  }
}

const isWanted = (tag: number): boolean => tag === ANY_TAG || isTag(tag);
const isTag = (tag: number): boolean => Number.isInteger(tag) && tag >= 0 && tag <= MAX_TAG;
