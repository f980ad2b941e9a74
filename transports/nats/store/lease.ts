/**
 * Which controller is the active one, as an entry of a bucket that it changes several times a second. Each change names the revision that it follows, so of
 * several that try exactly one succeeds. Nobody's clock is compared with another's: who waits sees that an entry has not changed for as long as
 * a lease lasts by its own clock; who holds it stops before that, counted from when it asked.
 */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KV, KvEntry } from '@nats-io/kv';
import { StoreLockedError } from '../../../core/errors.ts';
import type { Tenure } from '../../../core/wire/transport.ts';

/** ms without a change after which who waits may take it. */
const LASTS = 3_000;
/** ms after the last renewal that its holder counts on it. */
const HELD = 2_500;
const RENEWED = 500;
const POLL = 100;
const KEY = 'controller';

interface Holder {
  readonly term: number;
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  readonly released?: boolean;
}

export class Lease implements Tenure {
  readonly term: number;
  readonly lost: Promise<Error>;
  readonly #kv: KV;
  readonly #me: Holder;
  #revision: number;
  #until: number;
  #lose!: (error: Error) => void;
  #over = false;
  #timer: NodeJS.Timeout | undefined;

  /**
   * Rejects with StoreLockedError as soon as it sees that another controller renews it.
   * @param before is called when it seems to be free; who has it in the end knows that it was nobody else's since.
   */
  static async take(kv: KV, name: string, before: () => Promise<void>): Promise<Lease> {
    const entry = await lapsed(kv, name);
    await before();
    const term = entry ? holderIn(entry).term + 1 : 1;
    const me: Holder = { term, id: randomUUID(), host: hostname(), pid: process.pid };
    const asked = performance.now();
    const text = JSON.stringify(me);
    try {
      const revision = await (entry ? kv.update(KEY, text, entry.revision) : kv.create(KEY, text));
      return new Lease(kv, me, revision, asked);
    } catch (error) {
      const now = await kv.get(KEY);
      if (!now || now.revision === entry?.revision) throw error;
      throw locked(name, now);
    }
  }

  private constructor(kv: KV, me: Holder, revision: number, asked: number) {
    this.#kv = kv;
    this.#me = me;
    this.term = me.term;
    this.#revision = revision;
    this.#until = asked + HELD;
    this.lost = new Promise((resolve) => {
      this.#lose = resolve;
    });
    this.#renewSoon();
  }

  valid(): boolean {
    return !this.#over && performance.now() < this.#until;
  }

  /** It is gone, whatever it was noticed by. */
  lose(error: Error): void {
    this.#end();
    this.#lose(error);
  }

  /** The next one need not wait. */
  async release(): Promise<void> {
    this.#end();
    // A renewal may be under way, or it may be another's by now: the entry tells what is current.
    const entry = await this.#kv.get(KEY);
    if (!entry || holderIn(entry).id !== this.#me.id) return;
    await this.#kv.update(KEY, JSON.stringify({ ...this.#me, released: true }), entry.revision);
  }

  #end(): void {
    this.#over = true;
    clearTimeout(this.#timer);
  }

  #renewSoon(): void {
    this.#timer = setTimeout(() => void this.#renew(), RENEWED).unref();
  }

  async #renew(): Promise<void> {
    const asked = performance.now();
    try {
      this.#revision = await this.#kv.update(KEY, JSON.stringify(this.#me), this.#revision);
      this.#until = asked + HELD;
    } catch {
      await this.#lookAfterIt(asked);
    }
    if (!this.#over) this.#renewSoon();
  }

  /** A renewal failed, or its answer did: who has it? While NATS is away nobody can take it, and it may be renewed after all. */
  async #lookAfterIt(asked: number): Promise<void> {
    const entry = await this.#kv.get(KEY).catch(() => undefined);
    if (!entry || this.#over) return;
    const holder = holderIn(entry);
    if (holder.id === this.#me.id) {
      // If it was our own that went through, it did so after we asked.
      if (entry.revision !== this.#revision) this.#until = asked + HELD;
      this.#revision = entry.revision;
    } else this.lose(new Error(`another controller has taken over: pid ${holder.pid} on ${holder.host}`));
  }
}

/** The entry, if there is one, once nobody can count on it any more. */
async function lapsed(kv: KV, name: string): Promise<KvEntry | undefined> {
  const first = (await kv.get(KEY)) ?? undefined;
  if (!first || holderIn(first).released) return first;
  for (const until = performance.now() + LASTS; performance.now() < until; ) {
    await sleep(POLL);
    const next = await kv.get(KEY);
    if (next && next.revision !== first.revision) {
      if (holderIn(next).released) return next;
      throw locked(name, next);
    }
  }
  return first;
}

function holderIn(entry: KvEntry): Holder {
  return entry.json<Holder>();
}

function locked(name: string, entry: KvEntry): StoreLockedError {
  const { host, pid } = holderIn(entry);
  return new StoreLockedError(
    `The stores of '${name}' on NATS belong to the controller on ${host}, pid ${pid}; to wait for its end, start with --standby`,
    pid,
  );
}
