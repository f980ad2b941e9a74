import { FrameConnection, type Link } from './frame-connection.ts';
import { MAX_MESSAGE_BYTES, type Outbox } from './frame-outbox.ts';
import type { Capabilities, Lane, Message } from './transport.ts';

/** One message on its way to the other end of the same process. */
export interface Handed {
  readonly parts: Message;
  readonly lane: Lane;
  /** The carrier may move the parts instead of copying them. */
  readonly owned: boolean;
}

/** What passes at once between the two ends. */
export interface Handover {
  readonly messages: readonly Handed[];
  /** Lane-1 weight that the reader has taken. */
  readonly credit: number;
  readonly goodbye: string | undefined;
}

/** How handovers reach the other end. */
export interface Carrier {
  post(handover: Handover): void;
  /** Ends both sides, after what was posted. */
  close(): void;
}

/** Weight of a message: what both ends count for credit. */
function weigh(parts: Message): number {
  let weight = 4 + 4 * parts.length;
  for (const part of parts) weight += part.length;
  return weight;
}

/**
 * A link that passes whole messages instead of bytes. A message needs any credit at all, not its whole weight, so the
 * window may be exceeded by one message.
 */
export class HandoverLink implements Link {
  readonly capabilities: Capabilities = {
    sharedMemory: true,
    transfer: true,
    maxMessage: MAX_MESSAGE_BYTES,
    crossHost: false,
    lossless: true,
  };
  readonly remote: string;
  readonly prompt: boolean;
  readonly #carrier: Carrier;
  readonly connection: FrameConnection;
  #early: (() => void)[] | undefined = [];

  constructor(remote: string, prompt: boolean, carrier: Carrier) {
    this.remote = remote;
    this.prompt = prompt;
    this.#carrier = carrier;
    this.connection = new FrameConnection(this);
  }

  start(): void {
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const report of early) report();
  }

  write(outbox: Outbox, sent: (weight: number) => void): boolean {
    const messages: Handed[] = [];
    let weight = 0;
    for (let item = outbox.first(0); item; item = outbox.first(0)) {
      messages.push({ parts: item.parts, lane: 0, owned: item.owned });
      weight += item.weight;
      outbox.shift(0);
    }
    for (let item = outbox.first(1); item && outbox.credit > 0; item = outbox.first(1)) {
      messages.push({ parts: item.parts, lane: 1, owned: item.owned });
      weight += item.weight;
      outbox.credit -= item.weight;
      outbox.shift(1);
    }
    const leaving = outbox.goodbye !== undefined && !outbox.goodbyeSent && outbox.empty;
    if (messages.length === 0 && outbox.grant === 0 && !leaving) return false;
    const credit = outbox.grant;
    outbox.grant = 0;
    outbox.goodbyeSent ||= leaving;
    this.#carrier.post({ messages, credit, goodbye: leaving ? outbox.goodbye : undefined });
    sent(weight);
    return true;
  }

  /** From the carrier: the other end posted this, and the parts are ours now. */
  arrive({ messages, credit, goodbye }: Handover): void {
    if (this.#early) {
      this.#early.push(() => this.arrive({ messages, credit, goodbye }));
      return;
    }
    const connection = this.connection;
    if (credit > 0) connection.credited(credit);
    for (const { parts, lane } of messages) {
      // Weighed first: the receiver owns the parts and may give them away.
      const weight = lane === 1 ? weigh(parts) : 0;
      connection.message(parts as Uint8Array[], lane);
      if (weight > 0) connection.arrived(weight);
    }
    if (goodbye !== undefined) connection.goodbye(goodbye);
  }

  /** From the carrier: nothing more comes. */
  gone(error?: string): void {
    if (this.#early) this.#early.push(() => this.gone(error));
    else this.connection.gone(error);
  }

  allowLarge(): void {}

  /** The other end closes when it has read our goodbye. */
  end(): void {}

  destroy(): void {
    this.#carrier.close();
  }
}
