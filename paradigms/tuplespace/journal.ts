/**
 * What durable spaces hold, in the controller's store. All that happens in one turn is one write, whatever spaces it happens in. A
 * request is answered when what it changed is durable.
 */
import { deserialize, serialize } from 'node:v8';
import { type Change, type Clock, type Logger, type Store, StoreCorruptError } from '../../core/index.ts';
import { SPACES, tuplesOf } from './journal-keys.ts';
import { type Due, Ledger } from './ledger.ts';
import { entries, type RecoveredRecord, recovered } from './recovery.ts';
import type { SpaceSettings } from './space.ts';
import type { Entry } from './store/entry.ts';

interface Catalogued {
  readonly id: number;
  readonly settings: SpaceSettings;
}

export class SpaceJournal {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #catalogue = new Map<string, Catalogued>();
  readonly #ledgers = new Map<string, Ledger>();
  #lastId = 0;
  /** Beside those in ledgers. */
  #changes = new Map<string, Uint8Array | undefined>();
  readonly #changed = new Set<Ledger>();
  /** Those that the store has, or will have when it has done what it was told. */
  #waiting: ((error?: Error) => void)[] = [];
  #scheduled = false;
  #underway: Promise<unknown> = Promise.resolve();

  static async open(store: Store, clock: Clock, log: Logger): Promise<SpaceJournal> {
    const journal = new SpaceJournal(store, clock, log);
    for await (const [key, found] of entries(store, SPACES)) {
      if (found instanceof StoreCorruptError) {
        log.error(`A durable space is lost: ${found.message}`, { key });
        continue;
      }
      const entry = deserialize(found) as Catalogued;
      journal.#catalogue.set(key.slice(SPACES.length), entry);
      journal.#lastId = Math.max(journal.#lastId, entry.id);
    }
    return journal;
  }

  private constructor(store: Store, clock: Clock, log: Logger) {
    this.#store = store;
    this.#clock = clock;
    this.#log = log;
  }

  /** Spaces that were durable in former times, by name. */
  get known(): ReadonlyMap<string, Catalogued> {
    return this.#catalogue;
  }

  /** Notes down the space, if it is new. */
  of(name: string, settings: SpaceSettings): Ledger {
    const { id } = this.#catalogued(name, settings);
    let ledger = this.#ledgers.get(name);
    if (!ledger) {
      ledger = new Ledger(
        tuplesOf(id),
        (entry) => this.#expires(entry),
        (changed) => {
          this.#changed.add(changed);
          this.#schedule();
        },
      );
      this.#ledgers.set(name, ledger);
    }
    return ledger;
  }

  /** What the space held, from the oldest tuple on. */
  recover(name: string): AsyncGenerator<RecoveredRecord> {
    const { id, settings } = this.#catalogue.get(name)!;
    return recovered({
      store: this.#store,
      prefix: tuplesOf(id),
      ledger: this.of(name, settings),
      damaged: (what, key, error) =>
        this.#log.error(`Space '${name}': ${what}: ${(error as Error).message}`, { key, error }),
    });
  }

  async forget(name: string): Promise<void> {
    const catalogued = this.#catalogue.get(name);
    if (!catalogued) return;
    this.#catalogue.delete(name);
    this.#ledgers.get(name)?.end();
    this.#ledgers.delete(name);
    await this.settled();
    this.#change(SPACES + name, undefined);
    for await (const [key] of entries(this.#store, tuplesOf(catalogued.id))) this.#change(key, undefined);
    await this.settled();
  }

  /** Calls back when all that has changed until now is durable, or could not be. */
  after(done: (error?: Error) => void): void {
    this.#waiting.push(done);
    this.#schedule();
  }

  settled(): Promise<void> {
    return new Promise((resolve, reject) => this.after((error) => (error ? reject(error) : resolve())));
  }

  #change(key: string, value: Uint8Array | undefined): void {
    this.#changes.set(key, value);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    this.#scheduled = false;
    const own = [...this.#changes].map(([key, value]) => ({ key, value }));
    const due = Array.from(this.#changed, (ledger) => ledger.due()).filter((one) => one !== undefined);
    this.#changes = new Map();
    this.#changed.clear();
    const waiting = this.#waiting.splice(0);
    const tell = (error?: Error): void => {
      for (const done of waiting) done(error);
    };
    const before = this.#underway;
    // Writes are made durable in order, so whoever has changed nothing waits for those before all the same.
    const written = own.length || due.length ? this.#write(own, due) : before;
    this.#underway = Promise.all([before, written]).catch(() => {});
    written.then(
      () => tell(),
      (error) => {
        if (!waiting.length) this.#log.error('What has changed in durable spaces could not be written', { error });
        tell(error);
      },
    );
  }

  /** If there is no room for what is new, what is gone goes all the same. */
  async #write(own: readonly Change[], due: readonly Due[]): Promise<void> {
    const frees = due.flatMap((one) => one.frees);
    const puts = due.flatMap((one) => one.puts);
    // A key that is free may be used again at once.
    const changes = new Map([...frees, ...own, ...puts].map((change) => [change.key, change]));
    try {
      await this.#store.write([...changes.values()]);
    } catch (error) {
      for (const one of due) one.failed();
      for (const { key, value } of own) if (!this.#changes.has(key)) this.#changes.set(key, value);
      if (frees.length < changes.size) await this.#store.write(frees).catch(() => {});
      throw error;
    }
  }

  /** Leases are kept by the calendar, which goes on while nobody is here. */
  #expires({ lease }: Entry): number | null {
    return lease ? Math.round(Date.now() + lease.due - this.#clock.now()) : null;
  }

  #catalogued(name: string, settings: SpaceSettings): Catalogued {
    let catalogued = this.#catalogue.get(name);
    if (!catalogued) {
      catalogued = { id: ++this.#lastId, settings };
      this.#catalogue.set(name, catalogued);
      this.#change(SPACES + name, serialize(catalogued));
    }
    return catalogued;
  }
}
