/** Where a controller listens: each address is opened once, when somebody needs it, and all are closed together. */
import { randomBytes } from 'node:crypto';
import { isIPv4 } from 'node:net';
import path from 'node:path';
import { TransportError, UsageError } from '../errors.ts';
import type { Launcher } from '../launch/launcher.ts';
import { type Connection, type Listener, listen } from '../wire/transport.ts';
import type { SocketFolder } from './socket-folder.ts';

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

  /** An address that was asked for. Throws UsageError for one that others can reach, unless that is meant. */
  async add(url: string, insecure: boolean): Promise<string> {
    if (!insecure) checkExposure(url);
    return this.#url(url, () => url);
  }

  /** Frees the addresses; connections live on. */
  async close(): Promise<void> {
    this.#closed = true;
    const opened = await Promise.allSettled(this.#open.values());
    await Promise.all(opened.map((one) => one.status === 'fulfilled' && one.value.close()));
  }

  async #url(key: string, url: () => string): Promise<string> {
    if (this.#closed) throw new TransportError('The cluster is stopping, so nothing more can join it');
    let listener = this.#open.get(key);
    if (!listener) {
      listener = listen(url(), this.#accept);
      this.#open.set(key, listener);
      listener.catch(() => this.#open.delete(key)); // it may be possible later
    }
    return (await listener).url;
  }
}

/** A listener that others can reach would carry code and values in the clear. */
function checkExposure(url: string): void {
  if (!URL.canParse(url)) return; // refused by `listen`
  const { protocol, hostname: host } = new URL(url);
  if (protocol !== 'tcp:' || host === 'localhost' || host === '[::1]' || (isIPv4(host) && host.startsWith('127.')))
    return;
  throw new UsageError(
    `${url} can be reached from other machines, without encryption; listen on 127.0.0.1, or say 'insecure' if the network is yours alone`,
  );
}
