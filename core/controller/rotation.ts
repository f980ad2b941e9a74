/** Other keys and certificates for a cluster that runs. Whoever is in stays in; whoever comes needs the new connection file. */
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

  /** @param grace ms for which the old keys let in; then those that came with them are sent away. */
  async rotate(grace = 0): Promise<void> {
    const { registry, log } = this.#controller;
    await this.#listeners.renew();
    const old = this.#controller.keys.renew();
    this.#publish();
    // One that is away gets a new key at the next rotation; one that computes, when its event loop turns.
    const engines = [...registry.engines.values()].map((record) => this.#controller.keys.renewEngine(record));
    await Promise.race([Promise.allSettled(engines), new Promise((resolve) => setTimeout(resolve, PATIENCE).unref())]);
    log.info('Keys and certificates were replaced', { grace });
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      for (const key of old) this.#controller.keys.revoke(key, REPLACED);
    }, grace).unref();
    this.#timers.add(timer);
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
