/** Speaks with another engine over a direct channel, which is opened by the first word; later ones wait for it in order. */
import type { Asked } from '../paradigm/exchange.ts';
import type { Party } from '../paradigm/paradigm.ts';
import { signalOf } from '../paradigm/party.ts';
import type { Channel } from './peers.ts';

export class PeerVoice implements Party {
  #paradigm: string;
  #pack: (value: unknown) => Asked;
  #channel: () => Channel | Promise<Channel>;

  constructor(paradigm: string, pack: (value: unknown) => Asked, channel: () => Channel | Promise<Channel>) {
    this.#paradigm = paradigm;
    this.#pack = pack;
    this.#channel = channel;
  }

  async ask(op: string, value?: unknown, options?: { signal?: AbortSignal }): Promise<any> {
    const signal = signalOf(options);
    const asked = this.#pack(value); // as it is now
    const open = this.#channel();
    const { exchange } = open instanceof Promise ? await open : open;
    return exchange.ask(this.#paradigm, op, HERE, asked, signal);
  }

  tell(op: string, value?: unknown): void {
    const told = this.#pack(value);
    const open = this.#channel();
    if (!(open instanceof Promise)) open.exchange.tell(this.#paradigm, op, HERE, told);
    // That it cannot be opened is a loss, and told as one.
    else
      open.then(
        ({ exchange }) => exchange.tell(this.#paradigm, op, HERE, told),
        () => {},
      );
  }

  tellBytes(op: string, parts: readonly Uint8Array[], options?: { kept?: boolean }): void {
    const open = this.#channel();
    if (!(open instanceof Promise)) open.exchange.tellBytes(this.#paradigm, op, HERE, parts, options);
    else
      open.then(
        ({ exchange }) => exchange.tellBytes(this.#paradigm, op, HERE, parts, options),
        () => {},
      );
  }

  stream(op: string, value?: unknown, options?: { signal?: AbortSignal }): AsyncIterable<any> {
    return this.#read(op, this.#pack(value), signalOf(options));
  }

  async *#read(op: string, asked: Asked, signal: AbortSignal | undefined): AsyncGenerator<any> {
    const { exchange } = await this.#channel();
    yield* exchange.stream(this.#paradigm, op, HERE, asked, signal);
  }

  async drained(): Promise<void> {
    await (await this.#channel()).drained();
  }
}

const HERE = {};
