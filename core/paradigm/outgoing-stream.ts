/** The sending end of a stream: reads ahead of its reader, but never further than a batch. */

import { ProtocolError } from '../errors.ts';

/** Items that may wait to be fetched. */
const AHEAD = 64;
/** Bytes that a batch had better have, if its items allow it: they are found out by its first, small ones. */
const BATCH_BYTES = 1 << 20;
/** Batches that a reader may wait for at a time. */
const TAKERS = 4;

type Take = (items: unknown[], ended: boolean, failure?: { error: unknown }) => void;

export class OutgoingStream {
  #iterator: Iterator<unknown> | AsyncIterator<unknown>;
  #ready: unknown[] = [];
  #takers: Take[] = [];
  #reading = false;
  #ahead = 1;
  #ended = false;
  #failure: { error: unknown } | undefined;

  constructor(source: AsyncIterable<unknown> | Iterable<unknown>) {
    this.#iterator =
      Symbol.asyncIterator in source
        ? source[Symbol.asyncIterator]()
        : (source as Iterable<unknown>)[Symbol.iterator]();
    void this.#read();
  }

  /** Calls back once, when there is at least one item, or the end. Several takers are served in order. */
  take(taker: Take): void {
    if (this.#takers.length === TAKERS) throw new ProtocolError('A stream is read by too many at a time');
    this.#takers.push(taker);
    this.#serve();
    void this.#read();
  }

  /** How large a batch was: the next ones follow from it. */
  weighed(bytes: number): void {
    if (bytes > BATCH_BYTES) this.#ahead = Math.max(1, this.#ahead >> 1);
    else if (2 * bytes <= BATCH_BYTES) this.#ahead = Math.min(AHEAD, this.#ahead * 2);
  }

  /** Nobody reads any more. */
  stop(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#ready = [];
    try {
      // An asynchronous generator comes to its `finally` when what it waits for is over: its caller's signal says so.
      Promise.resolve(this.#iterator.return?.()).catch(() => {});
    } catch {
      // its own affair: nobody listens
    }
    this.#serve();
  }

  async #read(): Promise<void> {
    if (this.#reading) return;
    this.#reading = true;
    while (!this.#ended && this.#ready.length < this.#ahead) {
      try {
        const { done, value } = await this.#iterator.next();
        if (done) this.#ended = true;
        else if (!this.#ended) this.#ready.push(value);
      } catch (error) {
        this.#ended = true;
        this.#failure = { error };
      }
      this.#serve();
    }
    this.#reading = false;
  }

  #serve(): void {
    while (this.#takers.length && (this.#ready.length || this.#ended)) {
      const taker = this.#takers.shift()!;
      const items = this.#ready.splice(0, this.#ahead);
      // What came before the failure is delivered before it.
      if (items.length) taker(items, this.#ended && !this.#failure && !this.#ready.length);
      else taker([], true, this.#failure);
    }
  }
}
