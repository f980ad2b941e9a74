/** An engine as the scheduler sees it: what it has to do, how much more it can take, and what is on its way to it. */
import type { EngineInfo, Parcel, Party } from '../../../core/index.ts';
import { Numbered } from '../../../core/numbered.ts';
import { type MoreOfOrders, OrdersLetter } from '../letters.ts';
import type { Spec } from '../messages.ts';
import type { FnRecord } from './fns.ts';
import type { Lane } from './lanes.ts';
import type { Task } from './task.ts';

/**
 * ms of work that an engine may have before it, so that it is never idle while messages are under way: at first, and at most where it
 * has been idle all the same, since it is far away, or the processors have too much to do: but then no more than half of its share of
 * what waits, so that who is faster has the rest.
 */
const AHEAD = 10;
const FARTHEST = 1_000;
/** ms between two runs that are not one after the other. */
const GAP = 3;
/** ms of work that are worth a message by themselves. */
const WORTH_A_MESSAGE = 30;
/** How fast that grows, and shrinks where half of it was still to be done when a report came. */
const GROWTH = 2;
const DECAY = 0.998;
/** ms that reports may wait: while little waits for engines, or much. */
const PATIENCE = { little: 4, much: 30 };
/** A task that is longer waits for its engine in the queue, where any engine can take it. ms. */
const LONG = 300;
/** Tasks that one engine has at a time, however short. */
const MOST = 1_024;

let made = 0;

export class Slot {
  readonly id: number;
  /** One engine has many in its life: what it says names the one that it was told by. */
  readonly number = ++made;
  incarnation: number;
  alive = true;
  /** What it has been sent and has not answered yet, by ticket: in that order. */
  readonly out = new Numbered<Task>();
  /** Tasks whose value has stayed there. */
  readonly kept = new Set<Task>();
  /** ms of work in `out`, as expected. */
  load = 0;
  /** ms for which it should have reported and has not: what it runs takes longer than expected, and holds up what it has besides. */
  #late = 0;
  /** ms of work that it may have before it. */
  #ahead = AHEAD;
  /** What it had before it when it was last given something. */
  #given = 0;
  /** ms that its reports may wait. */
  #patience = PATIENCE.much;
  /** Enough of that is done for another message. */
  #hungry = true;
  /** The ticket that was given last when it had nothing, and the one whose run ended last. */
  #first = 0;
  #last = 0;
  /** When that run ended, by its clock, and for how long at most it has had nothing to run since its last report, in ms. */
  #end = 0;
  #gap = 0;
  /** It runs a task that may kill it, and nothing else. */
  alone = false;
  /** That task, once it has said that it begins. */
  begun: Task | undefined;
  /** Tasks that have ended, and whose outcome waits for what they have printed. */
  held = 0;
  /** How many of `out` wait for the cluster, and leave their place to others. */
  aside = 0;
  /** It gets nothing new until one of this lane has come, which must be alone. */
  #reserved: Lane | undefined;
  /** It has been asked to give tasks back. */
  recalling = false;
  /** It had none to give, and has got none since. */
  allBegun = false;
  /** performance.now() of its last report, or of the first order since it had none. */
  #heard = 0;
  /** It is to go, and gets nothing but what can run nowhere else. */
  draining = false;
  /** Called when nothing is left on it, while it drains. */
  drained: (() => void) | undefined;
  /** Undefined until it has said what it has. */
  resources: Record<string, number> | undefined;
  readonly used: Record<string, number> = {};
  done = 0;
  /** Keys that are tied to it. */
  keyed = 0;
  /** ms that it was running tasks. */
  busy = 0;
  readonly since = performance.now();
  #party: Party;
  #fns = new Set<number>();
  #specs = new Map<Spec, number>();
  #parcel: (value: unknown) => Parcel;
  #letter = new OrdersLetter();
  #nextTicket = 1;
  #newFns: [number, Parcel, string][] = [];
  #newSpecs: [number, Spec][] = [];

  constructor(engine: EngineInfo, party: Party, parcel: (value: unknown) => Parcel) {
    this.#parcel = parcel;
    this.id = engine.id;
    this.incarnation = engine.incarnation;
    this.#party = party;
  }

  get empty(): boolean {
    return !this.out.size && !this.held;
  }

