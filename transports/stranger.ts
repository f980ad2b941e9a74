/** Peers that speak something else than a listener does: what their first bytes say, and an answer that they understand. */
import type net from 'node:net';
import type { Duplex } from 'node:stream';
import type tls from 'node:tls';
import { CLOSE, HEADER_BYTES } from '../core/wire/framing.ts';
import type { ListenOptions } from '../core/wire/transport.ts';
import type { NetworkAddress } from './socket-address.ts';
import { inWords } from './system-errors.ts';

/** ms that a peer may take for its first bytes, and for reading why it is turned away. */
export const PATIENCE = 10_000;
const FAREWELL = 1_000;

const SPOKEN: Readonly<Record<string, string>> = {
  tcp: 'tutti without TLS; use a tcp:// URL',
  unix: 'tutti without TLS; use its unix: URL',
  tls: 'TLS; use a tls:// URL',
  ws: 'WebSocket without TLS; use a ws:// URL',
  wss: 'WebSocket over TLS; use a wss:// URL',
};

function languageOf(first: Uint8Array): 'tls' | 'http' | 'frames' {
  // A TLS record: its type (handshake, alert, …), then the major version, which is 3 for all of TLS.
  if (first[0]! >= 0x14 && first[0]! <= 0x17 && first[1] === 3) return 'tls';
  return /^(?:[A-Z]{3,7} \S|HTTP\/)/.test(Buffer.from(first.subarray(0, 9)).toString('latin1')) ? 'http' : 'frames';
}

/** What a dialler says of a peer whose first bytes are no frames. */
export function explained(first: Uint8Array): string | undefined {
  const language = languageOf(first);
  if (language === 'tls') return 'it speaks TLS; use a tls:// or wss:// URL';
  if (language === 'http') return 'it speaks HTTP; if it is a tutti listener, use a ws:// or wss:// URL';
  return undefined;
}

/** What a listener of this scheme says to somebody who began with these bytes. */
export function answerTo(first: Uint8Array, scheme: string): Buffer {
  const sentence = `this address speaks ${SPOKEN[scheme]}`;
  return languageOf(first) === 'http' ? Buffer.from(httpAnswer('400 Bad Request', sentence)) : closeFrame(sentence);
}

export function httpAnswer(status: string, sentence: string): string {
  const body = `${sentence}\n`;
  return (
    `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n` +
    `X-Content-Type-Options: nosniff\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  );
}

/** Nonsense to TLS, which then says that this is no TLS. */
function closeFrame(reason: string): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(Buffer.byteLength(reason));
  header[4] = CLOSE;
  return Buffer.concat([header, Buffer.from(reason)]);
}

/** Says it, and hangs up when the peer has, or soon: cut at once, the peer might never read it. */
export function turnAway(socket: Duplex, answer: string | Buffer): void {
  socket.on('error', () => {});
  socket.resume().end(answer);
  const timer = setTimeout(() => socket.destroy(), FAREWELL);
  socket.once('close', () => clearTimeout(timer));
}

/** Looks at a peer's first bytes before TLS does, which would hang up on strangers without a word. */
export function greetStrangers(
  server: tls.Server,
  { scheme, peer }: Pick<NetworkAddress, 'scheme' | 'peer'>,
  refused: ListenOptions['refused'] = () => {},
): void {
  const [secure] = server.listeners('connection') as ((socket: net.Socket) => void)[];
  server.removeAllListeners('connection');
  server.on('connection', (socket) => {
    const giveUp = (): void => void socket.destroy();
    socket.on('error', giveUp);
    const timer = setTimeout(giveUp, PATIENCE);
    socket.once('close', () => clearTimeout(timer));
    socket.once('data', (first: Buffer) => {
      clearTimeout(timer);
      if (languageOf(first) !== 'tls') {
        refused(peer(socket), 'it does not speak TLS');
        return turnAway(socket, answerTo(first, scheme));
      }
      socket.pause();
      socket.unshift(first);
      secure?.call(server, socket);
    });
  });
  // Before TLS stands; a dialler that does not trust us says so in an alert, or just goes.
  server.on('tlsClientError', (error, socket) => refused(peer(socket), inWords(error)));
}
