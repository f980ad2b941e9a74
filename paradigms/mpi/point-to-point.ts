/** Messages between two ranks of a communicator. */
import { isTypedArray, type TypedArray } from './arrays.ts';
import { ANY_SOURCE, ANY_TAG, MAX_TAG, PROC_NULL } from './constants.ts';
import type { Core } from './core.ts';
import { MpiError, RequestCancelledError, TypeMismatchError } from './errors.ts';
import { count, nameOf, type Packet, packed, packedArray, unpacked } from './packet.ts';
import { Persistent } from './persistent.ts';
import { Request, type Status, settledWith } from './request.ts';
import { checkStrided, gathered, isStrided, roomFor, type Strided, scattered } from './strided.ts';
import type { Message, Receive } from './transfer.ts';

const NOBODY: Status = Object.freeze({ source: PROC_NULL, tag: ANY_TAG, count: 0 });

export interface ReceiveOptions {
  /** Takes the receive back when it aborts, unless it has been matched. */
  signal?: AbortSignal | undefined;
  /** ms, after which it is taken back. */
  timeout?: number | undefined;
}

/** A message that was taken out of the matching: only this can receive it. */
export interface MatchedMessage {
  readonly status: Status;
  recv<T = any>(): Request<T>;
  recvBuffer(into: TypedArray): Request<Status>;
}

export class PointToPoint {
  /** @internal */
  readonly core: Core;

  constructor(core: Core) {
    this.core = core;
  }

  /** From 0 on. */
  get rank(): number {
    return this.core.rank;
  }
  get size(): number {
    return this.core.size;
  }

  /**
   * Done when the value may be changed again: it is at the receiver, or on its way.
   * @throws CannotTravelError, MpiError
   */
  send(value: unknown, dest: number, tag = 0): Request<undefined> {
    return this.#send('send', value, dest, tag, false);
  }

  /** Done when its receive has begun. */
  ssend(value: unknown, dest: number, tag = 0): Request<undefined> {
    return this.#send('ssend', value, dest, tag, true);
  }

  /** The same as `send`, which does not block either. */
  isend(value: unknown, dest: number, tag = 0): Request<undefined> {
    return this.send(value, dest, tag);
  }

  /** The elements of a typed array. It must not change until this is done. */
  sendBuffer(array: TypedArray | Strided, dest: number, tag = 0): Request<undefined> {
    return this.#sendBuffer('sendBuffer', array, dest, tag, false);
  }
  ssendBuffer(array: TypedArray | Strided, dest: number, tag = 0): Request<undefined> {
    return this.#sendBuffer('ssendBuffer', array, dest, tag, true);
  }
  isendBuffer(array: TypedArray | Strided, dest: number, tag = 0): Request<undefined> {
    return this.sendBuffer(array, dest, tag);
  }

  /** A value, of anybody and with any tag unless told; null from PROC_NULL. `status` of what it returns says from whom. */
  recv<T = any>(source = ANY_SOURCE, tag = ANY_TAG, options?: ReceiveOptions): Request<T> {
    this.#check('recv', source, tag, true);
    if (source === PROC_NULL) return settledWith(null as T, NOBODY);
    return this.#withOptions(this.#receive('recv', source, tag, unpacked as () => T), options);
  }
  irecv<T = any>(source = ANY_SOURCE, tag = ANY_TAG): Request<T> {
    return this.recv(source, tag);
  }

  /**
   * Into a typed array, of the type that was sent; the count of what it gives says how many elements came.
   * @throws TruncateError when more came than it has room for; TypeMismatchError
   */
  recvBuffer(
    into: TypedArray | Strided,
    source = ANY_SOURCE,
    tag = ANY_TAG,
    options?: ReceiveOptions,
  ): Request<Status> {
    this.#check('recvBuffer', source, tag, true);
    const apart = isStrided(into) ? into : undefined;
    if (apart) checkStrided('recvBuffer', apart);
    const place = apart ? roomFor(apart) : (into as TypedArray);
    if (!isTypedArray(place)) throw new TypeMismatchError(`recvBuffer takes a typed array; got ${nameOf(into)}`);
    if (source === PROC_NULL) return settledWith(NOBODY, NOBODY);
    const as = (_: Packet, status: Status): Status => {
      if (apart) scattered(place, apart, status.count);
      return status;
    };
    return this.#withOptions(this.#receive<Status>('recvBuffer', source, tag, as, place), options);
  }
  irecvBuffer(into: TypedArray | Strided, source = ANY_SOURCE, tag = ANY_TAG): Request<Status> {
    return this.recvBuffer(into, source, tag);
  }

