/**
 * The transport contract. An adapter turns a URL scheme into `Connection`s; nothing above this file knows which
 * adapter carries it. Every adapter passes `transportCompliance` (see `tutti/compliance`).
 */
import { TransportError } from '../errors.ts';
import { endpointUrl, pointedAt } from './endpoint.ts';

/** One message: its parts arrive as the same list of byte arrays, whole and in order. 0 parts is legal, 0 B parts are. */
export type Message = readonly Uint8Array[];

/** 0: control (heartbeats, acks): small, overtakes. 1: data. Order is kept within a lane, not between lanes. */
export type Lane = 0 | 1;

export interface SendOptions {
  lane?: Lane;
  /**
   * The caller gives the parts away: nobody else holds their memory, so an adapter that can hand memory over may do so
   * instead of copying. Otherwise it must not hand them over; a `lossless` adapter takes its copies within `send`, others
   * may read the parts until they are sent.
   */
  owned?: boolean;
}

export interface Capabilities {
  /** Parts backed by a SharedArrayBuffer arrive as the same memory. */
  readonly sharedMemory: boolean;
  /** Owned parts are moved, not copied. */
  readonly transfer: boolean;
  /** Largest part in bytes. */
  readonly maxMessage: number;
  readonly crossHost: boolean;
  /** The connection can only be lost together with its peer, so nothing needs to be kept for replay. */
  readonly lossless: boolean;
}

export interface CloseReason {
  /** closed: by either side's `close`. lost: cut, reset, peer gone. protocol: the bytes made no sense. aborted: by a signal. */
  readonly code: 'closed' | 'lost' | 'protocol' | 'aborted';
  readonly message: string;
}

export interface ConnectionHandlers {
  /** The receiver owns the parts (a part may share its ArrayBuffer with others of the same message, never with another message's). */
  message(parts: Uint8Array[], lane: Lane): void;
  /** Called once; nothing is delivered after it. */
  close(reason: CloseReason): void;
  /** `bufferedAmount` fell below the low-water mark (1 MiB) after having been above the high-water mark (4 MiB). */
  drain?(): void;
}

export interface Connection {
  readonly capabilities: Capabilities;
  /** Where the peer is, for messages to people, e.g. `tcp://127.0.0.1:7777`. */
  readonly remote: string;
  /** Why the listener's transport would not let this peer in, e.g. for its certificate. Whoever accepts it tells the peer, in words. */
  readonly objection?: string | undefined;
  /** Bytes accepted by `send` and not yet handed to the operating system or the peer. */
  readonly bufferedAmount: number;
  /** Messages on lane 1 that `send` has taken so far, and how many of them the operating system or the peer has. */
  readonly progress?: { readonly accepted: number; readonly written: number };
  /** performance.now() when a piece of a message on lane 1 last arrived, where the adapter knows: one that is large may take its time. */
  readonly heard?: number;
  /** Sets who receives. Nothing is delivered before the first call; what arrived earlier is delivered then. May be called again. */
  receive(handlers: ConnectionHandlers): void;
  /** Never blocks, never throws on a closed connection (the message is dropped; `close` has told or will tell why). */
  send(message: Message, options?: SendOptions): void;
  /** The peer has proved who it is: messages above 64 KiB, until now a protocol violation where the adapter frames bytes, may come. */
  allowLarge(): void;
  /** Stops delivery of lane 1 and, by back-pressure, in the end the peer's lane 1. Lane 0 goes on. */
  pause(): void;
  resume(): void;
  /** Sends what was accepted, then closes; resolves when closed. The peer sees `closed` with `reason`. */
  close(reason?: string): Promise<void>;
  /** Cuts at once; both sides see `lost`. What was not sent is gone. */
  destroy(reason?: string): void;
}

export interface Listener {
  /** The URL to dial, with the port that was chosen for port 0. */
  readonly url: string;
  /** Another certificate, for whoever comes from now on; where the transport has such. */
  renew?(tls: TlsOptions): void;
  /** Accepts no more and frees the address; connections live on. */
  close(): Promise<void>;
}

