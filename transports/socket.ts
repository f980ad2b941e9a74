import net from 'node:net';
import { TransportError } from '../core/errors.ts';
import type { Connection, DialOptions, Listener, Transport } from '../core/wire/transport.ts';
import { BACKLOG, networkExposure, type SocketAddress, socketAddress, unlinkIfStale } from './socket-address.ts';
import { StreamLink } from './stream-link.ts';
import { inWords } from './system-errors.ts';

/** Sockets: `unix:/absolute/path.sock` and `tcp://host:port` (port 0 chooses one). */
export function socket(): Transport {
  return { schemes: ['unix', 'tcp'], listen, dial, exposure: networkExposure };
}

async function listen(url: URL, accept: (connection: Connection) => void): Promise<Listener> {
  const address = socketAddress(url);
  try {
    return await bind(address, accept);
  } catch (error) {
    const inUse = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
    if (inUse && address.path !== undefined && (await unlinkIfStale(address.path))) {
      return await bind(address, accept).catch((again) => Promise.reject(failure('listen on', address, again)));
    }
    throw failure('listen on', address, error);
  }
}

function bind(address: SocketAddress, accept: (connection: Connection) => void): Promise<Listener> {
  const server = net.createServer({ pauseOnConnect: true, noDelay: true, keepAlive: true }, (accepted) => {
    const link = new StreamLink(address.peer(accepted), address.scheme);
    link.attach(adopt(accepted, link.onread));
    accept(link.connection);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ ...address.options, backlog: BACKLOG }, () => {
      server.off('error', reject);
      // A failed accept (too many open files) concerns one dialler, who sees it; the listener goes on.
      server.on('error', () => {});
      resolve({
        url: address.url(server.address()),
        // Closing frees the address at once; the server's own 'close' would wait for connections, which live on.
        close: async () => void server.close(),
      });
    });
  });
}

function dial(url: URL, { signal }: DialOptions): Promise<Connection> {
  const address = socketAddress(url);
  const link = new StreamLink(url.href);
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const dialled = net.connect({ ...address.options, noDelay: true, keepAlive: true, onread: link.onread });
    // Nothing is read before somebody receives.
    dialled.pause();
    const failed = (error: Error) => {
      signal?.removeEventListener('abort', aborted);
      reject(failure('dial', address, error));
    };
    const aborted = () => {
      dialled.off('error', failed).on('error', () => {});
      dialled.destroy();
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', aborted, { once: true });
    dialled.once('error', failed).once('connect', () => {
      signal?.removeEventListener('abort', aborted);
      dialled.off('error', failed);
      link.attach(dialled);
      resolve(link.connection);
    });
  });
}

/** Takes over an accepted socket's handle, because only a socket's constructor lets us say where to read to. */
function adopt(accepted: net.Socket, onread: net.OnReadOpts): net.Socket {
  const inner = accepted as net.Socket & { _handle: unknown };
  const handle = inner._handle;
  inner._handle = null;
  return new net.Socket({ handle, onread, manualStart: true } as net.SocketConstructorOpts);
}

function failure(what: string, address: SocketAddress, error: unknown): TransportError {
  return new TransportError(`Cannot ${what} ${address.text}: ${inWords(error)}`, { cause: error });
}
