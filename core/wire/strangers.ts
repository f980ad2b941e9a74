/**
 * Connections that have not proved who they are: only so many at a time, each for as long as a handshake may take. Others wait in
 * line for a place, and while somebody waits, who has been silent for long makes room.
 */
import { type Logger, silentLogger } from '../log.ts';
import { type Guest, meet } from './handshake.ts';
import type { Connection } from './transport.ts';

type Lookup = Parameters<typeof meet>[1];

/** ms within which who speaks is in, even when many come at once; longer than that nobody is waited for while others wait. */
const CROWDED = 2_000;
/** Connections that may wait in line, as a multiple of those at a time. */
const LINE = 16;

export class Strangers {
  #most: number;
  #log: Logger;
  /** With the time since when they have a place, oldest first. */
  #here = new Map<Connection, number>();
  #line: { connection: Connection; admit(): void }[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(most: number, log: Logger = silentLogger) {
    this.#most = most;
    this.#log = log;
  }

  get size(): number {
    return this.#here.size + this.#line.length;
  }

  /** The guest, or undefined for one that was turned away and told why. Never rejects. */
  async meet(connection: Connection, lookup: Lookup): Promise<Guest | undefined> {
    if (this.#here.size >= this.#most) await this.#place(connection);
    this.#here.set(connection, performance.now());
    try {
      const guest = await meet(connection, lookup);
      this.#leave(connection);
      return guest;
    } catch (error) {
      this.#log.warn('turned a peer away', { remote: connection.remote, reason: (error as Error).message });
      // It is counted until it has gone.
      void connection.close().then(() => this.#leave(connection));
      return undefined;
    }
  }

  /** Nothing is read from it meanwhile. */
  async #place(connection: Connection): Promise<void> {
    if (this.#line.length >= LINE * this.#most) this.#dismiss(this.#line.shift()!);
    this.#timer ??= setInterval(() => this.#makeRoom(), CROWDED / 4).unref();
    await new Promise<void>((resolve) => {
      this.#line.push({ connection, admit: resolve });
      this.#makeRoom();
    });
  }

  #leave(connection: Connection): void {
    if (!this.#here.delete(connection)) return;
    if (this.#here.size < this.#most) this.#line.shift()?.admit();
    if (this.#line.length) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #makeRoom(): void {
    const now = performance.now();
    for (const [connection, since] of this.#here) {
      if (!this.#line.length || now - since < CROWDED) return;
      connection.destroy(`more than ${this.#most} connections have not said who they are`);
      this.#leave(connection);
    }
  }

  /** What is said to it is said by the meeting, which finds it closed. */
  #dismiss({ connection, admit }: { connection: Connection; admit(): void }): void {
    connection.destroy('too many connections wait to say who they are');
    admit();
  }
}
