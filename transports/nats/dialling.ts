import { randomBytes } from 'node:crypto';
import type { Msg, NatsConnection } from '@nats-io/transport-node';
import { TimeoutError, TransportError } from '../../core/errors.ts';
import type { Connection } from '../../core/wire/transport.ts';
import { type NatsAddress, subjectsOf } from './address.ts';
import { natsWords, watchNats } from './client.ts';
import { LEAVING, NatsLink } from './link.ts';
import { Packet, packet, textIn, VERSION, viewOf } from './packets.ts';

/** ms that a listener may take to answer; less than what those who dial wait, so that it is told apart from nobody. */
const PATIENCE = 8_000;
/** ms. Who was there a moment ago may have taken the question along. */
const ASK_AGAIN = 500;
const ACCEPT_BYTES = 14;

/** Asks the listener of a name for a connection. */
export class Dialling {
  readonly #nc: NatsConnection;
  readonly #address: NatsAddress;
  readonly #subjects: ReturnType<typeof subjectsOf>;
  readonly #own: string;
  #link: NatsLink | undefined;
  #resolve!: (connection: Connection) => void;
  #reject!: (reason: unknown) => void;

  constructor(nc: NatsConnection, address: NatsAddress) {
    this.#nc = nc;
    this.#address = address;
    this.#subjects = subjectsOf(address);
    this.#own = this.#subjects.end(randomBytes(16).toString('hex'));
  }

  /** Resolves when it is granted. Rejects with TransportError, TimeoutError when somebody is there and silent, or the signal's reason. */
  async connection(signal: AbortSignal | undefined): Promise<Connection> {
    const answered = new Promise<Connection>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    const aborted = (): void => this.#reject(signal?.reason);
    signal?.addEventListener('abort', aborted, { once: true });
    const timer = setTimeout(() => this.#reject(this.#silent()), PATIENCE);
    const again = setInterval(() => this.#ask(), ASK_AGAIN);
    this.#listen();
    this.#ask();
    try {
      return await answered;
    } finally {
      clearTimeout(timer);
      clearInterval(again);
      signal?.removeEventListener('abort', aborted);
    }
  }

  #listen(): void {
    const nc = this.#nc;
    nc.subscribe(this.#own, { callback: (error, msg) => this.#take(error, msg) });
    void nc.closed().then((error) => {
      this.#fail(error ? natsWords(error, this.#address) : 'NATS ended the connection');
    });
    void watchNats(nc, this.#address, {
      leaving: () => this.#link?.lose(LEAVING),
      failed: (error) => this.#fail(natsWords(error, this.#address)),
    });
  }

  #ask(): void {
    const { bytes, view } = packet(Packet.DIAL, 5);
    view.setUint8(1, VERSION);
    view.setUint32(2, this.#nc.info!.max_payload, true);
    this.#nc.publish(this.#subjects.dial, bytes, { reply: this.#own });
  }

  #take(error: Error | null, msg: Msg): void {
    const type = msg.data?.[0];
    if (this.#link && type === Packet.ACCEPT) {
      msg.respond(Buffer.of(Packet.CUT)); // we have asked twice, or two have heard it
      return;
    }
    if (this.#link) this.#link.take(error, msg);
    else if (error) this.#fail(natsWords(error, this.#address));
    else if (msg.headers?.code === 503)
      this.#fail(`nobody listens under the name '${this.#address.name}' on that NATS server`);
    else if (type === Packet.REFUSE) this.#fail(textIn(msg.data));
    else if (type === Packet.ACCEPT) this.#accepted(msg);
  }

  #accepted({ data, reply }: Msg): void {
    if (data[1] !== VERSION) {
      this.#fail(`it speaks version ${data[1]} of this transport, and we ${VERSION}`);
      return;
    }
    if (data.length < ACCEPT_BYTES || !reply) return;
    const view = viewOf(data);
    const largest = Math.min(view.getUint32(2, true), this.#nc.info!.max_payload);
    this.#link = new NatsLink(this.#nc, { remote: this.#address.text, own: this.#own, peer: reply, largest });
    const term = view.getFloat64(6, true);
    if (term > 0) this.#giveWayTo(term, this.#link);
    this.#resolve(this.#link.connection);
  }

  /** A controller that was replaced may not know it yet: who is connected with it looks for the new one. */
  #giveWayTo(term: number, link: NatsLink): void {
    this.#nc.subscribe(this.#subjects.term, {
      callback: (error, { data }) => {
        if (error || data[0] !== Packet.TERM || data.length !== 9) return;
        if (viewOf(data).getFloat64(1, true) > term) link.lose('another controller has taken over');
      },
    });
  }

  /** Of no consequence once it is granted: then the link tells. */
  #fail(why: string): void {
    this.#reject(new TransportError(`Cannot dial ${this.#address.text}: ${why}`));
  }

  #silent(): TimeoutError {
    const { text, name } = this.#address;
    return new TimeoutError(
      `Cannot dial ${text}: whoever listens under the name '${name}' does not answer within ${PATIENCE / 1_000} s; it may be stopped`,
    );
  }
}
