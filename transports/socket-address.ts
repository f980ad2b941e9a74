import { lstat, unlink } from 'node:fs/promises';
import net from 'node:net';
import { TransportError } from '../core/errors.ts';
import { isLoopback } from '../core/wire/loopback.ts';
import type { Exposure } from '../core/wire/transport.ts';

/** Linux takes 107 bytes, macOS 103; this is portable. */
const MAX_PATH_BYTES = 100;

/** Connections that the system may hold for a listener that is about to accept them; many engines come at once. */
export const BACKLOG = 4_096;

/** A URL that names a host and a port, understood. */
export interface NetworkAddress {
  readonly options: { host: string; port: number };
  readonly scheme: string;
  /** As a person would write it. */
  readonly text: string;
  /** The URL to dial once the server is bound. */
  url(bound: ReturnType<net.Server['address']>): string;
  /** The URL-like name of whoever was accepted. */
  peer(accepted: net.Socket): string;
}

/** One URL of the socket transport, understood. */
export interface SocketAddress extends Omit<NetworkAddress, 'options'> {
  readonly options: { path: string } | { host: string; port: number };
  readonly path?: string;
}

export function socketAddress(url: URL): SocketAddress {
  return url.protocol === 'unix:' ? unixAddress(url) : networkAddress(url);
}

function unixAddress(url: URL): SocketAddress {
  let path: string;
  try {
    path = decodeURIComponent(url.pathname);
  } catch {
    throw new TransportError(`'${url.href}' has a broken percent escape in its path`);
  }
  if (url.host !== '' || !path.startsWith('/') || path.includes('\0')) {
    throw new TransportError(`'${url.href}' names no socket file; write unix:/absolute/path.sock`);
  }
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) {
    throw new TransportError(
      `The socket path '${path}' has ${Buffer.byteLength(path)} bytes and systems allow about ${MAX_PATH_BYTES}; choose a shorter directory, e.g. under /tmp`,
    );
  }
  return { options: { path }, scheme: 'unix', path, text: url.href, url: () => url.href, peer: () => url.href };
}

/** @param ports what the schemes' URLs leave out, as those of the web do. */
export function networkAddress(url: URL, ports: Readonly<Record<string, number>> = {}): NetworkAddress {
  const scheme = url.protocol.slice(0, -1);
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = url.port === '' ? ports[scheme] : Number(url.port);
  if (host === '' || port === undefined) {
    throw new TransportError(
      `'${url.href}' names no host and port; write ${scheme}://host:port, e.g. ${scheme}://127.0.0.1:7777`,
    );
  }
  const path = url.pathname === '/' ? '' : url.pathname;
  const withPort = (n: number) => `${scheme}://${url.hostname}:${n}${path}`;
  return {
    options: { host, port },
    scheme,
    text: withPort(port),
    url: (bound) => withPort((bound as net.AddressInfo).port),
    peer: ({ remoteAddress = 'unknown', remotePort = 0 }) =>
      `${scheme}://${remoteAddress.includes(':') ? `[${remoteAddress}]` : remoteAddress}:${remotePort}`,
  };
}

/** Of a URL without encryption. Only addresses that never leave this host are private; a name may lead anywhere. */
export function networkExposure(url: URL): Exposure {
  return url.protocol === 'unix:' || isLoopback(url.hostname) ? 'private' : 'open';
}

/** Removes a socket file that nobody listens on, as a killed process leaves it; true if it did. */
export async function unlinkIfStale(path: string): Promise<boolean> {
  const file = await lstat(path).catch(() => undefined);
  if (!file?.isSocket() || !(await refuses(path))) return false;
  await unlink(path).catch(() => {});
  return true;
}

function refuses(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = net.connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(false);
    });
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
  });
}
