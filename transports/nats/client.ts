/** Connections to NATS servers, made with what NATS's own tools are told in the environment. */
import { readFileSync } from 'node:fs';
import type { ConnectionOptions, NatsConnection } from '@nats-io/transport-node';
import { TransportError, UsageError } from '../../core/errors.ts';
import { inWords } from '../system-errors.ts';
import type { NatsAddress } from './address.ts';

const DIAL_PATIENCE = 3_000;
const RECONNECT_WAIT = 250;
/** ms between questions whether the server is there; two that it leaves open are its end. */
const PING = 10_000;
const ACCOUNT = 'NATS_CREDS, NATS_NKEY (files), NATS_TOKEN, or NATS_USER and NATS_PASSWORD';

export interface NatsWishes {
  /** Comes back after a cut by itself. What is sent meanwhile may be lost. */
  readonly reconnect?: boolean;
  /** Does not hear what it says itself. */
  readonly noEcho?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Servers of the same NATS clusters, as those have told: by what URLs named. Good when the one of the URL is gone. */
const gossip = new Map<string, Set<string>>();

/** Rejects with TransportError, or with the signal's reason. */
export async function connectNats(address: NatsAddress, wishes: NatsWishes = {}): Promise<NatsConnection> {
  const { reconnect = false, noEcho = false, signal } = wishes;
  const library = await loadLibrary();
  const options: ConnectionOptions = {
    servers: [...address.servers, ...gossipOf(address)],
    noRandomize: address.servers.length === 1,
    name: `tutti ${address.name}`,
    ...(address.tls && { tls: tlsFiles() }),
    ...account(library),
    ...{ reconnect, noEcho, timeout: DIAL_PATIENCE, pingInterval: PING, noAsyncTraces: true },
    ...{ maxReconnectAttempts: -1, reconnectTimeWait: RECONNECT_WAIT },
  };
  signal?.throwIfAborted();
  const connecting = library.connect(options);
  const nc = await untilAborted(connecting, signal).catch((error) => {
    if (signal?.aborted) throw error;
    throw new TransportError(`Cannot reach NATS for ${address.text}: ${natsWords(error, address)}`, { cause: error });
  });
  const info = nc.info!;
  if (!info.headers) {
    await nc.close();
    throw new TransportError(
      `The NATS server at ${nc.getServer()} is of version ${info.version}, which cannot tell that nobody listens; tutti needs 2.2 or later`,
    );
  }
  for (const server of info.connect_urls ?? []) gossipOf(address).add(server);
  return nc;
}

function gossipOf({ servers }: NatsAddress): Set<string> {
  const key = servers.join();
  let known = gossip.get(key);
  if (!known) gossip.set(key, (known = new Set()));
  return known;
}

/** A server that is about to stop says so (lame duck): calls `leaving` if there are others to go to. And what it finds fault with. */
export async function watchNats(
  nc: NatsConnection,
  address: NatsAddress,
  { leaving, failed }: { leaving?(): void; failed?(error: Error): void },
): Promise<void> {
  for await (const status of nc.status()) {
    if (status.type === 'error') failed?.(status.error);
    else if (status.type === 'ldm' && hasOtherServers(address)) leaving?.();
  }
}

/** Does the NATS cluster have further servers, as far as is known? */
function hasOtherServers(address: NatsAddress): boolean {
  return new Set([...address.servers, ...gossipOf(address)]).size > 1;
}

function untilAborted(connecting: Promise<NatsConnection>, signal?: AbortSignal): Promise<NatsConnection> {
  if (!signal) return connecting;
  return new Promise((resolve, reject) => {
    const aborted = (): void => {
      void connecting.then((nc) => nc.close()).catch(() => {});
      reject(signal.reason);
    };
    signal.addEventListener('abort', aborted, { once: true });
    connecting.then(resolve, reject).finally(() => signal.removeEventListener('abort', aborted));
  });
}

type Library = typeof import('@nats-io/transport-node');

async function loadLibrary(): Promise<Library> {
  try {
    return await import('@nats-io/transport-node');
  } catch (cause) {
    throw new TransportError('nats: needs a package that is not here: npm install @nats-io/transport-node', { cause });
  }
}

function account(library: Library): Partial<ConnectionOptions> {
  const { NATS_CREDS, NATS_NKEY, NATS_TOKEN, NATS_USER, NATS_PASSWORD } = process.env;
  if (NATS_CREDS) return { authenticator: library.credsAuthenticator(fileOf('NATS_CREDS', NATS_CREDS)) };
  if (NATS_NKEY) return { authenticator: library.nkeyAuthenticator(seedIn(fileOf('NATS_NKEY', NATS_NKEY))) };
  if (NATS_TOKEN) return { token: NATS_TOKEN };
  return NATS_USER ? { user: NATS_USER, pass: NATS_PASSWORD ?? '' } : {};
}

function tlsFiles(): NonNullable<ConnectionOptions['tls']> {
  const { NATS_CA: caFile, NATS_CERT: certFile, NATS_KEY: keyFile } = process.env;
  return { ...(caFile && { caFile }), ...(certFile && { certFile }), ...(keyFile && { keyFile }) };
}

function fileOf(name: string, file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new UsageError(`${name} names ${file}, which cannot be read: ${(cause as Error).message}`, { cause });
  }
}

function seedIn(text: Uint8Array): Uint8Array {
  const [seed] = /\bSU[A-Z2-7]{40,}\b/.exec(Buffer.from(text).toString('latin1')) ?? [];
  if (!seed) throw new UsageError('NATS_NKEY names a file without the seed of a user (SU…)');
  return Buffer.from(seed);
}

/** What went wrong with NATS, and what to do about it. */
export function natsWords(error: unknown, { servers }: NatsAddress): string {
  const { name, message, cause } = error as Error;
  const where = `the NATS server at ${servers.join(' or ')}`;
  if (name === 'AuthorizationError' || /authorization violation|authentication/i.test(message))
    return `${where} does not let us in (${message}); say who we are with ${ACCOUNT}`;
  if (name === 'PermissionViolationError') return `${where} says ${message}; its account needs the subjects tutti.>`;
  if (/refused/i.test(message)) return `no NATS server answers at ${servers.join(' or ')}; is it running?`;
  if (name === 'TimeoutError') return `${where} does not answer within ${DIAL_PATIENCE / 1_000} s`;
  if (/does not support 'tls'/.test(message)) return `${where} has no TLS; leave out ?tls and NATS_CA`;
  return inWords(cause instanceof Error ? cause : error);
}
