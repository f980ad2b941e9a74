/** The keys of one cluster: those of its connection file, of its engines, and of clients on engines; replaced, and taken back. */
import { RefusedError } from '../errors.ts';
import { type Key, keyToken, mintKey, REVOKED } from '../wire/handshake.ts';
import type { KeptKeys } from './estate.ts';
import { Keyring, type Lock } from './keyring.ts';
import { type EngineRecord, keyOf, type Registry } from './registry.ts';
import type { Sessions } from './sessions.ts';

/** Why an older key is no good. */
export const REPLACED = 'its key was replaced by a new one';

const CLIENT = ['client', 'observer'] as const;
const OBSERVER = ['observer'] as const;
const ENGINE = ['engine'] as const;

export class ClusterKeys {
  #ring = new Keyring();
  /** Lets the program in that has started the cluster; in no file, and so not replaced. */
  readonly own: Key = this.#ring.mint('p', ['client', 'observer']);
  /** Lets clients in; in the connection file, as the next two. */
  client: Key;
  /** Lets in who only watches. */
  observer: Key;
  /** Lets engines join by themselves; each gets a key of its own then. */
  join: Key;
  #nested = new Map<number, { key: Key; incarnation: number }>();
  #registry: Registry;
  #sessions: Sessions;

  /** @param kept of the controller before, where several take turns */
  constructor(registry: Registry, sessions: Sessions, kept?: KeptKeys) {
    this.#registry = registry;
    this.#sessions = sessions;
    this.client = kept ? this.#ring.add(kept.client, CLIENT) : this.#newClient();
    this.observer = kept ? this.#ring.add(kept.observer, OBSERVER) : this.#newObserver();
    this.join = kept ? this.#ring.add(kept.join, ENGINE) : this.#newJoin();
  }

  /** What a key of this id must prove, and what it opens. Throws RefusedError for one that was taken back. */
  lock(id: string): Lock | undefined {
    const record = this.#registry.byKey(id);
    if (record) return { secret: keyOf(record, id)!.secret, roles: ['engine', 'supervisor'] };
    const spoilt = this.#ring.spoilt(id);
    if (spoilt !== undefined)
      throw new RefusedError(
        `Key '${id}' opens nothing any more: ${spoilt}; ask for the cluster's current connection file`,
      );
    return this.#ring.find(id);
  }

  /** Takes a key back, with all that came in with it. False: there is no such key. */
  revoke(key: string, why = REVOKED): boolean {
    const record = this.#registry.byKey(key);
    if (!this.#ring.drop(key) && !record) return false;
    const opened = [...this.#sessions].filter((one) => one.opens(key));
    for (const id of [key, record?.key.id, record?.nextKey?.id]) if (id !== undefined) this.#ring.spoil(id, why);
    if (record) {
      record.key = mintKey('e');
      record.nextKey = undefined;
    }
    for (const one of opened) one.end(why);
    return true;
  }

  /** New ones for the connection file. The old ones are still good: their ids. */
  renew(): string[] {
    const old = [this.client.id, this.observer.id, this.renewJoin()];
    this.client = this.#newClient();
    this.observer = this.#newObserver();
    return old;
  }

  renewJoin(): string {
    const { id } = this.join;
    this.join = this.#newJoin();
    return id;
  }

  /** A new key for an engine that is there; until it has it, it may come with either. */
  async renewEngine(record: EngineRecord): Promise<void> {
    const { rpc } = record;
    if (!rpc) return;
    // One that it may have got already, though it has not answered, is offered again.
    const next = (record.nextKey ??= mintKey('e'));
    await rpc.ask('rekey', keyToken(next));
    // It may have been revoked meanwhile.
    if (record.nextKey !== next) return;
    this.#ring.spoil(record.key.id, REPLACED);
    record.key = next;
    record.nextKey = undefined;
  }

  /** Lets clients in that run on this engine; revoked with its incarnation. */
  nested(record: EngineRecord): Key {
    const { id, info } = record;
    const there = this.#nested.get(id);
    if (there?.incarnation === info.incarnation) return there.key;
    if (there) this.revoke(there.key.id);
    const key = this.#ring.mint('n', ['client']);
    this.#nested.set(id, { key, incarnation: info.incarnation });
    return key;
  }

  engineLost({ id }: EngineRecord): void {
    const nested = this.#nested.get(id);
    if (nested) this.revoke(nested.key.id);
    this.#nested.delete(id);
  }

  #newClient(): Key {
    return this.#ring.mint('c', CLIENT);
  }
  #newObserver(): Key {
    return this.#ring.mint('o', OBSERVER);
  }
  #newJoin(): Key {
    return this.#ring.mint('j', ENGINE);
  }
}
