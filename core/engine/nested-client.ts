/** A client of the cluster for code that runs on this engine: one for all its tasks, opened when the first one asks. */
import type { Client } from '../client/client.ts';
import type { Link } from '../client/link.ts';
import { UsageError } from '../errors.ts';
import { Parcel } from '../paradigm/parcel.ts';
import type { Certificates } from '../supervisor/messages.ts';
import type { Rpc } from '../wire/rpc.ts';

/** The package as programs use it; engines are small, and few of them need it. */
const PACKAGE = '../main.js';

export class NestedClient {
  #client: Promise<Client> | undefined;
  /** Code that the controller has. */
  #known = new Set<string>();
  #rpc: () => Rpc | undefined;
  /** Read whenever it dials. */
  #tls: Certificates = {};

  constructor(rpc: () => Rpc | undefined) {
    this.#rpc = rpc;
  }

  get(): Promise<Client> {
    this.#client ??= this.#open();
    this.#client.catch(() => (this.#client = undefined)); // the next one tries again
    return this.#client;
  }

  /** What it would send, functions and all. */
  async parcel(value: unknown): Promise<Parcel> {
    const { link } = (await this.get()) as Client & { link: Link };
    // It is made by the package's copy of the class, and this engine encodes its own.
    const { payload, code, needs, holds } = link.paradigms.parcel(value);
    if (code.some((hash) => !this.#known.has(hash))) {
      // Whoever opens it asks the controller for its code, and may be faster than what has just been sent there.
      await link.rpc.ask('paradigms');
      for (const hash of code) this.#known.add(hash);
    }
    return new Parcel(payload, code, needs, holds);
  }

  /** The controller is gone: another one may come. */
  drop(): void {
    this.#client?.then((client) => client.close()).catch(() => {});
    this.#client = undefined;
    this.#known.clear();
  }

  /** The cluster's authority is another one; a connection that is cut comes back with these. */
  certified(tls: Certificates): void {
    Object.assign(this.#tls, tls);
  }

  async #open(): Promise<Client> {
    const rpc = this.#rpc();
    if (!rpc) throw new UsageError('This engine has no controller now');
    const info = await rpc.ask('client');
    const { connect } = await import(new URL(PACKAGE, import.meta.url).href);
    this.#tls = {}; // what it is told is as of now
    return connect(info, { output: 'ignore', tls: this.#tls });
  }
}
