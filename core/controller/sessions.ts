/** The sessions that peers may come back to, and why those are over that were ended here. */
import type { Session } from '../wire/session.ts';

/** A session, and what belongs to it. */
export interface Opened {
  readonly session: Session;
  /** Does the key of this id open it: the one that it came in with, or one in its place? */
  opens(key: string): boolean;
  resumed(): void;
  /** Ends it, and tells the peer why. */
  end(reason: string): void;
}

/** Reasons that are kept for those who have not heard them. */
const REASONS = 1_024;

export class Sessions {
  #opened = new Map<string, Opened>();
  #reasons = new Map<string, string>();

  add(opened: Opened): void {
    for (const [id, { session }] of this.#opened) if (session.ended) this.#opened.delete(id);
    this.#opened.set(opened.session.id, opened);
  }

  /** The session, for who has the key that it came in with. */
  find(id: string, key: string): Opened | undefined {
    const opened = this.#opened.get(id);
    return opened?.opens(key) ? opened : undefined;
  }

  delete(id: string): void {
    this.#opened.delete(id);
  }

  *[Symbol.iterator](): Generator<Opened> {
    yield* [...this.#opened.values()];
  }

  /** Its peer is told when it comes back. */
  explain(id: string, reason: string): void {
    this.#reasons.set(id, reason);
    for (const oldest of this.#reasons.keys()) {
      if (this.#reasons.size <= REASONS) break;
      this.#reasons.delete(oldest);
    }
  }

  reasonOf(id: string): string | undefined {
    return this.#reasons.get(id);
  }
}
