/** Stores on a NATS cluster, of which one controller at a time is the owner. */
import { StoreError, UsageError } from '../../../core/errors.ts';
import { checkChanges, checkRange, keyBytes, nameBytes } from '../../../core/store/key.ts';
import { closedStore, copy } from '../../../core/store/memory-store.ts';
import type { Change, KeyRange, Store, StoreProvider } from '../../../core/store/store.ts';
import type { Tenure } from '../../../core/wire/transport.ts';
import { natsAddress } from '../address.ts';
import { type JetStream, openJetStream } from './jetstream.ts';
import { Lease } from './lease.ts';
import { FencedError, Log } from './log.ts';
import { SharedLog } from './shared-log.ts';

/** Entries that an iteration reads in one turn of the event loop. */
const TURN = 500;
/** Times that another controller's last words may come in between. */
const ATTEMPTS = 10;
/** ms that a close waits for NATS, if that is away. */
const LAST_WRITES = 2_000;

/** Stores in JetStream, at `nats://host:4222/name`; NATS and its libraries are asked for at the first `open`. */
export function natsStores(where: string | URL): StoreProvider {
  if (!URL.canParse(String(where))) throw new UsageError(`'${String(where)}' is no URL; write nats://host:4222/name`);
  return new NatsStores(new URL(where));
}

class NatsStores implements StoreProvider {
  readonly #address;
  #jetstream: Promise<JetStream> | undefined;
  #owned: Promise<Owned> | undefined;
  #tenure: Lease | undefined;
  #closing: Promise<void> | undefined;

  constructor(url: URL) {
    this.#address = natsAddress(url);
    if (this.#address.name.includes('.'))
      throw new UsageError(`'${url.href}' has a name of several parts; for stores write nats://host:4222/name`);
  }

  get tenure(): Tenure | undefined {
    return this.#tenure;
  }

  async open(name: string): Promise<Store> {
    nameBytes(name);
    if (this.#closing) throw closedStore(name);
    // What cannot be had now may be later on: the next call tries again.
    this.#owned ??= this.#own().catch((error) => {
      this.#owned = undefined;
      throw error;
    });
    return new NatsStore(name, await this.#owned);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const owned = await this.#owned?.catch(() => undefined);
    if (owned) {
      owned.closed = true;
      await within(LAST_WRITES, owned.log.settled());
      await within(LAST_WRITES, owned.lease.release()); // or it runs out by itself
    }
    const { nc } = (await this.#jetstream?.catch(() => undefined)) ?? {};
    await nc?.close();
  }

  async #own(): Promise<Owned> {
    this.#jetstream ??= openJetStream(this.#address).catch((error) => {
      this.#jetstream = undefined;
      throw error;
    });
    const at = await this.#jetstream;
    for (let attempt = 1; ; attempt++) {
      let last = 0;
      const lease = await Lease.take(at.kv, this.#address.name, async () => {
        last = (await at.jsm.streams.info(at.stream)).state.last_seq;
      });
      try {
        return await this.#take(at, lease, last);
      } catch (error) {
        await lease.release().catch(() => {});
        if (!(error instanceof FencedError) || attempt === ATTEMPTS) throw error;
      }
    }
  }

  /** An append of ours keeps out what any controller before us may still send. */
  async #take(at: JetStream, lease: Lease, last: number): Promise<Owned> {
    const log = new Log(at, last);
    await log.append(new Uint8Array(0));
    const shared = new SharedLog(log, (error) => lease.lose(error));
    await shared.recover();
    this.#tenure = lease;
    return { log: shared, lease, closed: false };
  }
}

interface Owned {
  readonly log: SharedLog;
  readonly lease: Lease;
  closed: boolean;
}

class NatsStore implements Store {
  readonly #name: string;
  readonly #owned: Owned;
  #closed = false;

  constructor(name: string, owned: Owned) {
    this.#name = name;
    this.#owned = owned;
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    const { log } = this.#open();
    keyBytes(key);
    const entry = log.table(this.#name).values.get(key);
    if (!entry) return undefined;
    // Until it has been read nothing that it lies in may go.
    log.beginReading();
    try {
      return await log.value(entry);
    } finally {
      log.endReading();
    }
  }

  async write(changes: readonly Change[]): Promise<void> {
    const { log } = this.#open();
    checkChanges(changes);
    const own = changes.map(({ key, value, expected }) => ({
      key,
      value: value && copy(value),
      ...(expected !== undefined && { expected: expected && copy(expected) }),
    }));
    if (own.length) await log.write(this.#name, own);
  }

  async *entries(range: KeyRange = {}): AsyncGenerator<[string, Uint8Array]> {
    const { log } = this.#open();
    checkRange(range);
    log.beginReading();
    try {
      const found = log.table(this.#name).select(range);
      for (const [i, [key, entry]] of found.entries()) {
        if (i % TURN === TURN - 1) await new Promise(setImmediate);
        this.#open();
        yield [key, await log.value(entry)];
      }
    } finally {
      log.endReading();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#owned.log.settled();
  }

  #open(): Owned {
    if (this.#closed || this.#owned.closed) throw closedStore(this.#name);
    const { failure } = this.#owned.log;
    if (failure) throw new StoreError(failure.message, { cause: failure });
    return this.#owned;
  }
}

async function within(ms: number, done: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([done.catch(() => {}), late]);
  clearTimeout(timer);
}
