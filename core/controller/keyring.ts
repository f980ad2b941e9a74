/** The keys that open a cluster, and for which roles. Those of single engines lie with their records. */
import { type Key, mintKey, type Role } from '../wire/handshake.ts';

export interface Lock {
  readonly secret: string;
  readonly roles: readonly Role[];
}

/** Keys that were taken back and are still known by name. */
const REMEMBERED = 1_024;

export class Keyring {
  #locks = new Map<string, Lock>();
  #spoilt = new Map<string, string>();

  /** The prefix tells people what a key is for. */
  mint(prefix: string, roles: readonly Role[]): Key {
    return this.add(mintKey(prefix), roles);
  }

  add(key: Key, roles: readonly Role[]): Key {
    this.#locks.set(key.id, { secret: key.secret, roles });
    return key;
  }

  find(id: string): Lock | undefined {
    return this.#locks.get(id);
  }

  /** False: there was no such key. */
  drop(id: string): boolean {
    return this.#locks.delete(id);
  }

  /** Whoever comes with it is told so. */
  spoil(id: string, why: string): void {
    this.#spoilt.set(id, why);
    for (const oldest of this.#spoilt.keys()) {
      if (this.#spoilt.size <= REMEMBERED) break;
      this.#spoilt.delete(oldest);
    }
  }

  /** Why it opens nothing any more. */
  spoilt(id: string): string | undefined {
    return this.#spoilt.get(id);
  }
}
