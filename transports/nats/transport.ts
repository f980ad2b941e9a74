import type { Connection, DialOptions, Transport } from '../../core/wire/transport.ts';
import { natsAddress, natsExposure } from './address.ts';
import { connectNats } from './client.ts';
import { Dialling } from './dialling.ts';
import { listen } from './listener.ts';

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
    return await new Dialling(nc, address).connection(signal);
  } catch (error) {
    await nc.close();
    throw error;
  }
}