  /** Both at once: no deadlock where all do it. */
  sendrecv<T = any>(
    value: unknown,
    dest: number,
    source = ANY_SOURCE,
    { sendTag = 0, recvTag = ANY_TAG }: { sendTag?: number; recvTag?: number } = {},
  ): Request<T> {
    const received = this.recv<T>(source, recvTag);
    return after(this.send(value, dest, sendTag), received);
  }

  sendrecvBuffer(
    array: TypedArray | Strided,
    dest: number,
    into: TypedArray | Strided,
    source = ANY_SOURCE,
    { sendTag = 0, recvTag = ANY_TAG }: { sendTag?: number; recvTag?: number } = {},
  ): Request<Status> {
    const received = this.recvBuffer(into, source, recvTag);
    return after(this.sendBuffer(array, dest, sendTag), received);
  }

  /** What came replaces what was sent. */
  sendrecvReplace(
    array: TypedArray,
    dest: number,
    source = ANY_SOURCE,
    { sendTag = 0, recvTag = ANY_TAG }: { sendTag?: number; recvTag?: number } = {},
  ): Request<Status> {
    return this.sendrecvBuffer(array.slice(), dest, array, source, { sendTag, recvTag });
  }

  /** The same as `send`, again and again: nothing is sent before it is started. */
  sendInit(value: unknown, dest: number, tag = 0): Persistent<undefined> {
    this.#check('sendInit', dest, tag, false);
    return new Persistent('sendInit', () => this.send(value, dest, tag));
  }
  sendBufferInit(array: TypedArray | Strided, dest: number, tag = 0): Persistent<undefined> {
    this.#check('sendBufferInit', dest, tag, false);
    return new Persistent('sendBufferInit', () => this.sendBuffer(array, dest, tag));
  }
  recvInit<T = any>(source = ANY_SOURCE, tag = ANY_TAG): Persistent<T> {
    this.#check('recvInit', source, tag, true);
    return new Persistent('recvInit', () => this.recv<T>(source, tag));
  }
  recvBufferInit(into: TypedArray | Strided, source = ANY_SOURCE, tag = ANY_TAG): Persistent<Status> {
    this.#check('recvBufferInit', source, tag, true);
    return new Persistent('recvBufferInit', () => this.recvBuffer(into, source, tag));
  }
  /** Starts all of them; `waitAll` of what it gives waits for them. */
  startAll(operations: readonly Persistent<any>[]): Request<any>[] {
    return operations.map((operation) => operation.start());
  }

  /** Waits for a message, and leaves it where it is. */
  probe(source = ANY_SOURCE, tag = ANY_TAG): Request<Status> {
    return this.#probe('probe', source, tag, false, statusOf, NOBODY);
  }
  /** The message that would be received now. */
  iprobe(source = ANY_SOURCE, tag = ANY_TAG): Status | undefined {
    this.#check('iprobe', source, tag, true);
    if (source === PROC_NULL) return NOBODY;
    this.core.world.waiting.poll();
    const found = this.core.messenger.matching.probe({ context: this.core.context, source, tag });
    return found && statusOf(found);
  }
  /** Waits for a message, and takes it out: nobody else will receive it. */
  mprobe(source = ANY_SOURCE, tag = ANY_TAG): Request<MatchedMessage> {
    return this.#probe('mprobe', source, tag, true, (message) => this.#matched(message), NO_MESSAGE);
  }
  improbe(source = ANY_SOURCE, tag = ANY_TAG): MatchedMessage | undefined {
    this.#check('improbe', source, tag, true);
    if (source === PROC_NULL) return NO_MESSAGE;
    this.core.world.waiting.poll();
    const found = this.core.messenger.matching.extract({ context: this.core.context, source, tag });
    return found && this.#matched(found);
  }

  /** Messages as they come, until the loop is left. */
  async *messages<T = any>(
    source = ANY_SOURCE,
    tag = ANY_TAG,
    options?: ReceiveOptions,
  ): AsyncGenerator<{ value: T; status: Status }> {
    for (;;) {
      const request = this.recv<T>(source, tag, options);
      try {
        yield { value: await request, status: request.status };
      } catch (error) {
        if (error instanceof RequestCancelledError) return;
        throw error;
      }
    }
  }

