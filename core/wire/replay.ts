import type { Message } from './transport.ts';

/** What a message costs beside its bytes: its list, its views, its place here. */
export const MESSAGE_COST = 256;

/** What was sent and is not acknowledged, oldest first; a constant time for each message, however many there are. */
export class Replay {
  /** Messages that came before the oldest one here. */
  from = 0;
  bytes = 0;
  #messages: (Message | undefined)[] = [];
  #head = 0;

  get count(): number {
    return this.#messages.length - this.#head;
  }

  /** All messages so far, here or not. */
  get sent(): number {
    return this.from + this.count;
  }

  push(message: Message): void {
    this.#messages.push(message);
    this.bytes += cost(message);
  }

  /** The oldest one, which is no longer kept. */
  shift(): Message {
    const message = this.#messages[this.#head]!;
    this.#messages[this.#head++] = undefined;
    this.from++;
    this.bytes -= cost(message);
    if (this.#head > 1_024 && this.#head * 2 > this.#messages.length) {
      this.#messages = this.#messages.slice(this.#head);
      this.#head = 0;
    }
    return message;
  }

  clear(): void {
    this.from += this.count;
    this.#messages = [];
    this.#head = this.bytes = 0;
  }

  *[Symbol.iterator](): Generator<Message> {
    for (let i = this.#head; i < this.#messages.length; i++) yield this.#messages[i]!;
  }
}

function cost(message: Message): number {
  let bytes = MESSAGE_COST;
  for (const part of message) bytes += part.byteLength;
  return bytes;
}
