import { lstat, unlink } from 'node:fs/promises';
import net from 'node:net';
import { TransportError } from '../core/errors.ts';

/** Linux takes 107 bytes, macOS 103; this is portable. */
const MAX_PATH_BYTES = 100;

/** One URL of the socket transport, understood. */
export interface SocketAddress {
  readonly options: { path: string } | { host: string; port: number };
  readonly path?: string;
  /** As a person would write it. */
  readonly text: string;
  /** The URL to dial once the server is bound. */
  url(bound: ReturnType<net.Server['address']>): string;
  /** The URL-like name of whoever was accepted. */
  peer(accepted: net.Socket): string;
}

export function socketAddress(url: URL): SocketAddress {
  return url.protocol === 'unix:' ? unixAddress(url) : tcpAddress(url);
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
  return { options: { path }, path, text: url.href, url: () => url.href, peer: () => url.href };
}

function tcpAddress(url: URL): SocketAddress {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  if (host === '' || url.port === '') {
    throw new TransportError(`'${url.href}' names no host and port; write tcp://host:port, e.g. tcp://127.0.0.1:7777`);
  }
  const withPort = (port: number) => `tcp://${url.hostname}:${port}`;
  return {
    options: { host, port: Number(url.port) },
    text: withPort(Number(url.port)),
    url: (bound) => withPort((bound as net.AddressInfo).port),
    peer: ({ remoteAddress = 'unknown', remotePort = 0 }) =>
      `tcp://${remoteAddress.includes(':') ? `[${remoteAddress}]` : remoteAddress}:${remotePort}`,
  };
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

const WORDS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the address is in use; somebody listens there already',
  EADDRNOTAVAIL: 'this machine does not have that address',
  EACCES: 'not permitted',
  EPERM: 'not permitted',
  ENOENT: 'there is no such file or directory',
  ENOTDIR: 'a part of the path is not a directory',
  ENOTFOUND: 'the host name is not known',
  EAI_AGAIN: 'the host name could not be looked up just now',
  ECONNREFUSED: 'nobody listens there',
  ECONNRESET: 'the peer cut the connection',
  EPIPE: 'the peer has ended the connection',
  ECONNABORTED: 'the connection was aborted',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  ETIMEDOUT: 'no answer in time',
  EMFILE: 'this process has too many open files',
  ENFILE: 'the system has too many open files',
  ENOTSOCK: 'the file is not a socket',
};

/** A system error in words, with its code for searching. */
export function inWords(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const words = code === undefined ? undefined : WORDS[code];
  return words ? `${words} (${code})` : message;
}
