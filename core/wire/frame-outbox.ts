import { UsageError } from '../errors.ts';
import type { Lane, Message } from './transport.ts';

/** Lane-1 bytes that may be under way without the reader having taken them. */
export const WINDOW_BYTES = 8 * 1024 * 1024;
export const MAX_PARTS = 65_536;
/** Bytes of one message, all parts together. */
export const MAX_MESSAGE_BYTES = 2 ** 31 - 1;

/** Throws UsageError for a message that no connection carries. */
export function checkSize(bytes: number, parts: number): void {
  if (bytes <= MAX_MESSAGE_BYTES && parts <= MAX_PARTS) return;
  throw new UsageError(
    `A message of ${bytes} bytes in ${parts} parts is too large for one send (limits: ${MAX_MESSAGE_BYTES} bytes, ${MAX_PARTS} parts); send it in pieces`,
  );
}

/** A message that waits to leave; `part` and `offset` say how far an adapter that cuts it up has come. */
export interface Outgoing {
  readonly parts: Message;
  readonly owned: boolean;
  /** Part table and parts: what it counts for in credit and in `bufferedAmount`. */
  readonly weight: number;
  left: number;
  part: number;
  offset: number;
}

/** What one end of a connection has accepted and not yet passed on: two queues, the peer's credit, our grants, our goodbye. */
export class Outbox {
  /** Lane-1 bytes that the peer is still willing to take. */
  credit = WINDOW_BYTES;
  /** Lane-1 bytes taken here, of which the peer is told with the next write. */
  grant = 0;
  /** The reason of a close that goes out once both queues are empty. */
  goodbye: string | undefined;
  goodbyeSent = false;
  /** Messages on lane 1 that were pushed, and those that were taken completely. */
  accepted = 0;
  taken = 0;
  readonly #queues: readonly [Fifo, Fifo] = [new Fifo(), new Fifo()];

  /** Returns the message's weight. Throws UsageError on a message that no connection carries. */
  push(parts: Message, lane: Lane, owned: boolean): number {
    let bytes = 0;
    for (const part of parts) bytes += part.length;
    checkSize(bytes, parts.length);
    const weight = 4 + 4 * parts.length + bytes;
    this.accepted += lane;
    this.#queues[lane].push({ parts, owned, weight, left: bytes, part: 0, offset: 0 });
    return weight;
  }

  first(lane: Lane): Outgoing | undefined {
    return this.#queues[lane].first();
  }

  shift(lane: Lane): void {
    this.taken += lane;
    this.#queues[lane].shift();
  }

  get empty(): boolean {
    return this.#queues[0].first() === undefined && this.#queues[1].first() === undefined;
  }

  clear(): void {
    this.#queues[0].clear();
    this.#queues[1].clear();
  }
}

class Fifo {
  #items: (Outgoing | undefined)[] = [];
  #head = 0;

  push(item: Outgoing): void {
    this.#items.push(item);
  }

  first(): Outgoing | undefined {
    return this.#items[this.#head];
  }

  shift(): void {
    this.#items[this.#head++] = undefined;
    if (this.#head === this.#items.length) this.clear();
    else if (this.#head > 4096 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
  }

  clear(): void {
    this.#items = [];
    this.#head = 0;
  }
}