  #send(what: string, value: unknown, dest: number, tag: number, synchronous: boolean): Request<undefined> {
    this.#check(what, dest, tag, false);
    if (dest === PROC_NULL) return settledWith(undefined);
    return this.post(what, packed(value), dest, tag, synchronous);
  }

  #sendBuffer(
    what: string,
    buffer: TypedArray | Strided,
    dest: number,
    tag: number,
    synchronous: boolean,
  ): Request<undefined> {
    this.#check(what, dest, tag, false);
    if (isStrided(buffer)) checkStrided(what, buffer);
    const packet = packedArray(isStrided(buffer) ? gathered(buffer) : buffer);
    if (dest === PROC_NULL) return settledWith(undefined);
    return this.post(what, packet, dest, tag, synchronous);
  }

  /** @internal What has been checked. */
  post(what: string, packet: Packet, dest: number, tag: number, synchronous: boolean): Request<undefined> {
    const { messenger, context, members, rank } = this.core;
    const envelope = { context, source: rank, tag };
    return messenger.send(members[dest]!, packet, envelope, synchronous, what);
  }

  #receive<T>(
    what: string,
    source: number,
    tag: number,
    as: (packet: Packet, status: Status) => T,
    into?: TypedArray,
  ): Receive<T> {
    const { messenger, context, members } = this.core;
    const from = source === ANY_SOURCE ? ANY_SOURCE : members[source]!;
    return messenger.receive<T>({ context, source, tag, from, into, what, as });
  }

  #probe<T>(
    what: string,
    source: number,
    tag: number,
    extract: boolean,
    as: (message: Message) => T,
    nobody: T,
  ): Request<T> {
    this.#check(what, source, tag, true);
    if (source === PROC_NULL) return settledWith(nobody, NOBODY);
    const { messenger, context, members } = this.core;
    const from = source === ANY_SOURCE ? ANY_SOURCE : members[source]!;
    return messenger.probe({ context, source, tag, from, extract, as, what });
  }

  #matched(message: Message): MatchedMessage {
    const { messenger } = this.core;
    let taken = false;
    const take = <T>(receive: Receive<T>): Request<T> => {
      if (taken) throw new MpiError('This message was received already; mprobe gives another one');
      taken = true;
      messenger.give(message, receive);
      return receive;
    };
    return {
      status: statusOf(message),
      recv: <T>() => take(messenger.receiveOf(message, undefined, unpacked as () => T)),
      recvBuffer: (into) => take(messenger.receiveOf(message, into, (_, status) => status)),
    };
  }

  #withOptions<T>(receive: Receive<T>, options: ReceiveOptions | undefined): Request<T> {
    if (!options || receive.settled) return receive;
    const { signal, timeout } = options;
    const stop = (): void => {
      if (receive.settled) return;
      const reason = signal?.aborted
        ? signal.reason
        : new RequestCancelledError(`${receive.what} took more than ${timeout} ms`);
      receive.withdraw(reason);
    };
    const timer = timeout === undefined ? undefined : setTimeout(stop, timeout);
    signal?.addEventListener('abort', stop, { once: true });
    receive.whenSettled(() => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
    });
    if (signal?.aborted) stop();
    return receive;
  }

  #check(what: string, rank: number, tag: number, receives: boolean): void {
    const { core } = this;
    core.check(what);
    const any = receives && rank === ANY_SOURCE;
    if (!any && rank !== PROC_NULL && !(Number.isInteger(rank) && rank >= 0 && rank < core.size))
      throw new MpiError(`${what}: there is no rank ${String(rank)}; ${core.name} has ranks 0 to ${core.size - 1}`);
    if (!(receives && tag === ANY_TAG) && !(Number.isInteger(tag) && tag >= 0 && tag <= MAX_TAG))
      throw new MpiError(`${what}: a tag is an integer from 0 to ${MAX_TAG}; got ${String(tag)}`);
    if (any) core.checkAnySource();
  }
}

/** What the second one gives, when both are done. */
function after<T>(first: Request, second: Request<T>): Request<T> {
  const both = new Request<T>();
  const end = (): void => {
    if (first.failed) both.reject(first.error);
    else if (first.settled && second.settled) {
      both.status = second.status;
      if (second.failed) both.reject(second.error);
      else both.resolve(second.take());
    } else if (second.failed) both.reject(second.error);
  };
  first.whenSettled(end);
  second.whenSettled(end);
  return both;
}

function statusOf({ head }: Message): Status {
  return { source: head.source, tag: head.tag, count: count(head) };
}

const NO_MESSAGE: MatchedMessage = {
  status: NOBODY,
  recv: <T>() => settledWith(null as T, NOBODY),
  recvBuffer: () => settledWith(NOBODY, NOBODY),
};
