/** Where a controller listens: each address is opened once, when somebody needs it, and all are closed together. */
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { TransportError } from '../errors.ts';
import type { Launcher } from '../launch/launcher.ts';
import { type Connection, type Listener, type ListenOptions, listen } from '../wire/transport.ts';
import type { HostOptions } from './host-options.ts';
import { checkExposure, publicUrls, tlsIdentity } from './public-listeners.ts';
import type { SocketFolder } from './socket-folder.ts';

type FurtherOptions = Pick<HostOptions, 'listen' | 'insecure' | 'tls' | 'origins'> & Pick<ListenOptions, 'tenure'>;

export class Listeners {
  #open = new Map<string, Promise<Listener>>();
  #closed = false;
  #folder: SocketFolder;
  #accept: (connection: Connection) => void;

  constructor(folder: SocketFolder, accept: (connection: Connection) => void) {
    this.#folder = folder;
    this.#accept = accept;
  }

  /** The address for whoever is in this process. */
  inline(): Promise<string> {
    return this.#url('inline', () => `inline:${randomBytes(8).toString('hex')}`);
  }

  /** The address for engines and clients of this machine. */
  local(scheme: Launcher['scheme']): Promise<string> {
    return this.#url(scheme, () => {
      if (scheme === 'unix') return `unix:${path.join(this.#folder.path, 'controller.sock')}`;
      return scheme === 'tcp' ? 'tcp://127.0.0.1:0' : `thread:controller-${randomBytes(8).toString('hex')}`;
    });
  }

  /**
   * Addresses that were asked for: where they are dialled, and the authority that vouches for their certificates, if clients
   * would know of none. Throws UsageError for one that others can reach in the clear, unless that is meant.
   */
  async further(options: FurtherOptions): Promise<{ urls: string[]; ca: string | undefined }> {
    const { listen: addresses = [], insecure = false, origins, tenure } = options;
    for (const address of addresses) checkExposure(address, insecure);
    const { ca, ...tls } = await tlsIdentity(addresses, options.tls);
    const urls: string[] = [];
    for (const address of addresses)
      urls.push(...publicUrls(await this.#url(address, () => address, { tls, origins, tenure })));
    return { urls, ca };
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
      listener = listen(url(), this.#accept, guards);
      this.#open.set(key, listener);
      listener.catch(() => this.#open.delete(key)); // it may be possible later
    }
    return (await listener).url;
  }
}
