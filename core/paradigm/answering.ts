/** The answering end of an exchange: calls handlers, and serves the streams that they return. */
import { ProtocolError } from '../errors.ts';
import { answerCodec, encodeAnswer } from '../wire/answer.ts';
import { decode, payloadBytes } from '../wire/codec.ts';
import { type Envelope, type Header, Kind } from '../wire/envelope.ts';
import type { Payload } from '../wire/forms.ts';
import { thrown } from '../wire/rpc.ts';
import { BYTES, type Send, STREAM } from './asking.ts';
import type { Caller, Handlers } from './paradigm.ts';
import { Serving } from './serving.ts';

export interface AnsweringHome {
  send: Send;
  /** The half here, now or when it has been put in place; calls back in the order in which it is called. */
  half(paradigm: string, ready: (half: Handlers | Error) => void): void;
  /** Who has sent this. */
  sender(header: Envelope): { role: Caller['role']; id: number };
  /** The value of a message, if it has one; calls back in the order in which it is called. */
  open?(
    header: Envelope,
    payload: Payload | undefined,
    ready: (value: unknown) => void,
    failed: (error: unknown) => void,
  ): void;
  /** A handler of a one-way message threw; `unheard`: there was none, or its value could not be read. */
  fell(paradigm: string, op: string, error: unknown, unheard: boolean): void;
}

export class Answering {
  #home: AnsweringHome;
  #serving = new Map<string, Serving>();

  constructor(home: AnsweringHome) {
    this.#home = home;
  }

  /** A REQUEST or EVENT. Never throws: what makes no sense concerns its sender alone. */
  receive(header: Envelope, payloads: Payload[]): void {
    if (header.op === '#stop') this.#stopped(header);
    else if (header.op === '#pull') this.#pulled(header);
    else this.#arrived(header, payloads);
  }

  /** Stops what is done for somebody who is gone. */
  gone(role: Caller['role'], id: number, reason: Error): void {
    for (const [key, serving] of this.#serving) {
      if (serving.role !== role || serving.id !== id) continue;
      this.#serving.delete(key);
      serving.stop(reason);
    }
  }