/** PEM texts. A listener needs `cert` and `key`; a dialler needs `ca` unless the system's own authorities will do. */
export interface TlsOptions {
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** Authorities that are trusted, instead of the system's. */
  readonly ca?: string | undefined;
  /** The name that the listener's certificate must be for, where that is not the URL's host. */
  readonly serverName?: string | undefined;
  /** Of a listener: who dials is to show a certificate that `ca` has signed. */
  readonly mutual?: boolean | undefined;
}

export interface ListenOptions {
  tls?: TlsOptions | undefined;
  /** Further origins (`https://example.org`) whose web pages may connect, where the transport knows of such. */
  origins?: readonly string[] | undefined;
  /** Of a controller that others may replace: who has lost it is not to let anybody in. */
  tenure?: Tenure | undefined;
  /** Told of a peer that the transport itself has turned away, and why: for a log. */
  refused?: ((remote: string, reason: string) => void) | undefined;
}

/** What makes one controller of several the active one, for as long as it is renewed. */
export interface Tenure {
  /** Higher than that of any controller before. */
  readonly term: number;
  /** Not so when it may have run out, or another controller has one. */
  valid(): boolean;
  /** Resolves when another controller has taken over; there is no way back. */
  readonly lost: Promise<Error>;
}

export interface DialOptions {
  signal?: AbortSignal | undefined;
  tls?: TlsOptions | undefined;
}

/** private: nobody beyond this host gets there. encrypted: others may, and read nothing. open: others may read it all. */
export type Exposure = 'private' | 'encrypted' | 'open';

export interface Transport {
  /** The URL schemes it serves, without the colon. */
  readonly schemes: readonly string[];
  /** Rejects with TransportError (address in use, no permission, malformed URL). */
  listen(url: URL, accept: (connection: Connection) => void, options?: ListenOptions): Promise<Listener>;
  /** Rejects with TransportError (nobody listens, unreachable) or with the signal's reason, leaving nothing behind. */
  dial(url: URL, options: DialOptions): Promise<Connection>;
  /**
   * How far a listener on this URL is open to the network. A controller refuses an open one unless told that it may be, and gives
   * an encrypted one a certificate. Without this method all URLs are private.
   */
  exposure?(url: URL): Exposure;
}

const transports = new Map<string, Transport>();

/** Makes a transport's schemes known to `listen` and `dial` in this process. */
export function registerTransport(transport: Transport): void {
  for (const scheme of transport.schemes) transports.set(scheme, transport);
}

/** @param address a URL or an endpoint string, here and below. */
export function listen(
  address: string,
  accept: (connection: Connection) => void,
  options: ListenOptions = {},
): Promise<Listener> {
  const { transport, url } = resolve(address);
  return transport.listen(url, accept, options);
}

export function dial(address: string, options: DialOptions = {}): Promise<Connection> {
  options.signal?.throwIfAborted();
  const { transport, url } = resolve(address);
  return transport.dial(url, options);
}

export function exposure(address: string): Exposure {
  const { transport, url } = resolve(address);
  return transport.exposure?.(url) ?? 'private';
}

/** Throws for an address that nothing here can listen on or dial. */
export function checkAddress(address: string): void {
  resolve(address);
}

function resolve(address: string): { transport: Transport; url: URL } {
  const text = endpointUrl(address);
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new TransportError(`'${text}' is not a URL; write scheme://address, e.g. tcp://127.0.0.1:7777`);
  }
  const scheme = url.protocol.slice(0, -1);
  const transport = transports.get(scheme);
  if (!transport) {
    const known = [...transports.keys()].map((s) => `${s}:`).join(', ');
    throw new TransportError(`No transport for '${scheme}:'; known here: ${known || 'none'}${pointedAt(address, 0)}`);
  }
  return { transport, url };
}
