/** Who may come in by a WebSocket listener, and what everybody else is told. */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { hostname } from 'node:os';
import { TransportError } from '../core/errors.ts';
import { isLoopback } from '../core/wire/loopback.ts';

export class WsDoor {
  readonly #path: string;
  readonly #listed: ReadonlySet<string>;
  readonly #host: string;
  readonly #web: string;

  /** @param origins those whose pages may come beside the listener's own. */
  constructor(url: URL, origins: readonly string[] = []) {
    this.#path = url.pathname;
    this.#host = url.hostname;
    this.#web = url.protocol === 'wss:' ? 'https' : 'http';
    this.#listed = new Set(origins.map(normalised));
  }

  /** Why this request is turned away, if it is. */
  refusal({
    url = '/',
    headers: { origin },
    socket,
  }: IncomingMessage): { status: string; sentence: string } | undefined {
    const [path] = url.split('?', 1);
    if (path !== this.#path) {
      return {
        status: '404 Not Found',
        sentence: `There is nothing at this path; the controller listens at ${this.#path}`,
      };
    }
    // Browsers always say where a page is from, and pages cannot keep them from it. Programs say nothing.
    if (origin === undefined || this.#listed.has(origin) || this.#own(socket).includes(origin)) return undefined;
    return {
      status: '403 Forbidden',
      sentence:
        "Web pages of this origin are not let in here. Whoever started the cluster lists it with cluster({ origins: ['https://…'] }) or --origin",
    };
  }

  /**
   * Pages of the address itself. The request's own Host header is not asked: a page can make a name of its own lead here,
   * and both headers would agree.
   */
  #own(socket: Socket): string[] {
    const { port } = socket.address() as { port: number };
    const any = /^(?:0\.0\.0\.0|\[::\])$/.test(this.#host);
    const names = [this.#host];
    if (any) names.push(hostname().toLowerCase(), bracketed(socket.localAddress ?? ''));
    if (any || isLoopback(this.#host)) names.push('localhost', '127.0.0.1', '[::1]');
    return names.flatMap((name) => {
      const origin = `${this.#web}://${name}:${port}`;
      return URL.canParse(origin) ? [new URL(origin).origin] : [];
    });
  }
}

function normalised(origin: string): string {
  const url = URL.canParse(origin) ? new URL(origin) : undefined;
  if (url && url.origin !== 'null' && url.pathname === '/' && !url.search && !url.hash) return url.origin;
  throw new TransportError(`'${origin}' is no origin; write scheme, host and port alone, e.g. https://example.org`);
}

function bracketed(address: string): string {
  const plain = address.replace(/^::ffff:/, '');
  return plain.includes(':') ? `[${plain}]` : plain;
}
