/** Request and response over a session, in both directions. For the small change; calls of views have their own messages. */
import { ProtocolError, TuttiError } from '../errors.ts';
import { type AnswerCodec, answerCodec, encodeAnswer, encodeThrown } from './answer.ts';
import { decode, encode, payloadBytes } from './codec.ts';
import { type Envelope, type Header, Kind } from './envelope.ts';
import type { Payload } from './forms.ts';

export type RequestHandler = (header: Envelope, payloads: Payload[]) => Answer | Promise<Answer>;
/** Payloads to answer with, as they are; nothing for an empty answer. `owned`: they may be handed over. */
export type Answer = { payloads: Payload[]; owned?: boolean } | undefined;

const ERROR_BYTES = 64 << 20;

type Send = (header: Header, payloads: readonly Payload[], owned?: boolean) => void;

export class Rpc {
  #send: Send;
  #handlers: Record<string, RequestHandler>;
  #waiting = new Map<number, { resolve: (payloads: Payload[]) => void; reject: (error: unknown) => void }>();
  #next = 0;
  #failure: Error | undefined;

  constructor(send: Send, handlers: Record<string, RequestHandler> = {}) {
    this.#send = send;
    this.#handlers = handlers;
  }

  request(op: string, header: Header = {}, payloads: readonly Payload[] = []): Promise<Payload[]> {
    if (this.#failure) return Promise.reject(this.#failure);
    const id = ++this.#next;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#send({ ...header, kind: Kind.REQUEST, id, op }, payloads);
    });
  }

  /** Request with one value, answered with one value. */
  async ask(op: string, value?: unknown): Promise<any> {
    const [answer] = await this.request(op, {}, [encode(value, { root: op })]);
    return answer && decode(answer);
  }

  /** Takes REQUEST and RESPONSE messages; false for all others. */
  receive(header: Envelope, payloads: Payload[]): boolean {
    if (header.kind === Kind.RESPONSE) {
      const waiting = this.#waiting.get(header.id);
      if (header.failed) waiting?.reject(reasonIn(payloads[0]));
      else waiting?.resolve(payloads);
      this.#waiting.delete(header.id);
      return true;
    }
    if (header.kind !== Kind.REQUEST) return false;
    const { id } = header;
    const handler = Object.hasOwn(this.#handlers, header.op) ? this.#handlers[header.op] : undefined;
    const fail = (error: unknown): void =>
      this.#send({ kind: Kind.RESPONSE, id, failed: true }, [thrown(error, answerCodec(payloads))]);
    if (!handler) {
      fail(new ProtocolError(`Unknown request '${header.op.slice(0, 40)}'`));
      return true;
    }
    Promise.resolve()
      .then(() => handler(header, payloads))
      .then((answer) => this.#send({ kind: Kind.RESPONSE, id }, answer?.payloads ?? [], answer?.owned))
      .catch(fail);
    return true;
  }

  /** Rejects what waits, and all that will be asked. */
  fail(error: Error): void {
    this.#failure = error;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

/** Why a request failed; where that makes no sense, that. */
function reasonIn(payload: Payload | undefined): unknown {
  try {
    return payload ? decode(payload) : new TuttiError('The request failed');
  } catch (error) {
    return error;
  }
}

/** An error that cannot be sent must not stand in the way of the answer. */
export function thrown(error: unknown, codec: AnswerCodec): Payload {
  try {
    const payload = encodeThrown(error, codec);
    if (payloadBytes(payload) <= ERROR_BYTES) return payload;
  } catch {
    // said below
  }
  return encodeThrown(new TuttiError('The request failed, with an error that cannot be sent'), codec);
}

/** A handler over plain values. */
export function answering(handler: (value: any) => unknown): RequestHandler {
  return async (_header, payloads) => {
    const answer = await handler(payloads[0] && decode(payloads[0]));
    return { payloads: [encodeAnswer(answer, 'answer', answerCodec(payloads))] };
  };
}
