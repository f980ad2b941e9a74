/** How a rank waits for what comes through shared memory: in its event loop, which a bell wakes, or with its thread blocked. */
import { availableParallelism } from 'node:os';
import { MpiError } from './errors.ts';
import type { Request } from './request.ts';
import type { SharedLinks } from './shared-links.ts';

/** Turns of polling before a blocked thread sleeps: the limit follows what has helped. */
const SPIN = { least: 16, most: 1024 };
/** ms: who is woken within this had better gone on polling; who sleeps longer had better slept at once. */
const SHORT = 0.05;
/** ms that a blocked thread sleeps before it looks around. */
const NAP = 50;

export class Waiting {
  links: SharedLinks | undefined;
  /** This thread waits, and does nothing else. */
  blocked = false;
  /** What has come is being handled. */
  polling = false;
  /** Not all ranks can run at the same time: one that polls keeps another one from going on. */
  crowded = false;
  readonly #lookAround: () => void;
  #listening = true;
  #most = SPIN.most;
  #spin = SPIN.most;

  /** @param lookAround called now and then while the thread is blocked */
  constructor(lookAround: () => void) {
    this.#lookAround = lookAround;
  }

  /** @param threads how many may be busy at the same time */
  share(links: SharedLinks, threads: number): void {
    this.links = links;
    this.crowded = threads > availableParallelism();
    if (this.crowded) this.#most = this.#spin = SPIN.least;
    links.listen(this.#rung);
  }

  /** Handles what has come. False: there was nothing. */
  poll(): boolean {
    if (!this.links || this.polling) return false;
    this.polling = true;
    try {
      return this.links.poll();
    } finally {
      this.polling = false;
    }
  }

  /** Blocks this thread until it has settled. */
  wait<T>(request: Request<T>): T {
    if (!request.settled) this.#block(request);
    return request.take();
  }

  #block(request: Request<any>): void {
    const links = this.links;
    if (!links)
      throw new MpiError(
        'comm.sync blocks the thread, which takes thread ranks of one process; await the same operation instead',
      );
    links.mute();
    this.blocked = true;
    try {
      for (let idle = 0; !request.settled; ) {
        if (this.poll()) idle = 0;
        else if (++idle > this.#spin) {
          idle = 0;
          this.#sleep(links);
        }
      }
    } finally {
      this.blocked = false;
      this.#listenLater(links);
    }
  }

  #sleep(links: SharedLinks): void {
    const start = performance.now();
    links.sleep(NAP);
    const short = performance.now() - start < SHORT;
    this.#spin = short ? Math.min(this.#spin * 2, this.#most) : Math.max(this.#spin >> 1, SPIN.least);
    this.#lookAround();
  }

  /** When this thread comes back to its event loop. */
  #listenLater(links: SharedLinks): void {
    if (!this.#listening) return;
    this.#listening = false;
    setImmediate(() => {
      this.#listening = true;
      links.listen(this.#rung);
    });
  }

  #rung = (): void => void this.poll();
}
