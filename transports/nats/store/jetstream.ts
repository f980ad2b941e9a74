/** JetStream and its key-value buckets, loaded when a store is kept there. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { JetStreamClient, JetStreamManager } from '@nats-io/jetstream';
import type { KV } from '@nats-io/kv';
import type { NatsConnection } from '@nats-io/transport-node';
import { StoreError } from '../../../core/errors.ts';
import type { NatsAddress } from '../address.ts';
import { connectNats, natsWords, watchNats } from '../client.ts';

/** Codes of JetStream's own errors. */
const STREAM_NOT_FOUND = 10_059;
export const WRONG_LAST_SEQUENCE = 10_071;
const NO_ROOM = 10_023;
const NO_PEERS = 10_005;
const UNAVAILABLE = 503;

/** ms. A retried message is recognised for this long. */
export const DUPLICATES = 120_000;
/** ms for all that is tried while NATS is away: less than that. */
const PATIENCE = 60_000;
/** ms that a NATS cluster may take to find its leader. */
const START = 15_000;
const RETRY = 200;
/** ms for one question: little enough that a lease is renewed in time when NATS is back. */
const ANSWER = 1_000;
const MILLISECOND = 1e6;
const COPIES_IN_CLUSTERS = 3;

export interface JetStream {
  readonly nc: NatsConnection;
  readonly js: JetStreamClient;
  readonly jsm: JetStreamManager;
  readonly kv: KV;
  readonly stream: string;
  readonly subject: string;
}

/** With the stream and the bucket of this cluster, which are made where they are missing. Rejects with StoreError. */
export async function openJetStream(address: NatsAddress): Promise<JetStream> {
  const { jetstream, jetstreamManager, RetentionPolicy, StorageType, DiscardPolicy } = await load(
    '@nats-io/jetstream',
    () => import('@nats-io/jetstream'),
  );
  const { Kvm } = await load('@nats-io/kv', () => import('@nats-io/kv'));
  const nc = await connectNats(address, { reconnect: true });
  try {
    const info = nc.info!;
    if (!info.jetstream)
      throw new StoreError(
        `The NATS server at ${nc.getServer()} has no JetStream, which 'durable' needs; start it with: nats-server -js`,
      );
    const copies = address.replicas ?? (info.cluster ? COPIES_IN_CLUSTERS : 1);
    const name = address.name.replaceAll('.', '_');
    const stream = `TUTTI_${name}`;
    const subject = `tutti.store.${address.name}`;
    const js = jetstream(nc, { timeout: ANSWER });
    const jsm = await retrying(nc, () => jetstreamManager(nc), START);
    const config = {
      ...{ name: stream, subjects: [subject], num_replicas: copies, duplicate_window: DUPLICATES * MILLISECOND },
      ...{ retention: RetentionPolicy.Limits, storage: StorageType.File, discard: DiscardPolicy.New },
    };
    const exists = (name: string): Promise<boolean> =>
      jsm.streams.info(name).then(
        () => true,
        (error) => {
          if (codeOf(error) !== STREAM_NOT_FOUND) throw error;
          return false;
        },
      );
    await retrying(nc, async () => (await exists(stream)) || jsm.streams.add(config), START);
    const kvm = new Kvm(js);
    // What is there stays as it is, whatever copies are asked for.
    const bucket = async (): Promise<KV> =>
      (await exists(`KV_${stream}`)) ? kvm.open(stream) : kvm.create(stream, { history: 1, replicas: copies });
    const kv = await retrying(nc, bucket, START);
    void watchNats(nc, address, { leaving: () => void nc.reconnect() });
    return { nc, js, jsm, kv, stream, subject };
  } catch (error) {
    await nc.close();
    if (error instanceof StoreError) throw error;
    const few = /insufficient resources|suitable peers|replicas/i.test((error as Error).message);
    const hint = few ? '; with fewer than three servers, or too little room, say how many copies: ?replicas=1' : '';
    throw new StoreError(`Cannot keep stores at ${address.text}: ${natsWords(error, address)}${hint}`, {
      cause: error,
    });
  }
}

export function codeOf(error: unknown): number | undefined {
  const { code } = error as { code?: unknown };
  return typeof code === 'number' ? code : undefined;
}

/** What JetStream itself says is an answer; that nobody answers is not, for some time. */
export async function retrying<T>(nc: NatsConnection, attempt: () => Promise<T>, patience = PATIENCE): Promise<T> {
  for (const until = performance.now() + patience; ; ) {
    try {
      return await attempt();
    } catch (error) {
      const late = performance.now() > until || nc.isClosed();
      if ((error as Error).name === 'JetStreamApiError') {
        if (late || !passes(error)) throw error;
      } else if (late) throw new StoreError(`JetStream does not answer: ${(error as Error).message}`, { cause: error });
      await sleep(RETRY);
    }
  }
}

/** Not so of a cluster that is about to find its leader, or its members. */
function passes(error: unknown): boolean {
  const code = codeOf(error);
  const { status } = error as { status?: number };
  return code === NO_PEERS || (status === UNAVAILABLE && code !== NO_ROOM);
}

async function load<T>(name: string, library: () => Promise<T>): Promise<T> {
  try {
    return await library();
  } catch (cause) {
    throw new StoreError(`Stores on NATS need a package that is not here: npm install ${name}`, { cause });
  }
}
