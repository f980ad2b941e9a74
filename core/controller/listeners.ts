/** Where a controller listens: each address is opened once, when somebody needs it, and all are closed together. */
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { TransportError } from '../errors.ts';
import type { Launcher } from '../launch/launcher.ts';
import { type Connection, type Listener, type ListenOptions, listen } from '../wire/transport.ts';
import type { Authorities } from './authorities.ts';
import type { HostOptions } from './host-options.ts';
import { type Certification, type Credentials, certify, checkExposure, publicUrls } from './public-listeners.ts';
import type { SocketFolder } from './socket-folder.ts';

type FurtherOptions = Pick<HostOptions, 'listen' | 'insecure' | 'tls' | 'origins'> & Pick<ListenOptions, 'tenure'>;

export interface ListenersHome {
  readonly folder: SocketFolder;
  accept(connection: Connection): void;
  /** The cluster's own; asked when a listener needs a certificate and was given none. */
  authorities(): Authorities;
  /** A peer was turned away before there was a connection. */
  refused(remote: string, reason: string): void;
}

export class Listeners {
  #open = new Map<string, Promise<Listener>>();
  #closed = false;
  #home: ListenersHome;
  #certify: (() => Promise<Certification>) | undefined;
  #certification: Certification | undefined;

  constructor(home: ListenersHome) {
    this.#home = home;
  }

  /** The address for whoever is in this process. */
  inline(): Promise<string> {
    return this.#url('inline', () => `inline:${randomBytes(8).toString('hex')}`);
  }

  /** The address for engines and clients of this machine. */
  local(scheme: Exclude<Launcher['scheme'], 'network'>): Promise<string> {
    return this.#url(scheme, () => {
      if (scheme === 'unix') return `unix:${path.join(this.#home.folder.path, 'controller.sock')}`;
      return scheme === 'tcp' ? 'tcp://127.0.0.1:0' : `thread:controller-${randomBytes(8).toString('hex')}`;
    });
  }

  /**
   * Addresses that were asked for: where they are dialled. Throws UsageError for one that others can reach in the clear, unless that
   * is meant.
   */
  async further(options: FurtherOptions): Promise<string[]> {
    const { listen: addresses = [], insecure = false, origins, tenure } = options;
    for (const address of addresses) checkExposure(address, insecure);
    this.#certify = () => certify(addresses, options.tls, this.#home.authorities());
    this.#certification = await this.#certify();
    const { listener: tls } = this.#certification;
    const { refused } = this.#home;
    const urls: string[] = [];
    for (const address of addresses)
      urls.push(...publicUrls(await this.#url(address, () => address, { tls, origins, refused, tenure })));
    return urls;
  }

  /** What dialling them takes beside address and token. */
  get credentials(): Credentials {
    return this.#certification?.members ?? {};
  }

  /** Their certificates are the user's. */
  get certified(): boolean {
    return this.#certification?.given ?? false;
  }

  /** Other certificates for those that have ours, and for whoever dials them. Connections live on. */
  async renew(): Promise<void> {
    if (!this.#certify || this.certified) return;
    this.#certification = await this.#certify();
    const { listener: tls } = this.#certification;
    if (tls.cert === undefined) return; // none of them encrypts
    for (const listener of await Promise.all(this.#open.values())) listener.renew?.(tls);
  }

  /** Frees the addresses; connections live on. */
  async close(): Promise<void> {
    this.#closed = true;
    const opened = await Promise.allSettled(this.#open.values());
    await Promise.all(opened.map((one) => one.status === 'fulfilled' && one.value.close()));
  }

  async #url(key: string, url: () => string, guards: ListenOptions = {}): Promise<string> {
    if (this.#closed) throw new TransportError('The cluster is stopping, so nothing more can join it');
    let listener = this.#open.get(key);
    if (!listener) {
      listener = listen(url(), (connection) => this.#home.accept(connection), guards);
      this.#open.set(key, listener);
      listener.catch(() => this.#open.delete(key)); // it may be possible later
    }
    return (await listener).url;
  }
}
