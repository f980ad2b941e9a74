/** How a rank waits for what comes through shared memory: in its event loop, which a bell wakes, or with its thread blocked. */
import { MpiError } from './errors.ts';
import { Patience } from './patience.ts';
import type { Request } from './request.ts';
import type { SharedLinks } from './shared-links.ts';

/** ms that a blocked thread sleeps before it looks around. */
const NAP = 50;

export class Waiting {
  links: SharedLinks | undefined;
  /** This thread waits, and does nothing else. */
  blocked = false;
  /** What has come is being handled. */
  polling = false;
  patience = new Patience(1);
  readonly #lookAround: () => void;
  #listening = true;

  /** @param lookAround called now and then while the thread is blocked */
  constructor(lookAround: () => void) {
    this.#lookAround = lookAround;
  }

  share(links: SharedLinks): void {
    this.links = links;
    this.patience = new Patience(links.members);
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
    const { ms } = this.patience.next();
    try {
      for (let until = 0; !request.settled; ) {
        if (this.poll()) until = 0;
        else if (until === 0) until = performance.now() + ms;
        else if (performance.now() > until) {
          until = 0;
          links.sleep(NAP);
          this.#lookAround();
        }
      }
    } finally {
      this.blocked = false;
      this.#listenLater(links);
    }
  }

  /** Blocks this thread until something comes, or for a short while. */
  nap(): void {
    const { links } = this;
    if (!links) return;
    this.blocked = true;
    try {
      links.sleep(NAP);
      this.#lookAround();
    } finally {
      this.blocked = false;
      this.#listenLater(links);
    }
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
