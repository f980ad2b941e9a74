/** The console's connection to its cluster: when it is gone, the console goes on, and looks for the cluster until it is back. */
import type { Client } from '../../core/client/client.ts';
import type { PrintedLines } from '../../core/client/echo.ts';
import type { Link } from '../../core/client/link.ts';
import { backoff, type ClientService, clientService, SessionLostError } from '../../core/index.ts';
import { ranges } from '../ranges.ts';
import { attach, isOwn, openOwn, type Where } from '../session.ts';
import type { Origin } from './recording.ts';

export type ConsoleClient = Client & { link: Link };

export interface ConnectionOptions extends Where {
  output(printed: PrintedLines): void;
  tell(text: string): void;
  /** Of each client, before it is used. */
  opened(client: ConsoleClient): void;
}

const PACE = backoff({ first: 500, factor: 1.5, most: 5_000, jitter: 0.25 });

export class Connection {
  #options: ConnectionOptions;
  #service: ClientService<{ closed: Promise<void>; close(): Promise<void> }>;
  #client: ConsoleClient | undefined;
  #name = '';
  #closing = false;
  /** Its own cluster ends with the console, or by its user's wish, and does not come back. */
  readonly isOwn: boolean;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.isOwn = isOwn(options);
    this.#service = clientService({ name: 'console', connect: (signal) => this.#connect(signal), backoff: PACE });
  }

  /** Rejects when there is no cluster to begin with. */
  async open(): Promise<void> {
    this.#service.start();
    try {
      await this.#service.whenConnected(1);
    } catch (error) {
      await this.#service.stop();
      throw error;
    }
  }

  get isOpen(): boolean {
    return this.#client !== undefined;
  }

  /** Where a program that does the same finds its engines. */
  get origin(): Origin {
    const { kind, engines } = this.#options;
    if (!this.isOwn) return { name: this.#name };
    return { engines: this.#client?.all.targets.length ?? engines ?? 1, ...(kind !== undefined && { kind }) };
  }

  /** Throws while there is none. */
  get client(): ConsoleClient {
    if (this.#client) return this.#client;
    throw new SessionLostError(
      this.isOwn
        ? 'The cluster of this console has ended; lines without % still run here'
        : `Cluster '${this.#name}' is gone; lines without % still run here, and it is looked for`,
    );
  }

  /** Its user leaves. */
  get isClosing(): boolean {
    return this.#closing;
  }

  async close(): Promise<void> {
    this.#closing = true;
    await this.#service.stop();
  }

  async #connect(signal: AbortSignal): Promise<{ closed: Promise<void>; close(): Promise<void> }> {
    const { name, output, tell, opened } = this.#options;
    const own = this.isOwn;
    const again = this.#name !== '';
    const client = (await (own ? openOwn(this.#options, output) : attach(name, signal, output))) as ConsoleClient;
    this.#name = client.name;
    this.#client = client;
    opened(client);
    if (again) tell(`Connected again to cluster '${client.name}': engines ${ranges(client.all.targets) || 'none'}`);
    const closed = new Promise<void>((resolve) => {
      client.events$.subscribe({
        next: (event) => {
          if (event.type === 'engine-lost' && !this.#closing)
            tell(`Engine ${event.engine.id} was lost: ${event.reason} (.engines shows them all)`);
        },
        complete: () => {
          this.#client = undefined;
          resolve();
          if (this.#closing) return;
          tell(
            own
              ? 'The cluster of this console has ended. Lines without % still run here.'
              : `Cluster '${client.name}' is gone. Lines without % still run here; the console connects again when it is back.`,
          );
          if (!own) return;
          void this.#service.stop();
          void client.close();
        },
      });
    });
    return { closed, close: () => client.close() };
  }
}
