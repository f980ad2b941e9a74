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
import { Numbered } from '../../../core/numbered.ts';
import { FarmClosedError } from '../errors.ts';
import { SettlementsLetter, SubmissionLetter } from '../letters.ts';
import { type Dependency, Ending, type Fn, type Root, type Settlements, type Spec } from '../messages.ts';
import { PieceReader } from '../pieces.ts';

/** A batch leaves at once when it has grown so far. */
const BATCH = { tasks: 8_192, bytes: 1 << 20 };
/** Batches of settlements between two words of ours that we have read them. */
const SEEN = 32;
/** Values below this are read when they come. Bytes. */
const SMALL = 4_096;
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
  readonly args: readonly unknown[];
  /** Beside the pending results among its arguments. */
  readonly dependencies?: readonly Dependency[] | undefined;
  /** Runs that it has had already. */
  readonly runs?: number;
  readonly detached?: boolean | undefined;
  /** The task that submits it. */
  readonly parent?: CallId | undefined;
}

export class Desk {
  readonly results: <T>(options?: { timeout?: number; signal?: AbortSignal }) => PendingResult<T>;
  closed = false;
  #refusal: Error | undefined;
  #host: ClientHost;
  /** Those that are pending. */
  #takers = new Numbered<Taker>();
  /** Pending results among their arguments: they must live as long as they may be asked for. */
  #holds = new Map<number, unknown>();
  #detached = new Set<number>();
  #idle: (() => void)[] = [];
  #letter = new SubmissionLetter();
  /** What few batches have. */
  #more: ReturnType<typeof nothing> | undefined;
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
    host.onRefused((error) => this.#refuse(error));
    host.handle({
      settled: (parts: readonly Uint8Array[]) => this.#settled(SettlementsLetter.read(parts, this.#rest)),
    });
  }

  get pending(): number {
    return this.#takers.size;
  }

