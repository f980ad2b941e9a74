/**
 * The store contract: where the controller's paradigms keep what must outlive it. A cluster has one provider, a paradigm
 * opens a store of its own by name. Every provider passes `storeCompliance` (see `tutti/compliance`).
 *
 * Keys are non-empty, well-formed strings of at most 500 bytes as UTF-8, in the order of these bytes (which is that of
 * code points). The keys and values of one write hold at most 256 MiB together. What breaks these rules rejects with
 * UsageError and has no effect.
 */
import type { Tenure } from '../wire/transport.ts';

export interface Change {
  /** At most once in a write. */
  readonly key: string;
  /** `undefined` removes the entry; one that is not there may be removed. */
  readonly value: Uint8Array | undefined;
  /**
   * What the key must hold for the write to happen: these bytes, or with `null` nothing. The cheapest condition that
   * an embedded store and a remote one (by its revisions) can both keep: hold a token under a key and expect it in each
   * write, and a controller that was replaced cannot write any more. To check a key and leave it as it is, put the
   * bytes that are expected. Bytes that come back after a change count as unchanged, so tokens must not be reused.
   */
  readonly expected?: Uint8Array | null;
}

/** Keys that start with `prefix`, from `from` on, and before `to`; each is optional, and all hold together. */
export interface KeyRange {
  readonly prefix?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** From the highest key down; `from` is the lower end all the same. */
  readonly reverse?: boolean | undefined;
  /** At most so many. */
  readonly limit?: number | undefined;
}

export interface Store {
  /** What writes that have resolved left there; one that is pending may be seen or not. The bytes are the caller's. */
  get(key: string): Promise<Uint8Array | undefined>;
  /**
   * All changes or none, in the order of the calls. Resolves when they are durable, as far as the provider promises; writes
   * that are pending together are made durable together, so a thousand at once cost little more than one. Copies what it
   * needs before it returns: the caller may go on using its arrays. Rejects, with no effect, with StoreConflictError
   * (`expected`), StoreFullError or StoreError; later writes do not depend on it. A write whose process dies before it has
   * resolved happened as a whole or not at all.
   */
  write(changes: readonly Change[]): Promise<void>;
  /**
   * Entries in the order of their keys, as they were at the first step of the iteration: writes that resolved before are
   * in, what is written later is not. A long iteration lets the event loop turn. To be iterated once; the bytes are the caller's. Until it is at its end or left,
   * the store keeps the space of what is replaced or removed meanwhile.
   */
  entries(range?: KeyRange): AsyncIterable<[key: string, value: Uint8Array]>;
  /** Resolves when accepted writes are done. Later calls, and iterations under way, reject with StoreError. A second close is fine. */
  close(): Promise<void>;
}

export interface StoreProvider {
  /**
   * The store of this name, empty if it is new; a name is a non-empty string of at most 200 bytes. Stores do not see each other;
   * one that is opened twice is the same store. What `close` leaves can be opened again.
   */
  open(name: string): Promise<Store>;
  /**
   * Where several controllers can reach the same stores: what makes this one's provider theirs. There from the first `open` on, which rejects
   * with StoreLockedError while another has it; when it is lost, no write happens any more.
   */
  readonly tenure?: Tenure | undefined;
  /** Closes its stores, and frees what it holds. A second close is fine. */
  close(): Promise<void>;
}
