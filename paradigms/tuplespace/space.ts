/** One space: tuples with leases, those who wait for them, reservations, bounds. Single-threaded: each method happens at once. */
import { UsageError } from '../../core/index.ts';
import { assign } from './assignment.ts';
import type { Deadline, Deadlines } from './deadlines.ts';
import { SpaceDestroyedError, SpaceFullError } from './errors.ts';
import type { TupleForm } from './forms.ts';
import type { Entry } from './store/entry.ts';
import type { Matcher } from './store/matcher.ts';
import { type Placed, SeqList } from './store/seq-list.ts';
import type { Order } from './store/shelf.ts';
import { TupleStore } from './store/tuple-store.ts';
import { type Waiter, Waiters } from './store/waiters.ts';
import { Watches } from './watches.ts';

export interface SpaceSettings {
  readonly order: Order;
  readonly durable: boolean;
  /** Tuples that it may hold, those included that are on their way to a taker. */
  readonly bound: number;
}

/** Where a durable space writes down what it holds. */
export interface Journal {
  put(entry: Entry): void;
  /** It has another lease. */
  renew(entry: Entry): void;
  remove(entry: Entry): void;
}

/** Somebody who waits: for tuples, or for room. */
export class Waiting implements Waiter {
  readonly seq: number;
  readonly matchers: readonly Matcher[];
  readonly takes: boolean;
  readonly places: SeqList<Waiter>[] = [];
  alive = false;
  deadline: Deadline | undefined = undefined;
  /** Told once, unless it is cancelled: with one entry for each template. */
  readonly got: (entries: Entry[]) => void;
  readonly failed: (error: Error | 'timeout') => void;

  constructor(
    seq: number,
    matchers: readonly Matcher[],
    takes: boolean,
    got: Waiting['got'],
    failed: Waiting['failed'],
  ) {
    this.seq = seq;
    this.matchers = matchers;
    this.takes = takes;
    this.got = got;
    this.failed = failed;
  }
}

/** An `out` that waits for room. */
interface Blocked extends Placed {
  readonly count: number;
  readonly admit: () => void;
  readonly failed: (error: Error | 'timeout') => void;
  deadline: Deadline | undefined;
}

export class Space {
  readonly name: string;
  readonly settings: SpaceSettings;
  readonly watches = new Watches();
  readonly #store: TupleStore;
  readonly #waiters = new Waiters();
  readonly #blocked = new SeqList<Blocked>();
  readonly #deadlines: Deadlines;
  readonly #journal: Journal | undefined;
  /** Set aside for takers. */
  #held = 0;
  #turn = 0;

  constructor(name: string, settings: SpaceSettings, deadlines: Deadlines, journal?: Journal) {
    this.name = name;
    this.settings = settings;
    this.#deadlines = deadlines;
    this.#journal = journal;
    this.#store = new TupleStore(settings.order);
  }

