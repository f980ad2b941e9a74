/** One client as the controller sees it. Replies to a call that has several targets leave as one message for each turn of the event loop. */
import type { LimitError } from '../errors.ts';
import { payloadBytes } from '../wire/codec.ts';
import { type Header, Kind, pack, type ResultHeader } from '../wire/envelope.ts';
import type { Payload } from '../wire/forms.ts';
import type { Rpc } from '../wire/rpc.ts';
import type { Session } from '../wire/session.ts';
import type { Message } from '../wire/transport.ts';
import { Account } from './account.ts';
import { Fetches } from './fetches.ts';

/** Output waiting for a client; beyond this those that print have to wait. It is a connection's high-water mark: it tells when it is drained. */
const OUTPUT_HIGH = 4 << 20;
/** Beyond this, output of engines that cannot wait is dropped and counted. */
const OUTPUT_LIMIT = 32 << 20;

/** What is unread may pass its limit by what the client itself has fetched, until it has read down to this. */
const READ_UP = 4 << 20;

export interface ClientHooks {
  /** Sends what has changed until now. */
  newsFirst(): void;
  /** More waits for the client than its limit allows: it does not read. */
  stuck(client: ClientRecord, bytes: number): void;
  /** Called once for each limit that the client meets. */
  limited(client: ClientRecord, error: LimitError): void;
}

export class ClientRecord {
  readonly id: number;
  readonly observer: boolean;
  /** It has promised signs of life. */
  readonly beats: boolean;
  readonly account = new Account();
  readonly fetches = new Fetches(() => this.session.bufferedAmount);
  session!: Session;
  rpc!: Rpc;
  #most: number;
  #hooks: ClientHooks;
  #fetched = 0;
  #met = new Set<string>();
  #replies = new Map<number, { results: ResultHeader[]; payloads: Payload[] }>();
  #flush: NodeJS.Immediate | undefined;
  #dropped = 0;
  #owed: (() => void)[] = [];

  /** `most`: bytes that may wait for it. */
  constructor(about: { id: number; observer: boolean; beats: boolean }, most: number, hooks: ClientHooks) {
    this.id = about.id;
    this.observer = about.observer;
    this.beats = about.beats;
    this.#most = most;
    this.#hooks = hooks;
  }

  /** After the news that it may follow from. */
  send(header: Header, payloads: readonly Payload[] = [], owned = false): void {
    this.#hooks.newsFirst();
    this.sendPacked(pack(header, payloads), owned);
  }

  /** As it is: for news themselves. */
  sendPacked(message: Message, owned = false): void {
    const { session } = this;
    if (session.ended) return;
    session.sendPacked(message, owned);
    const bytes = session.backlog;
    if (bytes <= READ_UP) this.#fetched = 0;
    else if (bytes > this.#most + this.#fetched) this.#hooks.stuck(this, bytes);
  }

  /** What it has asked of a half of a paradigm: as large as it may be, for who has read most of what came before. */
  answer(header: Header, payloads: readonly Payload[], owned = false): void {
    if (this.session.backlog <= this.#most) for (const payload of payloads) this.fetched(payloadBytes(payload));
    this.send(header, payloads, owned);
  }

  /** A result that it asked for is about to be sent. */
  fetched(bytes: number): void {
    this.#fetched += bytes;
  }

  /** The limit's error, for the call that met it. */
  limit(error: LimitError): LimitError {
    if (this.#met.size < this.#met.add(error.limit).size) this.#hooks.limited(this, error);
    return error;
  }

  /** @param only there is no other target to wait for */
  reply(call: number, result: ResultHeader, payload: Payload | undefined, only: boolean): void {
    if (only) {
      result.payload = payload ? 1 : 0;
      this.send({ kind: Kind.REPLY, id: call, results: [result] }, payload ? [payload] : [], true);
      return;
    }
    let reply = this.#replies.get(call);
    if (!reply) this.#replies.set(call, (reply = { results: [], payloads: [] }));
    if (payload) result.payload = reply.payloads.push(payload);
    else result.payload = 0;
    reply.results.push(result);
    this.#flush ??= setImmediate(() => {
      this.#flush = undefined;
      const replies = this.#replies;
      this.#replies = new Map();
      for (const [id, { results, payloads }] of replies) this.send({ kind: Kind.REPLY, id, results }, payloads, true);
    });
  }

  /** What it has been sent has left, or it has. */
  drained(): void {
    if (this.session.ended || this.session.bufferedAmount <= OUTPUT_HIGH)
      for (const passedOn of this.#owed.splice(0)) passedOn();
  }

  /** `call` 0: output that no call of this client caused. `passedOn` is called when more may come. */
  output(engine: number, call: number, stream: number, text: Payload, passedOn?: () => void): void {
    this.#output(engine, call, stream, text, passedOn === undefined);
    if (!passedOn) return;
    if (this.session.ended || this.session.bufferedAmount <= OUTPUT_HIGH) passedOn();
    else this.#owed.push(passedOn);
  }

  #output(engine: number, call: number, stream: number, text: Payload, droppable: boolean): void {
    this.#hooks.newsFirst();
    if (droppable && this.session.bufferedAmount > OUTPUT_LIMIT) {
      for (const part of text.parts) this.#dropped += part.byteLength;
      return;
    }
    if (this.#dropped) {
      const note = Buffer.from(
        `[tutti: ${this.#dropped} bytes of output were dropped: the client did not read them]\n`,
      );
      this.#dropped = 0;
      this.send({ kind: Kind.OUTPUT, engine, id: call, stream: 2 }, [{ codec: 'raw', parts: [note] }]);
    }
    this.send({ kind: Kind.OUTPUT, engine, id: call, stream }, [text]);
  }
}
