/** One client as the controller sees it. Replies of one turn of the event loop leave as one message per call. */
import { Kind, type ResultHeader } from '../wire/envelope.ts';
import type { Payload } from '../wire/forms.ts';
import type { Rpc } from '../wire/rpc.ts';
import type { Session } from '../wire/session.ts';

/** Output waiting for a client that does not read; beyond this it is dropped and counted. */
const OUTPUT_LIMIT = 16 << 20;

export class ClientRecord {
  readonly id: number;
  readonly observer: boolean;
  session!: Session;
  rpc!: Rpc;
  #replies = new Map<number, { results: ResultHeader[]; payloads: Payload[] }>();
  #flush: NodeJS.Immediate | undefined;
  #dropped = 0;
  #newsFirst: () => void;

  /** @param newsFirst sends what has changed until now: before anything that may follow from it */
  constructor(id: number, observer: boolean, newsFirst: () => void) {
    this.id = id;
    this.observer = observer;
    this.#newsFirst = newsFirst;
  }

  reply(call: number, result: ResultHeader, payload?: Payload): void {
    let reply = this.#replies.get(call);
    if (!reply) this.#replies.set(call, (reply = { results: [], payloads: [] }));
    if (payload) result.payload = reply.payloads.push(payload);
    else result.payload = 0;
    reply.results.push(result);
    this.#flush ??= setImmediate(() => {
      this.#flush = undefined;
      const replies = this.#replies;
      this.#replies = new Map();
      this.#newsFirst();
      for (const [id, { results, payloads }] of replies)
        this.session.send({ kind: Kind.REPLY, id, results }, payloads, true);
    });
  }

  /** `call` 0: output that no call of this client caused. */
  output(engine: number, call: number, stream: number, text: Payload): void {
    this.#newsFirst();
    if (this.session.bufferedAmount > OUTPUT_LIMIT) {
      for (const part of text.parts) this.#dropped += part.byteLength;
      return;
    }
    if (this.#dropped) {
      const note = Buffer.from(
        `[tutti: ${this.#dropped} bytes of output were dropped: the client did not read them]\n`,
      );
      this.#dropped = 0;
      this.session.send({ kind: Kind.OUTPUT, engine, id: call, stream: 2 }, [{ codec: 'raw', parts: [note] }]);
    }
    this.session.send({ kind: Kind.OUTPUT, engine, id: call, stream }, [text]);
  }
}
