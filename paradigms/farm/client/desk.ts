/** One for each client: tasks leave here in batches, and what becomes of them arrives here in batches. */
import {
  type AsyncResult,
  type CallId,
  type ClientHost,
  DependencyError,
  type Parcel,
  Parcel as ParcelOf,
  type PendingResult,
  RemoteError,
  type ResultHooks,
  type Settlement,
} from '../../../core/index.ts';
import { FarmClosedError } from '../errors.ts';
import { type Dependency, Ending, type Fn, type Root, type Settlements, type Spec } from '../messages.ts';
import { PieceReader, Pieces } from '../pieces.ts';

/** A batch leaves at once when it has grown so far. */
const BATCH = { tasks: 8_192, bytes: 1 << 20 };
/** Batches of settlements between two words of ours that we have read them. */
const SEEN = 32;
const STATUS: readonly Settlement['status'][] = ['ok', 'failed', 'kept', 'lost'];

type Stopped = Awaited<ReturnType<ResultHooks['stop']>>;

/** Takes how a task ended. */
export interface Taker {
  settle(settlement: Settlement): void;
  fail(error: Error): void;
}

export interface Order {
  readonly fn: number;
  readonly spec: number;
  readonly args: Parcel;
  readonly dependencies?: readonly Dependency[] | undefined;
  /** Runs that it has had already. */
  readonly runs?: number;
  readonly detached?: boolean;
  /** The task that submits it. */
  readonly parent?: CallId | undefined;
}

interface Entry {
  readonly taker: Taker;
  /** Pending results among its arguments: they must live as long as they may be asked for. */
  readonly holds: unknown;
  readonly detached: boolean;
}

export class Desk {
  readonly results: <T>(options?: { timeout?: number; signal?: AbortSignal }) => PendingResult<T>;
  closed = false;
  #host: ClientHost;
  #entries = new Map<number, Entry>();
  #idle: (() => void)[] = [];
  #calls: number[] = [];
  #fns: number[] = [];
  #specs: number[] = [];
  #args = new Pieces();
  #newFns: Fn[] = [];
  #newSpecs: [number, Spec][] = [];
  #dependencies: [number, readonly Dependency[]][] = [];
  #runs: [number, number][] = [];
  #parents: [number, CallId][] = [];
  #released: number[] = [];
  #collected: number[] = [];
  #due = false;
  #seen = 0;
  #said = 0;
  #watched = new Set<number>();

  constructor(host: ClientHost) {
    this.#host = host;
    this.results = host.results({
      stop: (call, kind, reason) => this.stop(call, kind, reason),
      where: (call) => host.controller.ask('where', call),
      release: (call) => this.#release(call),
      again: async (call) => {
        const place = await host.controller.ask('again', { call });
        return { ...place, status: 'kept' };
      },
    });
    host.handle({
      settled: (settlements: Settlements) => this.#settled(settlements),
    });
  }

  get pending(): number {
    return this.#entries.size;
  }

  define(fn: Fn): void {
    this.#newFns.push(fn);
  }

  specify(id: number, spec: Spec): void {
    this.#newSpecs.push([id, spec]);
  }

