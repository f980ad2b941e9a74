/** Connections that have not proved who they are: only so many at a time, each for as long as a handshake may take. */
import { type Logger, silentLogger } from '../log.ts';
import { type Guest, meet } from './handshake.ts';
import type { Connection } from './transport.ts';

type Lookup = Parameters<typeof meet>[1];

export class Strangers {
  #most: number;
  #log: Logger;
  #here = new Set<Connection>();

  constructor(most: number, log: Logger = silentLogger) {
    this.#most = most;
    this.#log = log;
  }

  get size(): number {
    return this.#here.size;
  }

  /** The guest, or undefined for one that was turned away and told why. Never rejects. */
  async meet(connection: Connection, lookup: Lookup): Promise<Guest | undefined> {
    // Who speaks is in within milliseconds: the one that has been silent longest makes room.
    if (this.#here.size >= this.#most)
      for (const oldest of [...this.#here].slice(0, this.#here.size - this.#most + 1)) {
        this.#here.delete(oldest);
        oldest.destroy(`more than ${this.#most} connections have not said who they are`);
      }
    this.#here.add(connection);
    try {
      const guest = await meet(connection, lookup);
      this.#here.delete(connection);
      return guest;
    } catch (error) {
      this.#log.warn('turned a peer away', { remote: connection.remote, reason: (error as Error).message });
      // It is counted until it has gone.
      void connection.close().then(() => this.#here.delete(connection));
      return undefined;
    }
  }
}
