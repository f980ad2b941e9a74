import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { TransportError } from '../core/errors.ts';
import type { Connection, DialOptions, Listener, ListenOptions, Transport } from '../core/wire/transport.ts';
import { BACKLOG, type NetworkAddress, networkAddress } from './socket-address.ts';
import { greetStrangers, PATIENCE } from './stranger.ts';
import { StreamLink } from './stream-link.ts';
import { inWords } from './system-errors.ts';
import { dialling, listening, objectionTo, wantedName } from './tls-options.ts';

/** What tcp carries, inside TLS 1.2 or later: `tls://host:port`. Node's TLS is loaded with the first use. */
export function tls(): Transport {
  return { schemes: ['tls'], listen, dial, exposure: () => 'encrypted' };
}

async function listen(
  url: URL,
  accept: (connection: Connection) => void,
  options: ListenOptions = {},
): Promise<Listener> {
  const address = networkAddress(url);
  const context = listening(options.tls, address.text);
  const { createServer } = await import('node:tls');
  return new Promise((resolve, reject) => {
    const failed = (error: unknown): void => reject(failure('listen on', address, error));
    try {
      const mutual = options.tls?.mutual ?? false;
      const settings = {
        ...context,
        ...{ noDelay: true, keepAlive: true, handshakeTimeout: PATIENCE },
        // Cut off by TLS itself, a peer would not be told why.
        ...{ requestCert: mutual, rejectUnauthorized: false },
      };
      const server = createServer(settings, (accepted) => {
        const link = new StreamLink(address.peer(accepted), address.scheme);
        if (mutual) link.connection.objection = objectionTo(accepted);
        link.attachStream(accepted);
        accept(link.connection);
      });
      greetStrangers(server, address, options.refused);
      server.once('error', failed).listen({ ...address.options, backlog: BACKLOG }, () => {
        // A failed accept or a failed handshake concerns one dialler, who sees it; the listener goes on.
        server.off('error', failed).on('error', () => {});
        resolve({
          url: address.url(server.address()),
          renew: (given) => server.setSecureContext(listening(given, address.text)),
          close: async () => void server.close(),
        });
      });
    } catch (error) {
      failed(error);
    }
  });
}

async function dial(url: URL, { signal, tls: options }: DialOptions): Promise<Connection> {
  const address = networkAddress(url);
  const context = { ...wantedName(address.options.host), ...dialling(options, address.text) };
  const { connect } = await import('node:tls');
  signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    let dialled: TLSSocket;
    const over = (settle: () => void): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', aborted);
      dialled?.off('error', failed);
      settle();
    };
    const giveUp = (reason: unknown): void =>
      over(() => {
        dialled?.on('error', () => {}).destroy();
        reject(reason);
      });
    const failed = (error: unknown): void => giveUp(failure('dial', address, error));
    const aborted = (): void => giveUp(signal?.reason);
    const late = (): void =>
      failed(new Error(`it has not agreed on TLS within ${PATIENCE / 1000} s; it may not speak it`));
    const timer = setTimeout(late, PATIENCE);
    signal?.addEventListener('abort', aborted, { once: true });
    try {
      dialled = connect({ ...address.options, ...context, noDelay: true, keepAlive: true } as ConnectionOptions);
      dialled.once('error', failed).once('secureConnect', () => {
        const link = new StreamLink(address.text);
        over(() => link.attachStream(dialled));
        resolve(link.connection);
      });
    } catch (error) {
      failed(error);
    }
  });
}

function failure(what: string, address: NetworkAddress, error: unknown): TransportError {
  return new TransportError(`Cannot ${what} ${address.text}: ${inWords(error)}`, { cause: error });
}