  submit(call: number, order: Order, taker: Taker): void {
    if (this.closed) throw new FarmClosedError('The farm was shut down: it takes no tasks any more');
    const { args, dependencies, runs, parent } = order;
    const { detached = false } = order;
    this.#entries.set(call, { taker, holds: args.holds.length ? args : undefined, detached });
    const index = this.#calls.push(call) - 1;
    this.#fns.push(order.fn);
    this.#specs.push(order.spec);
    this.#args.addParcel(args);
    if (dependencies?.length) {
      this.#dependencies.push([index, dependencies]);
      for (const one of dependencies) this.#follow(one);
    }
    if (runs) this.#runs.push([index, runs]);
    if (parent) this.#parents.push([index, parent]);
    if (this.#calls.length >= BATCH.tasks || this.#args.bytes >= BATCH.bytes) this.flush();
    else this.#soon();
  }

  /** No task will name the function any more. */
  forget(fn: number): void {
    this.flush();
    this.#host.controller.tell('forget', [fn]);
  }

  /** A task that somebody submitted, and whose outcome waits on the controller. */
  collect(id: string): AsyncResult<any, any> {
    const pending = this.results<any>();
    const asked = this.#host.controller.ask('collect', id);
    asked.then(
      ({ ending, engine, value, started, ran }) => {
        if (ending === Ending.DEPENDENCY) void this.#dependencyFailed(pending, value);
        else
          pending.settle({
            engine,
            incarnation: 0,
            status: STATUS[ending] ?? 'lost',
            parcel: value,
            started,
            completed: started + ran,
          });
      },
      (error) => pending.fail(error),
    );
    return pending.result;
  }

  /** No task will name those up to this one. */
  forgetSpecs(last: number): void {
    this.flush();
    this.#host.controller.tell('forgetSpecs', last);
  }

  async stop(call: number, kind: 'interrupt' | 'cancel', reason: string): Promise<Stopped> {
    if (kind === 'cancel') {
      this.#entries.delete(call);
      this.#whenIdle();
    }
    this.flush();
    return this.#host.controller.ask('stop', { call, kind, reason });
  }

  prioritize(call: number, priority: number): Promise<boolean> {
    this.flush();
    return this.#host.controller.ask('prioritize', { call, priority });
  }

  /** Resolves when nothing is pending. */
  idle(): Promise<void> {
    if (!this.#entries.size) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  /** Those that are pending. */
  calls(): number[] {
    return [...this.#entries.keys()];
  }

  takerOf(call: number): Taker | undefined {
    return this.#entries.get(call)?.taker;
  }

  isPending(call: number): boolean {
    return this.#entries.has(call);
  }

  readonly flush = (): void => {
    this.#due = false;
    if (this.#calls.length) {
      const submission = {
        calls: Uint32Array.from(this.#calls),
        fns: Uint32Array.from(this.#fns),
        specs: Uint32Array.from(this.#specs),
        args: this.#args.take(),
        newFns: this.#newFns,
        newSpecs: this.#newSpecs,
        dependencies: this.#dependencies,
        runs: this.#runs,
        parents: this.#parents,
        seen: (this.#said = this.#seen),
      };
      this.#calls = [];
      this.#fns = [];
      this.#specs = [];
      this.#newFns = [];
      this.#newSpecs = [];
      this.#dependencies = [];
      this.#runs = [];
      this.#parents = [];
      this.#host.controller.tell('submit', submission);
    }
    if (this.#released.length) this.#host.controller.tell('release', this.#released.splice(0));
  };

  #soon(): void {
    if (this.#due) return;
    this.#due = true;
    soon(this.flush);
  }

  #settled(settlements: Settlements): void {
    const { calls, endings, engines, incarnations, started, ran, sizes, values } = settlements;
    const reader = new PieceReader(values);
    for (let i = 0; i < calls.length; i++) {
      reader.next();
      const call = calls[i]!;
      const entry = this.#entries.get(call);
      const ending = endings[i] as Ending;
      if (!entry) {
        if (ending === Ending.KEPT) this.#release(call);
        continue;
      }
      this.#entries.delete(call);
      if (entry.detached) this.#collected.push(call);
      const { source, from, size, parcel } = reader;
      const value = parcel ?? (size ? ParcelOf.of(source.subarray(from, from + size)) : undefined);
      const engine = engines[i]!;
      if (ending === Ending.DEPENDENCY) void this.#dependencyFailed(entry.taker, value!);
      else {
        entry.taker.settle({
          engine,
          incarnation: incarnations[i]!,
          status: STATUS[ending] ?? 'lost',
          parcel: value,
          started: started[i]!,
          completed: started[i]! + ran[i]!,
          bytes: sizes[i]!,
        });
      }
    }
    this.#whenIdle();
    if (this.#collected.length) this.#host.controller.tell('collected', this.#collected.splice(0));
    if (++this.#seen - this.#said < SEEN) return;
    this.#said = this.#seen;
    this.#host.controller.tell('seen', this.#seen);
  }

  async #dependencyFailed(taker: Taker, parcel: Parcel): Promise<void> {
    const { id, ending, engine, error } = (await this.#host.open(parcel)) as Root;
    const thrown = error && (await this.#host.open(error));
    const cause =
      ending === Ending.FAILED || ending === Ending.FINAL
        ? new RemoteError({ engine, task: id, error: thrown })
        : thrown;
    const why = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
    taker.fail(new DependencyError(`Task ${id}, on which it depends, has failed: ${why}`, { cause }));
  }

  /** Of results that are no tasks of ours the controller hears from us. */
  #follow({ client, call, strict }: Dependency): void {
    if (strict || (client === this.#host.id && this.#entries.has(call)) || this.#watched.has(call)) return;
    this.#watched.add(call);
    const watch = client === this.#host.id ? this.#host.settled(call) : Promise.resolve(undefined);
    void watch.then((error) => {
      this.#watched.delete(call);
      this.flush();
      this.#host.controller.tell('placed', { client, call, ...(error && { failed: this.#host.parcel(error) }) });
    });
  }

  #release(call: number): void {
    this.#released.push(call);
    this.#soon();
  }

  #whenIdle(): void {
    if (!this.#entries.size) for (const resolve of this.#idle.splice(0)) resolve();
  }
}

/** After what runs now and its microtasks: what they submit leaves together. */
const soon: (flush: () => void) => void = globalThis.process?.nextTick ?? queueMicrotask;

/** The task that this code is part of, where this is a client on an engine. Throws what it was told to end with. */
export function taskHere(): CallId | undefined {
  const task = (globalThis as { [TASK]?: { readonly id: string; readonly signal: AbortSignal } })[TASK];
  if (!task) return undefined;
  task.signal.throwIfAborted();
  const [client = 0, call = 0] = task.id.split('.').map(Number);
  return call ? { client, call } : undefined;
}

const TASK = Symbol.for('tutti.task');