  get info() {
    const { name, settings } = this;
    const waiting = this.#waiters.size + this.#blocked.size;
    return { name, ...settings, tuples: this.#store.size, taken: this.#held, waiting, watches: this.watches.size };
  }

  /** Now, or when there is room; `undefined`: now. */
  out(
    tuples: readonly TupleForm[],
    {
      lease = Number.POSITIVE_INFINITY,
      timeout = Number.POSITIVE_INFINITY,
      noticed,
    }: { lease?: number | undefined; timeout?: number | undefined; noticed?: Entry['noticed'] },
    done: (entries: Entry[]) => void,
    failed: (error: Error | 'timeout') => void,
  ): Blocked | undefined {
    const { bound } = this.settings;
    const count = tuples.length;
    const admit = (): void => done(tuples.map((tuple) => this.#add(this.#store.entry(tuple), lease, noticed)));
    if (count > bound)
      throw new SpaceFullError(`Space '${this.name}' holds ${bound} tuples at most; ${count} at once never fit`);
    if (bound === Number.POSITIVE_INFINITY || (!this.#blocked.size && this.#has(count))) {
      admit();
      return undefined;
    }
    const blocked: Blocked = { seq: ++this.#turn, alive: true, count, admit, failed, deadline: undefined };
    this.#blocked.push(blocked);
    blocked.deadline = this.#deadlines.after(timeout, () => {
      this.#unblock(blocked);
      failed('timeout');
    });
    return blocked;
  }

  /** One that a former controller has left; nobody is told. */
  recover(seq: number, tuple: TupleForm, lease: number): Entry {
    const entry = this.#store.entry(tuple, seq);
    this.#lease(entry, lease);
    this.#store.put(entry);
    return entry;
  }

  /** Tuples that come have higher numbers. */
  goOnAfter(seq: number): void {
    this.#store.goOnAfter(seq);
  }

  /** At once, if it can be. Takers have to say what becomes of the tuple: `taken` or `giveBack`. */
  find(matcher: Matcher, takes: boolean): Entry | undefined {
    const entry = this.#store.find(matcher);
    if (!entry) return undefined;
    if (takes) this.#hold(entry);
    else this.#notice(entry);
    return entry;
  }

  wait(
    matchers: readonly Matcher[],
    takes: boolean,
    timeout: number | undefined,
    got: Waiting['got'],
    failed: Waiting['failed'],
  ): Waiting {
    const waiting = new Waiting(++this.#turn, matchers, takes, got, failed);
    this.#waiters.add(waiting);
    if (timeout !== undefined) {
      waiting.deadline = this.#deadlines.after(timeout, () => {
        this.#waiters.remove(waiting);
        failed('timeout');
      });
    }
    return waiting;
  }

  /** Whoever waits does not want it any more. False: it has been served. */
  cancel(waiting: Waiting | Blocked): boolean {
    if (!waiting.alive) return false;
    this.#deadlines.cancel(waiting.deadline);
    if (waiting instanceof Waiting) this.#waiters.remove(waiting);
    else this.#unblock(waiting);
    return true;
  }

  /** Without a template, of whatever shape. */
  all(matcher: Matcher | undefined, takes: boolean, limit?: number): Entry[] {
    const entries = this.#store.all(matcher, limit);
    for (const entry of entries) {
      if (takes) this.#hold(entry);
      else this.#notice(entry);
    }
    return entries;
  }

  count(matcher: Matcher | undefined): number {
    return matcher ? this.#store.all(matcher).length : this.#store.size;
  }

  /** One tuple for each template, all or none. */
  findAll(matchers: readonly Matcher[], also?: Entry): Entry[] | undefined {
    const found = this.#assignment(matchers, also);
    if (found) for (const entry of found) this.#hold(entry);
    return found;
  }

  /** Moves or copies all that match; returns how many. */
  collect(matcher: Matcher, to: Space, copies: boolean): number {
    if (to === this) throw new UsageError(`'${this.name}' cannot collect its tuples into itself; name another space`);
    const entries = this.#store.all(matcher);
    if (!to.#has(entries.length))
      throw new SpaceFullError(
        `Space '${to.name}' holds ${to.settings.bound} tuples at most, and has no room for ${entries.length} more`,
      );
    for (const entry of entries) {
      const lease = entry.lease ? entry.lease.due - this.#deadlines.now() : Number.POSITIVE_INFINITY;
      if (!copies) {
        this.#hold(entry);
        this.taken(entry);
      }
      to.#add(to.#store.entry(entry.tuple), lease);
    }
    return entries.length;
  }

  /** A tuple that was set aside has arrived. */
  taken(entry: Entry): void {
    this.#held--;
    this.#over(entry);
    this.#notice(entry);
    this.watches.tell('take', entry);
    this.#admit();
  }

  /** It has not, or is not wanted any more: back to its place, unless somebody waits for it, or its time is over. */
  giveBack(entry: Entry): void {
    this.#held--;
    if (entry.lease?.at === -1) this.#expire(entry);
    else if (!this.#offer(entry)) this.#store.restore(entry);
  }

  /** False: the tuple is not there (any more). */
  renew(seq: number, lease: number): boolean {
    const entry = this.#store.at(seq);
    if (!entry) return false;
    this.#deadlines.cancel(entry.lease);
    this.#lease(entry, lease);
    this.#journal?.renew(entry);
    return true;
  }

  /** Takes a tuple out of the space. False: somebody has taken it. */
  revoke(seq: number): boolean {
    const entry = this.#store.at(seq);
    if (!entry) return false;
    this.#store.remove(entry);
    this.#expire(entry);
    return true;
  }

  destroy(): void {
    const gone = (): SpaceDestroyedError => new SpaceDestroyedError(`Space '${this.name}' was destroyed`);
    for (const entry of this.#store.each()) this.#deadlines.cancel(entry.lease);
    for (const waiting of this.#waiters.all() as Waiting[]) if (this.cancel(waiting)) waiting.failed(gone());
    for (const blocked of [...this.#blocked.each()]) if (this.cancel(blocked)) blocked.failed(gone());
    this.watches.end();
  }

  #add(entry: Entry, lease: number, noticed?: Entry['noticed']): Entry {
    entry.noticed = noticed;
    this.#lease(entry, lease);
    this.#journal?.put(entry);
    if (this.watches.size) this.watches.tell('write', entry);
    if (this.#offer(entry)) return entry;
    if (lease > 0) this.#store.put(entry);
    else this.#expire(entry); // those who waited have seen it, and nobody will
    return entry;
  }

  /** To those who wait: to all readers, and then to the first taker. True: it is set aside for that one. */
  #offer(entry: Entry): boolean {
    if (!this.#waiters.size) return false;
    for (const reader of this.#waiters.readers(entry.tuple) as Waiting[]) {
      this.#deadlines.cancel(reader.deadline);
      this.#notice(entry);
      reader.got([entry]);
    }
    const taker = this.#waiters.taker(
      entry.tuple,
      ({ matchers }) => matchers.length === 1 || this.#assignment(matchers, entry) !== undefined,
    ) as Waiting | undefined;
    if (!taker) return false;
    this.#waiters.remove(taker);
    this.#deadlines.cancel(taker.deadline);
    if (taker.matchers.length > 1) {
      const entries = this.findAll(taker.matchers, entry)!;
      taker.got(entries);
      return entries.includes(entry);
    }
    this.#hold(entry);
    taker.got([entry]);
    return true;
  }

  #assignment(matchers: readonly Matcher[], also?: Entry): Entry[] | undefined {
    return assign(matchers, (matcher, limit) => {
      const entries = this.#store.all(matcher, limit);
      return also && matcher.fits(also.tuple) ? [...entries, also] : entries;
    });
  }

  #hold(entry: Entry): void {
    if (entry.alive) this.#store.remove(entry);
    this.#held++;
  }

  #lease(entry: Entry, ms: number): void {
    if (ms === Number.POSITIVE_INFINITY) {
      entry.lease = undefined;
      return;
    }
    entry.lease = this.#deadlines.after(ms, () => {
      if (!entry.alive) return; // set aside: it is looked at again when it comes back
      this.#store.remove(entry);
      this.#expire(entry);
    });
  }

  #expire(entry: Entry): void {
    this.#over(entry);
    this.#notice(entry, true);
    this.watches.tell('expire', entry);
    this.#admit();
  }

  #over(entry: Entry): void {
    this.#deadlines.cancel(entry.lease);
    this.#journal?.remove(entry);
  }

  #notice(entry: Entry, expired = false): void {
    const { noticed } = entry;
    if (!noticed) return;
    entry.noticed = undefined;
    noticed(expired);
  }

  #has(count: number): boolean {
    return this.#store.size + this.#held + count <= this.settings.bound;
  }

  /** There may be room now. First come, first served: a large one is not overtaken by small ones for ever. */
  #admit(): void {
    while (this.#blocked.size) {
      const next = this.#blocked.first()!;
      if (!this.#has(next.count)) return;
      this.#unblock(next);
      this.#deadlines.cancel(next.deadline);
      next.admit();
    }
  }

  #unblock(blocked: Blocked): void {
    blocked.alive = false;
    this.#blocked.removed();
  }
}