  /** `waiting`: how many more tasks wait for each engine. */
  hasRoom(expected: number | undefined, concurrency: number, waiting: number): boolean {
    const size = this.out.size - this.aside;
    if (this.alone) return false;
    if (size < concurrency) return true;
    if (expected === undefined || size >= MOST) return false;
    if (size < 2 * concurrency && expected <= LONG) return true;
    const ahead = Math.min(this.#ahead, Math.max(AHEAD, (expected * waiting) / 2));
    return this.#hungry && this.burden + expected <= ahead * concurrency;
  }

  /** ms until it is done, as far as is known. */
  get burden(): number {
    return this.load + this.#late;
  }

  /** It has reported. */
  heard(): void {
    this.#heard = performance.now();
    this.#late = 0;
  }

  /** Takes note of how long nothing has been heard from it. */
  listen(now: number): void {
    this.#late = Math.max(0, now - this.#heard - 2 * this.#patience - this.load);
  }

  /** It has reported nothing for longer than what it has should take. */
  get silent(): boolean {
    return this.#late > 0;
  }

  /** One of the runs that it reports; `started` by its clock. */
  ended(ticket: number, started: number, ran: number): void {
    if (ticket !== this.#first) this.#gap = Math.max(this.#gap, started - this.#end);
    this.#end = Math.max(this.#end, started + ran);
    this.#last = ticket;
  }

  /** That was its report, and others could have come: was there enough before it? */
  reported(): void {
    // One that is given singly waits for the next in any case.
    const dry = this.out.size === this.aside ? this.#last !== this.#first : this.#gap > GAP;
    if (dry) this.#ahead = Math.min(FARTHEST, Math.max(this.#ahead, this.#given) * GROWTH);
    else if (this.load > this.#ahead / 2) this.#ahead = Math.max(AHEAD, this.#ahead * DECAY);
    this.#gap = 0;
    this.#hunger();
  }

  #hunger(): void {
    this.#hungry = this.burden <= Math.max(WORTH_A_MESSAGE, this.#ahead / 2);
  }

  /** Of no use any more when nothing waits in the lane: it was cancelled, or has gone elsewhere. */
  get reserved(): boolean {
    if (this.#reserved && !this.#reserved.head()) this.#reserved = undefined;
    return this.#reserved !== undefined;
  }
  reserve(lane: Lane | undefined): void {
    this.#reserved = lane;
  }

  /** Has it enough of what such a task takes, in all? */
  couldHave(needs: Readonly<Record<string, number>>): boolean {
    return Object.entries(needs).every(([name, amount]) => (this.resources?.[name] ?? 0) >= amount);
  }

  hasFree(needs: Readonly<Record<string, number>>): boolean {
    return Object.entries(needs).every(
      ([name, amount]) => (this.resources?.[name] ?? 0) - (this.used[name] ?? 0) >= amount,
    );
  }

  takes(needs: Readonly<Record<string, number>> | undefined, sign: 1 | -1): void {
    for (const [name, amount] of Object.entries(needs ?? {})) this.used[name] = (this.used[name] ?? 0) + sign * amount;
  }

  /** `args` in place of the task's own: with the places of what it needs. */
  send(task: Task, attempt: number, args?: Parcel): void {
    const { clients, calls, fns, specs, attempts, announced, args: pieces } = this.#letter;
    if (task.more?.alone) announced.push(calls.length);
    clients.push(task.owner.id);
    calls.push(task.call);
    fns.push(this.#fn(task.fn));
    specs.push(this.#spec(task.spec));
    attempts.push(attempt);
    if (args) pieces.addParcel(args);
    else if (task.source instanceof Uint8Array) pieces.add(task.source, task.from, task.size);
    else pieces.addParcel(task.source);
    if (!this.out.size) {
      this.#heard = performance.now();
      this.#first = this.#nextTicket;
    }
    this.allBegun = false;
    this.out.set(this.#nextTicket++, task);
  }

  /** `waiting`: how many more tasks wait for engines. */
  flush(waiting: number): void {
    this.#hunger();
    if (!this.#letter.calls.length) return;
    this.#given = this.load;
    const first = this.#nextTicket - this.#letter.calls.length;
    // While much waits, and there is enough before it.
    this.#patience = Math.max(PATIENCE.much, Math.min(this.#ahead, this.load) / 4);
    const patience = waiting > this.out.size ? this.#patience : PATIENCE.little;
    const message = this.#letter.parts(this.number, first, patience, this.#takeMore());
    if (this.alive) this.#party.tellBytes('run', ...message);
  }

  #takeMore(): Parcel | undefined {
    const parcels = this.#letter.args.takeParcels();
    if (!parcels.length && !this.#newFns.length && !this.#newSpecs.length) return undefined;
    const more: MoreOfOrders = { newFns: this.#newFns, newSpecs: this.#newSpecs, parcels };
    this.#newFns = [];
    this.#newSpecs = [];
    return this.#parcel(more);
  }

  tell(op: string, value: unknown): void {
    if (this.alive) this.#party.tell(op, value);
  }

  /** Its client will not name it any more, and no task runs it. */
  forget(fn: FnRecord): void {
    if (this.#fns.delete(fn.number)) this.tell('forget', fn.number);
  }

  #fn(fn: FnRecord): number {
    if (!this.#fns.has(fn.number)) {
      this.#fns.add(fn.number);
      this.#newFns.push([fn.number, fn.parcel, fn.name]);
    }
    return fn.number;
  }

  #spec(spec: Spec): number {
    let number = this.#specs.get(spec);
    if (number === undefined) {
      number = this.#specs.size;
      if (number > SPECS) {
        this.#specs.clear();
        number = 0;
      }
      this.#specs.set(spec, number);
      this.#newSpecs.push([number, spec]);
    }
    return number;
  }
}

/** Specs that an engine knows at a time; then they get new numbers. */
const SPECS = 10_000;
