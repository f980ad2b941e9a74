/** Memory that other ranks can use: in place where it is shared, by messages elsewhere. */
import { type ArrayType, isTypedArray, type TypedArray } from './arrays.ts';
import type { Comm } from './comm.ts';
import { MpiError, TypeMismatchError } from './errors.ts';
import { type OpName, SUM } from './op-names.ts';
import { checkOp, combine } from './ops.ts';
import { nameOf } from './packet.ts';
import { Request, settledWith } from './request.ts';
import { perform } from './window-memory.ts';
import type { Element, WindowMessage, WindowOperation } from './window-message.ts';

export type WindowArray<A extends TypedArray> = new (length: number) => A;

export class Window<A extends TypedArray> {
  /** This rank's own. */
  readonly local: A;
  /** Elements, of each rank. */
  readonly lengths: readonly number[];
  readonly #comm: Comm;
  readonly #id: number;
  readonly #parts: readonly (A | undefined)[];
  /** Asked, and not answered yet. */
  readonly #asked = new Map<number, Request<any>>();
  #next = 0;
  #freed = false;

  /** @internal */
  constructor(comm: Comm, id: number, parts: readonly (A | undefined)[], lengths: readonly number[]) {
    this.#comm = comm;
    this.#id = id;
    this.#parts = parts;
    this.lengths = lengths;
    this.local = parts[comm.rank]!;
    comm.core.windows.set(id, (from, message) => this.#receive(from, message));
    comm.core.world.onLoss.add(this.#lost);
  }

  /** A rank's array itself, where it is shared. Others may write at any time: use Atomics, or fence. */
  shared(rank: number): A | undefined {
    return this.#parts[rank];
  }

  /** A copy of some of its elements. */
  get(rank: number, at = 0, count = (this.lengths[rank] ?? 0) - at): Request<A> {
    return this.#do(rank, count, { do: 'get', at, count });
  }
  put(rank: number, at: number, data: A): Request<void> {
    this.#checkData('put', data);
    return this.#do(rank, data.length, { do: 'put', at, data });
  }
  /** Combines element by element; each of them at once, whoever else does so. */
  accumulate(rank: number, at: number, data: A, op: OpName = SUM): Request<void> {
    this.#checkData('accumulate', data);
    checkOp(op);
    combine(op, data.subarray(0, 1), data.subarray(0, 1));
    return this.#do(rank, data.length, { do: 'accumulate', at, data, op });
  }
  /** Gives what was there before. */
  fetchAdd<E extends Element>(rank: number, at: number, value: E): Request<E> {
    return this.fetchOp(rank, at, value, SUM);
  }
  fetchOp<E extends Element>(rank: number, at: number, value: E, op: OpName = SUM): Request<E> {
    checkOp(op);
    this.#checkElement(value);
    combine(op, value, value);
    return this.#do(rank, 1, { do: 'fetchOp', at, value, op });
  }
  /** Writes if it finds what is expected; gives what it found. */
  compareAndSwap<E extends Element>(rank: number, at: number, expected: E, value: E): Request<E> {
    this.#checkElement(expected);
    this.#checkElement(value);
    return this.#do(rank, 1, { do: 'compareAndSwap', at, expected, value });
  }

  /** Done when all that this rank has asked for is done. */
  flush(): Request<unknown> {
    return this.#comm.waitAll([...this.#asked.values()]);
  }

  /** Done when all that anybody has asked for is done, and can be seen. Collective. */
  async fence(): Promise<void> {
    await this.flush();
    await this.#comm.barrier();
  }

  /** Collective over those that are left. */
  async free(): Promise<void> {
    // Those who asked for something that has failed have been told.
    await this.flush().catch(() => {});
    await this.#comm.agree();
    this.#freed = true;
    this.#comm.core.windows.delete(this.#id);
    this.#comm.core.world.onLoss.delete(this.#lost);
  }
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#freed) await this.free();
  }

  #do(rank: number, count: number, operation: WindowOperation): Request<any> {
    const { core } = this.#comm;
    core.check(operation.do);
    if (this.#freed) throw new MpiError(`${operation.do} on a window that was freed`);
    const length = this.lengths[rank];
    if (length === undefined)
      throw new MpiError(
        `${operation.do}: there is no rank ${String(rank)}; ${core.name} has ranks 0 to ${core.size - 1}`,
      );
    const { at } = operation;
    if (!Number.isInteger(at) || !Number.isInteger(count) || at < 0 || count < 0 || at + count > length)
      throw new MpiError(
        `${operation.do}: elements ${at} to ${at + count} of rank ${rank}, whose part of the window has ${length}`,
      );
    const part = this.#parts[rank];
    if (part) return settledWith(perform(part, operation));
    const request = new Request();
    const member = core.members[rank]!;
    if (core.world.lost.has(member)) {
      request.reject(core.why(member));
      return request;
    }
    const id = ++this.#next;
    this.#asked.set(id, request);
    core.world.lookout.began(request, () => `${operation.do} of a window at rank ${rank}`);
    request.whenSettled(() => this.#asked.delete(id));
    (request as Request & { rank?: number }).rank = member;
    core.world.tell(member, { type: 'window', context: core.context, window: this.#id, id, operation });
    return request;
  }

  #receive(from: number, message: WindowMessage): void {
    if (!('operation' in message)) {
      const request = this.#asked.get(message.id);
      if ('error' in message) request?.reject(message.error);
      else request?.resolve(message.value);
      return;
    }
    const { id } = message;
    const { core } = this.#comm;
    const answer = { type: 'window', context: core.context, window: this.#id, id } as const;
    try {
      core.world.tell(from, { ...answer, value: perform(this.local, message.operation) });
    } catch (error) {
      core.world.tell(from, { ...answer, error: error as Error });
    }
  }

  #lost = (member: number): void => {
    for (const request of [...this.#asked.values()])
      if ((request as Request & { rank?: number }).rank === member) request.reject(this.#comm.core.why(member));
  };

  #checkData(what: string, data: unknown): void {
    if (!isTypedArray(data) || data.constructor !== this.local.constructor)
      throw new TypeMismatchError(`${what}: the window is ${nameOf(this.local)}; got ${nameOf(data)}`);
  }

  #checkElement(value: unknown): void {
    const wanted = this.local instanceof BigInt64Array || this.local instanceof BigUint64Array ? 'bigint' : 'number';
    if (typeof value !== wanted)
      throw new TypeMismatchError(`An element of ${nameOf(this.local)} is a ${wanted}; got ${nameOf(value)}`);
  }
}

export function openWindow<A extends TypedArray>(comm: Comm, type: WindowArray<A>, length: number): Request<Window<A>> {
  const { core } = comm;
  core.check('window');
  if (!isTypedArray(type?.prototype && new type(0)))
    throw new TypeMismatchError(`window takes a class of typed arrays, such as Int32Array; got ${nameOf(type)}`);
  if (!Number.isInteger(length) || length < 0)
    throw new MpiError(`window: a length is 0 or more elements; got ${String(length)}`);
  const Type = type as unknown as ArrayType<A>;
  const id = ++core.lastWindow;
  const { world, members } = core;
  const window = new Request<Window<A>>();
  const open = async (): Promise<Window<A>> => {
    const lengths = comm.allgather(length); // in its place among collectives
    const sharing = world.sharesMemoryWith(members);
    const memory = sharing ? new SharedArrayBuffer(length * Type.BYTES_PER_ELEMENT) : undefined;
    const local = memory ? new Type(memory) : new Type(length);
    const memories = memory && (await world.memories.exchange(`${core.context} ${id}`, members, memory));
    const parts = members.map((_, rank) => (rank === comm.rank ? local : memories && new Type(memories[rank]!)));
    const made = new Window<A>(comm, id, parts, await lengths);
    await comm.barrier();
    return made;
  };
  open().then(
    (made) => window.resolve(made),
    (error) => window.reject(error),
  );
  return window;
}
