/** Engines that are about to go: they get nothing new, and go when nothing is left on them, or when their time is over. */
import type { EngineRecord, Registry } from './registry.ts';

/** Resolves when nothing is left on the engine that its paradigm would lose. */
export type DrainHandler = (engine: number) => Promise<void>;

/** ms between looks at what still runs. */
const LOOK = 20;

export class Draining {
  /** Of halves of paradigms. */
  readonly handlers = new Set<DrainHandler>();
  #registry: Registry;

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /** Resolves when they are empty, have gone, or after so many ms. */
  async run(records: readonly EngineRecord[], patience: number): Promise<void> {
    const until = performance.now() + patience;
    await Promise.all(records.map((record) => this.#one(record, until)));
  }

  async #one(record: EngineRecord, until: number): Promise<void> {
    record.draining = true;
    this.#registry.state(record, 'draining');
    let busy = this.handlers.size;
    for (const handler of this.handlers) void handler(record.id).then(() => busy--);
    const there = (): boolean => record.session !== undefined && performance.now() < until;
    while (there() && (busy > 0 || record.running.size > 0)) await new Promise((resolve) => setTimeout(resolve, LOOK));
  }
}