  define(fn: Fn): void {
    (this.#more ??= nothing()).newFns.push(fn);
  }

  specify(id: number, spec: Spec): void {
    (this.#more ??= nothing()).newSpecs.push([id, spec]);
  }

  /** Throws CannotTravelError. */
  submit(call: number, { fn, spec, args, dependencies, runs, detached, parent }: Order, taker: Taker): void {
    if (this.closed) throw new FarmClosedError('The farm was shut down: it takes no tasks any more');
    if (this.#refusal) throw this.#refusal;
    const waitsFor = this.#pack(call, args, dependencies);
    this.#takers.set(call, taker);
    if (detached) this.#detached.add(call);
    const { calls, fns, specs, args: pieces } = this.#letter;
    const index = calls.length;
    calls.push(call);
    fns.push(fn);
    specs.push(spec);
    if (waitsFor?.length) {
      for (const one of waitsFor) {
        this.#letter.depends(one);
        this.#follow(one);
      }
    }
    if (runs) (this.#more ??= nothing()).runs.push([index, runs]);
    if (parent) this.#letter.isPartOf(parent);
    if (calls.length >= BATCH.tasks || pieces.byteLength >= BATCH.bytes) this.flush();
    else this.#soon();
  }

  /** Adds its arguments; what it depends on is among them, perhaps, and beside them. */
  #pack(call: number, args: Order['args'], dependencies: Order['dependencies']): Order['dependencies'] {
    if (this.#host.pack(args, this.#letter.args.take)) return dependencies;
    const parcel = this.#host.parcel(args);
    const among = parcel.waitsFor.map((one): Dependency => ({ client: one.client, call: one.call, as: 'value' }));
    this.#letter.args.addParcel(parcel);
    if (parcel.holds.length) this.#holds.set(call, parcel);
    return dependencies ? [...among, ...dependencies] : among;
  }

  /** No task will name the function any more. */
  forget(fn: number): void {
    this.flush();
    if (!this.#refusal) this.#host.controller.tell('forget', [fn]);
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
    if (!this.#refusal) this.#host.controller.tell('forgetSpecs', last);
  }

  async stop(call: number, kind: 'interrupt' | 'cancel', reason: string): Promise<Stopped> {
    if (kind === 'cancel') {
      this.#drop(call);
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
    if (!this.#takers.size) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  /** Those that are pending. */
  calls(): number[] {
    return [...this.#takers.keys()];
  }

  takerOf(call: number): Taker | undefined {
    return this.#takers.get(call);
  }

  isPending(call: number): boolean {
    return this.#takers.has(call);
  }

  /** The controller has no farm, or another one: nobody will answer. */
  #refuse(error: Error): void {
    this.#refusal = error;
    const takers = [...this.#takers.values()];
    this.#takers.clear();
    this.#holds.clear();
    for (const taker of takers) taker.fail(error);
    this.#whenIdle();
  }

  readonly flush = (): void => {
    this.#due = false;
    if (this.#refusal) return;
    const letter = this.#letter;
    if (letter.calls.length) {
      this.#said = this.#seen;
      this.#host.controller.tellBytes('submit', ...letter.parts(this.#seen, this.#takeMore()));
    }
    if (this.#released.length) this.#host.controller.tell('release', this.#released.splice(0));
  };

  #takeMore(): Parcel | undefined {
    const parcels = this.#letter.args.takeParcels();
    const more = this.#more;
    if (!more && !parcels.length) return undefined;
    this.#more = undefined;
    return this.#host.parcel({ ...more, parcels });
  }

  readonly #rest = <T>(parts: readonly Uint8Array[]): T =>
    this.#host.read(new ParcelOf({ codec: 'msgpack', parts: [...parts] })) as T;

  #soon(): void {
    if (this.#due) return;
    this.#due = true;
    soon(this.flush);
  }

  #settled(settlements: Settlements): void {
    const { calls, endings, engines, incarnations, started, ran, sizes, values } = settlements;
    const reader = new PieceReader(values, ParcelOf);
    for (let i = 0; i < calls.length; i++) {
      reader.next();
      const call = calls[i]!;
      const taker = this.#takers.get(call);
      const ending = endings[i] as Ending;
      if (!taker) {
        if (ending === Ending.KEPT) this.#release(call);
        continue;
      }
      if (this.#detached.has(call)) this.#collected.push(call);
      this.#drop(call);
      if (ending === Ending.DEPENDENCY) {
        void this.#dependencyFailed(taker, parcelOf(reader)!);
        continue;
      }
      const { source, from, size } = reader;
      const small = ending === Ending.OK && size > 0 && size < SMALL;
      const read = small ? this.#read(source, from, size) : undefined;
      taker.settle({
        engine: engines[i]!,
        incarnation: incarnations[i]!,
        status: STATUS[ending] ?? 'lost',
        parcel: read ? undefined : parcelOf(reader),
        value: read?.value,
        started: started[i]!,
        completed: started[i]! + ran[i]!,
        bytes: sizes[i]!,
      });
    }
    this.#whenIdle();
    if (this.#collected.length) this.#host.controller.tell('collected', this.#collected.splice(0));
    if (++this.#seen - this.#said < SEEN) return;
    this.#said = this.#seen;
    this.#host.controller.tell('seen', this.#seen);
  }

  /** At once, so that a result does not keep all that came with it. Undefined: its bytes make no sense, which its reader is told. */
  #read(source: Uint8Array, from: number, size: number): { value: unknown } | undefined {
    try {
      return { value: this.#host.readWithin(source, from, size) };
    } catch {
      return undefined;
    }
  }

  #drop(call: number): void {
    this.#takers.delete(call);
    if (this.#holds.size) this.#holds.delete(call);
    if (this.#detached.size) this.#detached.delete(call);
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
    if (strict || (client === this.#host.id && this.#takers.has(call)) || this.#watched.has(call)) return;
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
    if (!this.#takers.size) for (const resolve of this.#idle.splice(0)) resolve();
  }
}

function nothing() {
  return {
    newFns: [] as Fn[],
    newSpecs: [] as [number, Spec][],
    runs: [] as [number, number][],
  };
}

/** Undefined where there is nothing. */
function parcelOf({ parcel, source, from, size }: PieceReader): Parcel | undefined {
  return parcel ?? (size ? ParcelOf.of(source.subarray(from, from + size)) : undefined);
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
