/** What a controller leaves to the next one, beside what paradigms keep: its keys, and which paradigms are to go on. */
import { StoreLockedError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Store, StoreProvider } from '../store/store.ts';
import { type Key, mintKey } from '../wire/handshake.ts';

export interface KeptKeys {
  readonly client: Key;
  readonly observer: Key;
  readonly join: Key;
}

const STORE = 'host';
const KEYS = 'keys';
const USED = 'used/';
/** ms. */
const ASK_AGAIN = 100;

export class Estate {
  /** Of all controllers of these stores, so that clients and engines are let in by whichever is active. */
  keys: KeptKeys | undefined;
  /** Paradigms with something in these stores. */
  readonly used: ReadonlySet<string>;
  readonly #store: Store;
  readonly #log: Logger;

  /** Where one controller takes over from another, the keys are kept, too: who can read the stores can then join the cluster. */
  static async open(stores: StoreProvider, log: Logger): Promise<Estate> {
    const store = await stores.open(STORE);
    const used = new Set<string>();
    for await (const [key] of store.entries({ prefix: USED })) used.add(key.slice(USED.length));
    return new Estate(store, log, used, stores.tenure && (await keysIn(store)));
  }

  private constructor(store: Store, log: Logger, used: Set<string>, keys: KeptKeys | undefined) {
    this.#store = store;
    this.#log = log;
    this.used = used;
    this.keys = keys;
  }

  /** Where they are kept, the next controller has them, too, also after they were replaced. */
  keep({ client, observer, join }: KeptKeys): void {
    if (!this.keys || (client === this.keys.client && observer === this.keys.observer && join === this.keys.join))
      return;
    this.keys = { client, observer, join };
    this.#store
      .write([{ key: KEYS, value: Buffer.from(JSON.stringify(this.keys)) }])
      .catch((error) => this.#log.error('The new keys could not be kept for the next controller', { error }));
  }

  /** The paradigm may keep something from now on. */
  use(paradigm: string): void {
    if (this.used.has(paradigm)) return;
    this.#store
      .write([{ key: USED + paradigm, value: new Uint8Array(0) }])
      .catch((error) => this.#log.error(`It could not be noted that '${paradigm}' is in use`, { error }));
  }
}

async function keysIn(store: Store): Promise<KeptKeys> {
  const found = await store.get(KEYS);
  if (found) return JSON.parse(Buffer.from(found).toString());
  const keys = { client: mintKey('c'), observer: mintKey('o'), join: mintKey('j') };
  await store.write([{ key: KEYS, value: Buffer.from(JSON.stringify(keys)), expected: null }]);
  return keys;
}

export interface Waiting {
  readonly log: Logger;
  readonly signal?: AbortSignal | undefined;
  /** Another controller has the stores. Called once. */
  waits(error: StoreLockedError): void;
}

/** Resolves when the stores are ours. Once it has seen that somebody has them, it waits, whatever becomes of NATS meanwhile. */
export async function standBy(stores: StoreProvider, { log, signal, waits }: Waiting): Promise<void> {
  let seen = false;
  for (;;) {
    signal?.throwIfAborted();
    try {
      await stores.open(STORE);
      return;
    } catch (error) {
      const locked = error instanceof StoreLockedError;
      if (locked && !seen) waits(error);
      else if (!seen) throw error;
      else if (!locked) log.warn('The stores cannot be asked for just now', { error });
      seen ||= locked;
    }
    await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN));
  }
}
