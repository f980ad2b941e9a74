/** Other keys and certificates for a cluster that runs. Whoever is in stays in; whoever comes needs the new connection file. */
import { UsageError } from '../errors.ts';
import { REPLACED } from './cluster-keys.ts';
import type { Controller } from './controller.ts';
import type { Listeners } from './listeners.ts';
import type { EngineRecord } from './registry.ts';

/** ms that engines may take for their new keys before the rotation goes on. */
const PATIENCE = 1_000;

export class Rotation {
  #controller: Controller;
  #listeners: Listeners;
  #publish: () => void;
  #timers = new Set<NodeJS.Timeout>();

  /** @param publish writes the connection file anew */
  constructor(controller: Controller, listeners: Listeners, publish: () => void) {
    this.#controller = controller;
    this.#listeners = listeners;
    this.#publish = publish;
  }

  /**
   * @param grace ms for which the old keys let in; then those that came with them are sent away.
   * @param authority also another authority; the one before is trusted for as long.
   */
  async rotate({ grace = 0, authority = false }: { grace?: number; authority?: boolean }): Promise<void> {
    const { keys, log, authorities } = this.#controller;
    if (authority && this.#listeners.certified)
      throw new UsageError(
        "The certificates of this cluster's listeners are its user's own, so their authority is not the cluster's to replace; start it with others",
      );
    const former = authority ? await authorities.replace() : undefined;
    await this.#listeners.renew();
    const old = keys.renew();
    this.#publish();
    // One that is away gets a new key at the next rotation; one that computes, when its event loop turns.
    await this.#each(async (record) => {
      await keys.renewEngine(record);
      if (former) await this.#tellTrust(record);
    });
    log.info(`Keys and certificates were replaced${former ? ', and the authority that signs them' : ''}`, { grace });
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      for (const key of old) keys.revoke(key, REPLACED);
      if (former?.forget()) void this.#forgotten();
    }, grace).unref();
    this.#timers.add(timer);
  }

  /** Nobody is to trust the former authority any more, nor show its word. */
  async #forgotten(): Promise<void> {
    const { log } = this.#controller;
    try {
      await this.#listeners.renew();
      this.#publish();
      await this.#each((record) => this.#tellTrust(record));
      log.info('The former authority is not trusted any more');
    } catch (error) {
      log.error('The former authority could not be dropped; replace it again', { error });
    }
  }

  /** Engines make their certificates anew; those that have dialled with the connection file's get the present ones. */
  async #tellTrust({ rpc, info }: EngineRecord): Promise<void> {
    await rpc?.ask('trust', /^(tls|wss)$/.test(info.transport) ? this.#listeners.credentials : {});
  }

  async #each(act: (record: EngineRecord) => Promise<void>): Promise<void> {
    const acts = [...this.#controller.registry.engines.values()].map(act);
    await Promise.race([Promise.allSettled(acts), new Promise((resolve) => setTimeout(resolve, PATIENCE).unref())]);
  }

  /** The engine's key opens nothing any more. One that joined by itself knows the key to join with, so that is replaced as well. */
  revoke(record: EngineRecord): void {
    this.#controller.log.warn(`Engine ${record.id} is revoked`, { engine: record.id, host: record.info.host });
    this.#controller.keys.revoke(record.key.id);
    if (!record.external) return;
    this.#controller.keys.revoke(this.#controller.keys.renewJoin());
    this.#publish();
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }
}
