import type { IncomingMessage } from 'node:http';
import type { Server } from 'node:https';
import type { Socket } from 'node:net';
import { TransportError } from '../core/errors.ts';
import type {
  Connection,
  DialOptions,
  Listener,
  ListenOptions,
  TlsOptions,
  Transport,
} from '../core/wire/transport.ts';
import { BACKLOG, type NetworkAddress, networkAddress, networkExposure } from './socket-address.ts';
import { answerTo, greetStrangers, httpAnswer, PATIENCE, turnAway } from './stranger.ts';
import { inWords } from './system-errors.ts';
import { dialling, listening } from './tls-options.ts';
import { WsDoor } from './ws-door.ts';
import { MAX_PAYLOAD, WsLink } from './ws-link.ts';

const PORTS = { ws: 80, wss: 443 };
/** What is read of a listener's reason to turn us away. */
const MAX_SENTENCE = 500;
const HTTP = {
  noDelay: true,
  keepAlive: true,
  headersTimeout: PATIENCE,
  requestTimeout: PATIENCE,
  connectionsCheckingInterval: 1_000,
  maxHeaderSize: 16 * 1024,
};
const WS = { perMessageDeflate: false, maxPayload: MAX_PAYLOAD, closeTimeout: 2_000 };
const HELLO =
  "This is a tutti controller, which speaks WebSocket here. Programs join it with connect('NAME') or connect(URL).";

/** WebSockets: `ws://host:port/path`, and over TLS `wss://`. The library and Node's HTTP are loaded with the first use. */
export function ws(): Transport {
  return {
    schemes: ['ws', 'wss'],
    listen,
    dial,
    exposure: (url) => (url.protocol === 'wss:' ? 'encrypted' : networkExposure(url)),
  };
}

async function listen(
  url: URL,
  accept: (connection: Connection) => void,
  options: ListenOptions = {},
): Promise<Listener> {
  const address = webAddress(url);
  const door = new WsDoor(url, options.origins);
  const server = await serverFor(address, options);
  const { WebSocketServer } = await import('ws');
  const upgrader = new WebSocketServer({ ...WS, noServer: true, clientTracking: false });
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    const refusal = door.refusal(request);
    if (refusal) return turnAway(socket, httpAnswer(refusal.status, refusal.sentence));
    upgrader.handleUpgrade(request, socket, head, (accepted) => {
      accept(new WsLink(address.peer(socket), accepted).connection);
    });
  });
  server.on('request', (_, response) => {
    response.writeHead(426, { 'Content-Type': 'text/plain; charset=utf-8', Upgrade: 'websocket', Connection: 'close' });
    response.end(`${HELLO}\n`);
  });
  server.on('clientError', (error: Error & { rawPacket?: Buffer }, socket) => {
    if (socket.writable && error.rawPacket) turnAway(socket as Socket, answerTo(error.rawPacket, address.scheme));
    else socket.destroy();
  });
  return new Promise((resolve, reject) => {
    const failed = (error: unknown): void => reject(failure('listen on', address, error));
    server.once('error', failed).listen({ ...address.options, backlog: BACKLOG }, () => {
      // A failed accept concerns one dialler, who sees it; the listener goes on.
      server.off('error', failed).on('error', () => {});
      resolve({
        url: address.url(server.address()),
        ...('setSecureContext' in server && {
          renew: (given: TlsOptions) => server.setSecureContext(listening({ ...given, mutual: false }, address.text)),
        }),
        close: async () => void server.close(),
      });
    });
  });
}

async function serverFor(address: NetworkAddress, { tls: given, refused }: ListenOptions): Promise<Server> {
  if (address.scheme === 'ws') return (await import('node:http')).createServer(HTTP) as Server;
  // Web pages have no certificates to show, so nobody is asked for one.
  const context = listening({ ...given, mutual: false }, address.text);
  const { createServer } = await import('node:https');
  try {
    const server = createServer({ ...HTTP, ...context, handshakeTimeout: PATIENCE });
    greetStrangers(server, address, refused);
    return server;
  } catch (error) {
    throw failure('listen on', address, error);
  }
}

async function dial(url: URL, { signal, tls }: DialOptions): Promise<Connection> {
  const address = webAddress(url);
  const context = address.scheme === 'wss' ? dialling(tls, address.text) : {};
  const { WebSocket } = await import('ws');
  signal?.throwIfAborted();
  let dialled: InstanceType<typeof WebSocket>;
  try {
    dialled = new WebSocket(url, { ...WS, ...context, handshakeTimeout: PATIENCE, keepAlive: true } as object);
  } catch (error) {
    throw failure('dial', address, error);
  }
  return new Promise((resolve, reject) => {
    const over = (): void => {
      signal?.removeEventListener('abort', aborted);
      dialled.off('error', failed).off('unexpected-response', refused);
    };
    const giveUp = (reason: unknown): void => {
      over();
      dialled.on('error', () => {}).terminate();
      reject(reason);
    };
    const failed = (error: unknown): void => giveUp(failure('dial', address, error));
    const aborted = (): void => giveUp(signal?.reason);
    const refused = (_: unknown, response: IncomingMessage): void => {
      void sentenceOf(response).then((sentence) => failed(new Error(sentence)));
    };
    signal?.addEventListener('abort', aborted, { once: true });
    dialled.once('error', failed).once('unexpected-response', refused);
    dialled.once('open', () => {
      over();
      resolve(new WsLink(address.text, dialled).connection);
    });
  });
}

/** What a listener says that does not let us in. */
async function sentenceOf(response: IncomingMessage): Promise<string> {
  let text = '';
  try {
    for await (const chunk of response) {
      text += String(chunk);
      if (text.length > MAX_SENTENCE) break;
    }
  } catch {
    // cut off; what was read of it will do
  }
  const plain = response.headers['content-type']?.startsWith('text/plain');
  const said = plain
    ? text
        .slice(0, MAX_SENTENCE)
        .replace(/\p{Cc}+/gu, ' ')
        .trim()
    : '';
  return said || `it answers with HTTP status ${response.statusCode}, not as a tutti listener does`;
}

function webAddress(url: URL): NetworkAddress {
  if (url.search || url.hash)
    throw new TransportError(`'${url.href}' has more than a path; write ${url.protocol}//host:port/path`);
  return networkAddress(url, PORTS);
}

function failure(what: string, address: NetworkAddress, error: unknown): TransportError {
  return new TransportError(`Cannot ${what} ${address.text}: ${inWords(error)}`, { cause: error });
}
