/** The asking end of an exchange: what is waited for, and the streams that are read. */
import { TuttiError } from '../errors.ts';
import { decode } from '../wire/codec.ts';
import { type Envelope, type Header, Kind } from '../wire/envelope.ts';
import type { Payload } from '../wire/forms.ts';

/** Of a REQUEST whose answer is a stream. */
export const STREAM = 1;
/** Of an EVENT whose value is the parts of its payload, as they are. */
export const BYTES = 2;

/** A party beyond the session's other end; neither: that end itself. */
export interface Address {
  /** Several only for `tell`. */
  readonly engines?: readonly number[];
  readonly client?: number;
}

export interface Asked {
  readonly payloads: readonly Payload[];
  readonly code?: readonly string[];
  readonly needs?: Header['needs'];
  /** Pending results in it stay what they are until what is returned is called. */
  readonly lend?: (() => () => void) | undefined;
}

interface Answer {
  id: number;
  header: Envelope;
  payloads: Payload[];
}

interface Waiting {
  readonly address: Address;
  resolve(header: Envelope, payloads: Payload[]): void;
  reject(error: unknown): void;
}

export type Send = (header: Header, payloads: readonly Payload[], owned?: boolean) => void;

export class Asking {
  #send: Send;
  #waiting = new Map<number, Waiting>();
  #next = 0;
  #failure: Error | undefined;

  constructor(send: Send) {
    this.#send = send;
  }

  tell(paradigm: string, op: string, address: Address, asked: Asked): void {
    if (!this.#failure) this.#post({ kind: Kind.EVENT, paradigm, op }, address, asked);
  }

  tellBytes(
    paradigm: string,
    op: string,
    address: Address,
    parts: readonly Uint8Array[],
    { kept = false }: { kept?: boolean } = {},
  ): void {
    if (this.#failure) return;
    const payload: Payload = { codec: 'raw', parts: parts as Uint8Array[] };
    this.#post({ kind: Kind.EVENT, paradigm, op, stream: BYTES }, address, { payloads: [payload] }, !kept);
  }

  async ask(paradigm: string, op: string, address: Address, asked: Asked, signal?: AbortSignal): Promise<unknown> {
    const { payloads } = await this.#request({ paradigm, op }, address, asked, signal);
    return payloads[0] && decode(payloads[0]);
  }

  /** Asked for with the first item that is waited for; the next items are on their way while these are read. */
  async *stream(
    paradigm: string,
    op: string,
    address: Address,
    asked: Asked,
    signal?: AbortSignal,
  ): AsyncGenerator<unknown> {
    const { id } = await this.#request({ paradigm, op, stream: STREAM }, address, asked, signal);
    const pull = (): Promise<Answer> => {
      const batch = this.#request({ paradigm, op: '#pull', ids: [id] }, address, NOTHING, signal);
      batch.catch(() => {}); // whoever stops reading does not wait for it
      return batch;
    };
    let ended = false;
    try {
      for (let next = pull(); ; ) {
        const { header, payloads } = await next;
        ended = header.op === 'end';
        if (!ended) next = pull();
        yield* decode(payloads[0]!) as unknown[];
        if (ended) return;
      }
    } finally {
      if (!ended) this.#stop(paradigm, id, address);
    }
  }

  /** A RESPONSE. It counts only if it comes from whom was asked: others may guess ids. */
  receive(header: Envelope, payloads: Payload[]): void {
    const waiting = this.#waiting.get(header.id);
    const { client = 0, engines } = waiting?.address ?? {};
    if (!waiting || header.client !== client || header.targets[0] !== engines?.[0]) return;
    if (header.failed) waiting.reject(thrown(payloads[0]));
    else waiting.resolve(header, payloads);
  }

  /** Rejects what waits for parties that `which` picks. */
  failWhere(which: (address: Address) => boolean, error: Error): void {
    for (const [id, { address, reject }] of this.#waiting) {
      if (!which(address)) continue;
      this.#waiting.delete(id);
      reject(error);
    }
  }

  /** Rejects what waits, and all that will be asked. */
  fail(error: Error): void {
    this.#failure = error;
    this.failWhere(() => true, error);
  }

  #request(header: Header, address: Address, asked: Asked, signal?: AbortSignal): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#failure) return reject(this.#failure);
      if (signal?.aborted) return reject(signal.reason);
      const id = ++this.#next;
      const giveBack = asked.lend?.();
      const over = (): void => {
        giveBack?.();
        this.#waiting.delete(id);
        signal?.removeEventListener('abort', abort);
      };
      const abort = (): void => {
        over();
        this.#stop(header.paradigm!, id, address);
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', abort, { once: true });
      this.#waiting.set(id, {
        address,
        resolve(answer, payloads) {
          over();
          resolve({ id, header: answer, payloads });
        },
        reject(error) {
          over();
          reject(error);
        },
      });
      try {
        this.#post({ ...header, kind: Kind.REQUEST, id }, address, asked);
      } catch (error) {
        over();
        reject(error); // larger than any message can be
      }
    });
  }

  #stop(paradigm: string, id: number, address: Address): void {
    if (!this.#failure) this.#post({ kind: Kind.EVENT, paradigm, op: '#stop', ids: [id] }, address, NOTHING);
  }

  #post(header: Header, { engines, client }: Address, { payloads, code, needs }: Asked, owned = false): void {
    if (engines) header.targets = [...engines];
    if (client !== undefined) header.client = client;
    if (code?.length) header.code = [...code];
    if (needs?.length) header.needs = needs;
    this.#send(header, payloads, owned);
  }
}

const NOTHING: Asked = { payloads: [] };

/** What the other side threw; bytes that make no sense are an error of this request, not of the session. */
function thrown(payload: Payload | undefined): unknown {
  try {
    return payload ? decode(payload) : new TuttiError('The request failed');
  } catch (error) {
    return error;
  }
}
