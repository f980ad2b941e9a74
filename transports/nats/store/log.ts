/**
 * A log in a JetStream stream, that one process at a time appends to. Each message names the one that it follows, so as soon as another
 * process has appended something, what the first one sends does not get in any more. What is too large for a message is several.
 *
 * A message: u8 version, u8 flags (first, last), then its share of the bytes.
 */
import { randomUUID } from 'node:crypto';
import { StoreError, StoreFullError } from '../../../core/errors.ts';
import { codeOf, type JetStream, retrying, WRONG_LAST_SEQUENCE } from './jetstream.ts';

const VERSION = 1;
const HEADER = 2;
const FIRST = 1;
const LAST = 2;
/** ms for one attempt. */
const ATTEMPT = 1_000;
const PIECE = 512 * 1024;
const LEEWAY = 4_096;

/** Where something lies that was appended. */
export interface Place {
  /** Of its first message; the others follow. */
  readonly seq: number;
  readonly parts: number;
  /** Bytes in each part but the last. */
  readonly piece: number;
}

/** Another process has appended something. */
export class FencedError extends StoreError {}

export class Log {
  readonly #at: JetStream;
  readonly #writer = randomUUID();
  readonly #piece: number;
  #count = 0;
  #last: number;

  /** @param last the number of the message that ours are to follow. */
  constructor(at: JetStream, last: number) {
    this.#at = at;
    this.#last = last;
    this.#piece = Math.min(PIECE, at.nc.info!.max_payload - LEEWAY);
  }

  /**
   * Rejects with FencedError, or StoreFullError: then nothing of it counts. With StoreError when NATS stayed away: whether it counts is
   * not known, so nothing may be appended any more.
   */
  async append(bytes: Uint8Array): Promise<Place> {
    const piece = this.#piece;
    const parts = Math.max(1, Math.ceil(bytes.length / piece));
    const seq = this.#last + 1;
    for (let part = 0; part < parts; part++) {
      const share = bytes.subarray(part * piece, (part + 1) * piece);
      const message = new Uint8Array(HEADER + share.length);
      message[0] = VERSION;
      message[1] = (part === 0 ? FIRST : 0) | (part === parts - 1 ? LAST : 0);
      message.set(share, HEADER);
      try {
        this.#last = await this.#publish(message);
      } catch (error) {
        if (error instanceof StoreFullError) await this.#remove(seq);
        throw error;
      }
    }
    return { seq, parts, piece };
  }

  /** What was appended by whomever and is still there, up to our own last message, in order. */
  async *replay(): AsyncGenerator<{ place: Place; bytes: Uint8Array }> {
    const { js, jsm, stream } = this.#at;
    const { state } = await jsm.streams.info(stream);
    if (!state.messages || state.first_seq > this.#last) return;
    const consumer = await js.consumers.get(stream);
    const messages = await consumer.consume();
    let shares: Uint8Array[] = [];
    let seq = 0;
    for await (const { seq: number, data } of messages) {
      if (data[0] !== VERSION)
        throw new StoreError(`Message ${number} of ${stream} is of a version that this one does not know`);
      const flags = data[1]!;
      if (flags & FIRST) {
        shares = []; // what its writer did not finish does not count
        seq = number;
      }
      shares.push(data.subarray(HEADER));
      if (flags & LAST && number - seq + 1 === shares.length) {
        yield { place: { seq, parts: shares.length, piece: shares[0]!.length }, bytes: joined(shares) };
        shares = [];
      }
      if (number >= this.#last) break;
    }
    await messages.close();
  }

  /** Bytes of what was appended there. */
  async read({ seq, piece }: Place, at: number, size: number): Promise<Uint8Array> {
    const { nc, jsm, stream } = this.#at;
    const bytes = new Uint8Array(size);
    for (let filled = 0; filled < size; ) {
      const part = Math.floor((at + filled) / piece);
      const offset = HEADER + ((at + filled) % piece);
      const message = await retrying(nc, () => jsm.streams.getMessage(stream, { seq: seq + part }));
      if (!message) throw new StoreError(`Message ${seq + part} of ${stream} is gone; somebody else has removed it`);
      const share = message.data.subarray(offset, offset + size - filled);
      bytes.set(share, filled);
      filled += share.length;
    }
    return bytes;
  }

  /** Removes all before this message. */
  async cutBefore(seq: number): Promise<void> {
    await this.#at.jsm.streams.purge(this.#at.stream, { seq });
  }

  /** From this message on: what was not finished only takes room. */
  async #remove(first: number): Promise<void> {
    const { jsm, stream } = this.#at;
    for (let seq = first; seq <= this.#last; seq++) await jsm.streams.deleteMessage(stream, seq, false).catch(() => {}); // it goes with what lies before it
  }

  async #publish(message: Uint8Array): Promise<number> {
    const { nc, js, subject, stream } = this.#at;
    const options = {
      msgID: `${this.#writer}-${++this.#count}`,
      expect: { lastSequence: this.#last },
      timeout: ATTEMPT,
    };
    try {
      const { seq } = await retrying(nc, () => js.publish(subject, message, options));
      return seq;
    } catch (error) {
      const { message: text } = error as Error;
      if (codeOf(error) === WRONG_LAST_SEQUENCE)
        throw new FencedError(`Another controller writes to ${stream}; this one has been replaced`, { cause: error });
      if (/maximum|insufficient|no space|resource/i.test(text))
        throw new StoreFullError(
          `The stream ${stream} has no room: ${text}. Make room on the NATS server, or remove entries`,
        );
      throw error instanceof StoreError ? error : new StoreError(`The stream ${stream} cannot be written: ${text}`);
    }
  }
}

/** In memory of their own. */
function joined(shares: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(shares.reduce((sum, share) => sum + share.length, 0));
  let at = 0;
  for (const share of shares) {
    bytes.set(share, at);
    at += share.length;
  }
  return bytes;
}
