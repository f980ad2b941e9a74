/** The keys that open a cluster, and for which roles. Those of single engines lie with their records. */
import { type Key, mintKey, type Role } from '../wire/handshake.ts';

export interface Lock {
  readonly secret: string;
  readonly roles: readonly Role[];
}

export class Keyring {
  #locks = new Map<string, Lock>();

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
}
