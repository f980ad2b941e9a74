import { randomBytes } from 'node:crypto';
import type { Msg, NatsConnection } from '@nats-io/transport-node';
import { TimeoutError, TransportError } from '../../core/errors.ts';
import type { Connection, DialOptions, Transport } from '../../core/wire/transport.ts';
import { type NatsAddress, natsAddress, natsExposure, subjectsOf } from './address.ts';
import { connectNats, natsWords, watchNats } from './client.ts';
import { LEAVING, NatsLink } from './link.ts';
import { listen } from './listener.ts';
import { Packet, packet, textIn, VERSION, viewOf } from './packets.ts';

/** ms that a listener may take to answer; less than what those who dial wait, so that it is told apart from nobody. */
const PATIENCE = 8_000;

/**
 * By way of a NATS server or cluster: `nats://host:4222/name`, where `name` is the cluster's. The library is loaded with the
 * first use.
 */
export function nats(): Transport {
  return { schemes: ['nats'], listen, dial, exposure: natsExposure };
}

async function dial(url: URL, { signal }: DialOptions): Promise<Connection> {
  const address = natsAddress(url);
  const nc = await connectNats(address, { signal });
  try {
    return await ask(nc, address, signal);
  } catch (error) {
    await nc.close();
    throw error;
  }
}

/** Asks for a connection, and resolves when one is granted. */
function ask(nc: NatsConnection, address: NatsAddress, signal: AbortSignal | undefined): Promise<Connection> {
  const subjects = subjectsOf(address);
  const own = subjects.end(randomBytes(16).toString('hex'));
  let link: NatsLink | undefined;
  return new Promise((resolve, reject) => {
    const settle = (what: () => void): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', aborted);
      what();
    };
    const fail = (why: string): void =>
      settle(() => reject(new TransportError(`Cannot dial ${address.text}: ${why}`)));
    const aborted = (): void => settle(() => reject(signal?.reason));
    const late = (): void => settle(() => reject(silent(address)));
    const timer = setTimeout(late, PATIENCE);
    signal?.addEventListener('abort', aborted, { once: true });
    void nc.closed().then((error) => fail(error ? natsWords(error, address) : 'NATS ended the connection'));
    const answered = (error: Error | null, msg: Msg): void => {
      if (link) return link.take(error, msg);
      if (error) return fail(natsWords(error, address));
      if (msg.headers?.code === 503)
        return fail(`nobody listens under the name '${address.name}' on that NATS server`);
      const { data } = msg;
      if (data[0] === Packet.REFUSE) return fail(textIn(data));
      if (data[0] !== Packet.ACCEPT || data.length < 14 || !msg.reply) return;
      if (data[1] !== VERSION) return fail(`it speaks version ${data[1]} of this transport, and we ${VERSION}`);
      const view = viewOf(data);
      const largest = Math.min(view.getUint32(2, true), nc.info!.max_payload);
      link = new NatsLink(nc, { remote: address.text, own, peer: msg.reply, largest });
      const term = view.getFloat64(6, true);
      if (term > 0) giveWayTo(nc, subjects.term, term, link);
      const { connection } = link;
      settle(() => resolve(connection));
    };
    nc.subscribe(own, { callback: answered });
    const { bytes, view } = packet(Packet.DIAL, 5);
    view.setUint8(1, VERSION);
    view.setUint32(2, nc.info!.max_payload, true);
    nc.publish(subjects.dial, bytes, { reply: own });
    void watchNats(nc, address, {
      leaving: () => link?.lose(LEAVING),
      failed: (error) => fail(natsWords(error, address)),
    });
  });
}

/** A controller that was replaced may not know it yet: who is connected with it looks for the new one. */
function giveWayTo(nc: NatsConnection, subject: string, term: number, link: NatsLink): void {
  nc.subscribe(subject, {
    callback: (error, { data }) => {
      if (error || data[0] !== Packet.TERM || data.length !== 9) return;
      if (viewOf(data).getFloat64(1, true) > term) link.lose('another controller has taken over');
    },
  });
}

function silent({ text, name }: NatsAddress): TimeoutError {
  return new TimeoutError(
    `Cannot dial ${text}: whoever listens under the name '${name}' does not answer within ${PATIENCE / 1_000} s; it may be stopped`,
  );
}
