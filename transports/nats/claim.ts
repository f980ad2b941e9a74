import { randomBytes } from 'node:crypto';
import type { Msg, NatsConnection } from '@nats-io/transport-node';
import { TransportError } from '../../core/errors.ts';
import type { ListenOptions } from '../../core/wire/transport.ts';
import { type NatsAddress, subjectsOf } from './address.ts';
import { natsWords } from './client.ts';
import { Packet, packet, textIn, viewOf } from './packets.ts';

/** ms for an answer of whoever has the name, and for that of a second one. */
const PATIENCE = 3_000;
const SECOND = 200;

/**
 * A name on a NATS server is nobody's by itself. Who wants it asks those who listen under it; of several who ask at the same time the one
 * with the lowest id comes first. Who has the lease of a durable cluster need not ask: whoever listens without it gives way.
 */
export class Claim {
  /** Whether the name is ours. */
  held = false;
  readonly #nc: NatsConnection;
  readonly #address: NatsAddress;
  readonly #tenure: ListenOptions['tenure'];
  readonly #id = randomBytes(8).toString('hex');
  /** Ends our own claim, while it is being made, in favour of one that comes first. */
  #giveWay: (() => void) | undefined;

  constructor(nc: NatsConnection, address: NatsAddress, tenure: ListenOptions['tenure']) {
    this.#nc = nc;
    this.#address = address;
    this.#tenure = tenure;
  }

  /** Rejects with TransportError when the name is another's. */
  async make(): Promise<void> {
    if (this.#tenure) this.held = true;
    else await this.#ask();
  }

  /** To somebody else's claim. */
  answer(msg: Msg): void {
    const term = msg.data.length > 9 ? viewOf(msg.data).getFloat64(1, true) : 0;
    const id = textIn(msg.data, 9);
    if (term > (this.#tenure?.term ?? 0)) return;
    const first = this.held || this.#id < id;
    if (!first) this.#giveWay?.();
    msg.respond(Buffer.of(first ? Packet.TAKEN : Packet.YIELD));
  }

  #ask(): Promise<void> {
    const { name, text } = this.#address;
    const subjects = subjectsOf(this.#address);
    return new Promise((resolve, reject) => {
      const over = (error?: Error): void => {
        clearTimeout(timer);
        this.#giveWay = undefined;
        answers.unsubscribe();
        this.held = !error; // at once: the next claim may lie in the same packet of the network
        if (error) reject(error);
        else resolve();
      };
      const fail = (why: string): void => over(new TransportError(`Cannot listen on ${text}: ${why}`));
      const silent = (): void =>
        fail(
          `somebody who does not answer has the name '${name}' there; it may be stopped. End it, or choose another name`,
        );
      const taken = (): void => fail(`a cluster named '${name}' is there already; choose another name`);
      this.#giveWay = taken;
      let timer = setTimeout(silent, PATIENCE);
      const own = subjects.end(this.#id);
      const answers = this.#nc.subscribe(own, {
        callback: (error, { headers, data }) => {
          if (error) fail(natsWords(error, this.#address));
          else if (headers?.code === 503) over();
          else if (data[0] === Packet.TAKEN) taken();
          else if (data[0] === Packet.YIELD) {
            clearTimeout(timer);
            timer = setTimeout(over, SECOND);
          }
        },
      });
      const id = Buffer.from(this.#id);
      const { bytes } = packet(Packet.CLAIM, 8 + id.length);
      bytes.set(id, 9);
      this.#nc.publish(subjects.dial, bytes, { reply: own });
    });
  }
}