  fail(error: Error): void {
    for (const serving of this.#serving.values()) serving.stop(error);
    this.#serving.clear();
  }

  /** Calls its handler, when all that was sent before it has been called: its value may have to wait, and so may the half. */
  #arrived(header: Envelope, payloads: Payload[]): void {
    const serving = new Serving(this.#home.sender(header), answerCodec(payloads));
    if (header.kind === Kind.EVENT && header.stream === BYTES) {
      this.#bytesArrived(header, payloads[0]?.parts ?? [], serving);
      return;
    }
    const asked = header.kind === Kind.REQUEST;
    const key = asked ? keyOf(serving, header.id) : '';
    let waits = true;
    const over = (): void => {
      waits = false;
      if (asked) this.#serving.delete(key);
    };
    this.#open(
      header,
      payloads[0],
      (value) =>
        this.#home.half(header.paradigm, (half) => {
          over();
          if (!serving.stopped) this.#call(header, half, value, serving);
        }),
      (error) => {
        over();
        this.#refuse(header, serving, error, true);
      },
    );
    if (waits && asked) this.#serving.set(key, serving);
  }

  /** Nothing to decode, nothing to answer; in order with all else. */
  #bytesArrived(header: Envelope, parts: readonly Uint8Array[], serving: Serving): void {
    const call = (): void => this.#home.half(header.paradigm, (half) => this.#call(header, half, parts, serving));
    if (this.#home.open) this.#home.open(header, undefined, call, () => {});
    else call();
  }

  #open(
    header: Envelope,
    payload: Payload | undefined,
    ready: (value: unknown) => void,
    failed: (error: unknown) => void,
  ): void {
    if (this.#home.open) {
      this.#home.open(header, payload, ready, failed);
      return;
    }
    let value: unknown;
    try {
      value = payload && decode(payload);
    } catch (error) {
      failed(error);
      return;
    }
    ready(value);
  }

  #call(header: Envelope, half: Handlers | Error, value: unknown, serving: Serving): void {
    const { paradigm, op } = header;
    const handler = half instanceof Error ? half : Object.hasOwn(half, op) ? half[op] : undefined;
    if (typeof handler !== 'function') {
      const unknown = new ProtocolError(`Paradigm '${paradigm}' does not know '${op}' here`);
      this.#refuse(header, serving, handler ?? unknown, true);
      return;
    }
    try {
      const result = handler(value, serving);
      if (isThenable(result)) this.#wait(header, Promise.resolve(result), serving);
      else this.#reply(header, serving, result);
    } catch (error) {
      this.#refuse(header, serving, error);
    }
  }

  #wait(header: Envelope, result: Promise<unknown>, serving: Serving): void {
    const key = keyOf(serving, header.id);
    const asked = header.kind === Kind.REQUEST;
    if (asked) this.#serving.set(key, serving);
    const over = (): void => void (asked && this.#serving.delete(key));
    result.then(
      (value) => {
        over();
        this.#reply(header, serving, value);
      },
      (error) => {
        over();
        this.#refuse(header, serving, error);
      },
    );
  }

  #reply(header: Envelope, serving: Serving, result: unknown): void {
    const { paradigm, op, id, kind, stream } = header;
    if (kind !== Kind.REQUEST) return;
    try {
      if (stream === STREAM) {
        if (!isIterable(result))
          throw new ProtocolError(`'${op}' of paradigm '${paradigm}' has one answer: ask, do not stream`);
        if (serving.read(result)) this.#serving.set(keyOf(serving, id), serving);
        this.#answer(header, {});
      } else if (typeof result === 'object' && result !== null && Symbol.asyncIterator in result)
        throw new ProtocolError(`'${op}' of paradigm '${paradigm}' answers with a stream: stream, do not ask`);
      else this.#answer(header, {}, encodeAnswer(result, 'answer', serving.codec));
    } catch (error) {
      this.#refuse(header, serving, error);
    }
  }

  /** The asker's exchange wants more of a stream. */
  #pulled(header: Envelope): void {
    const key = keyOf(this.#home.sender(header), header.ids[0] ?? 0);
    const serving = this.#serving.get(key);
    const fail = (error: unknown): void => {
      this.#serving.delete(key);
      serving?.stop(error);
      this.#refuse(header, serving, error);
    };
    try {
      if (!serving?.outgoing) throw new ProtocolError('There is no such stream (any more)');
      serving.outgoing.take((items, ended, failure) => {
        try {
          if (failure) throw failure.error;
          if (ended) this.#serving.delete(key);
          const batch = encodeAnswer(items, 'items', serving.codec);
          serving.outgoing?.weighed(payloadBytes(batch));
          this.#answer(header, { op: ended ? 'end' : '' }, batch);
        } catch (error) {
          fail(error);
        }
      });
    } catch (error) {
      fail(error);
    }
  }

  /** The asker does not want it any more. */
  #stopped(header: Envelope): void {
    const key = keyOf(this.#home.sender(header), header.ids[0] ?? 0);
    const serving = this.#serving.get(key);
    this.#serving.delete(key);
    serving?.stop(new DOMException('The caller has stopped', 'AbortError'));
  }

  #refuse(header: Envelope, serving: Serving | undefined, error: unknown, unheard = false): void {
    if (header.kind !== Kind.REQUEST) this.#home.fell(header.paradigm, header.op, error, unheard);
    else this.#answer(header, { failed: true }, thrown(error, serving?.codec ?? 'msgpack'));
  }

  #answer({ id, paradigm, client, targets }: Envelope, more: Header, payload?: Payload): void {
    this.#home.send({ kind: Kind.RESPONSE, id, paradigm, client, targets, ...more }, payload ? [payload] : []);
  }
}

function keyOf({ role, id }: { role: string; id: number }, request: number): string {
  return `${role} ${id} ${request}`;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}

function isIterable(value: unknown): value is AsyncIterable<unknown> | Iterable<unknown> {
  if (typeof value !== 'object' || value === null) return false;
  return Symbol.asyncIterator in value || Symbol.iterator in value;
}
