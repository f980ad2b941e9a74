/** A call for each item of a source: what users hold, and what can be said of it. */
import type { Observable } from 'rxjs';
import { type AsyncResult, type ClientHost, RemoteError, type Settlement, UsageError } from '../../../core/index.ts';
import type { ItemOutcomes } from '../messages.ts';
import { COUNT, checkTaskOptions, type FarmOptions } from '../options.ts';
import { Chunks, LEAST_AHEAD } from './chunks.ts';
import { type Desk, type Taker, taskHere } from './desk.ts';
import { checkHalt, type Halt } from './halt.ts';
import { Mapping } from './mapping.ts';
import type { Registry } from './registry.ts';

export type Source<T> = Iterable<T> | AsyncIterable<T>;

export interface MapOptions {
  /** Values in the order of their items (default), or as they come. */
  ordered?: boolean;
  /** Items that go to an engine together. Default: 'auto', from how long they take. */
  chunk?: number | 'auto';
  /** Items that are taken from the source before their values are: at most so many. Default: as many as keep the engines busy. */
  ahead?: number;
  /** Items under way at a time, on all engines together: at most so many. Default: as many as keep the engines busy. */
  limit?: number;
  /** When to stop early. Default: `map` at once at the first failure, `settle` never. */
  halt?: Halt;
  signal?: AbortSignal;
}

/** How one item ended. */
export type Outcome<R = unknown> = {
  /** Of the item, from 0. */
  readonly index: number;
  readonly engine: number;
  /** ms that it ran; of one in a chunk, its part of the chunk. */
  readonly ms: number;
} & ({ readonly status: 'fulfilled'; readonly value: R } | { readonly status: 'rejected'; readonly reason: Error });

export interface MapProgress {
  /** Items so far: taken from the source, succeeded, failed. */
  readonly taken: number;
  readonly done: number;
  readonly failed: number;
  /** How many there are, once that is known. */
  readonly total: number | undefined;
}

export interface MapResult<R> extends PromiseLike<R[]>, AsyncIterable<R> {
  readonly progress: MapProgress;
  /** At each change, but not more often than ten times a second; at once for late subscribers. */
  readonly progress$: Observable<MapProgress>;
  /** Takes nothing more from the source, and cancels what is under way. */
  cancel(reason?: string): void;
  catch<B = never>(onError?: ((error: any) => B | PromiseLike<B>) | null): Promise<R[] | B>;
  finally(onEnd?: (() => void) | null): Promise<R[]>;
}

export interface MapHome {
  readonly host: ClientHost;
  readonly desk: Desk;
  readonly registry: Registry;
  readonly options: FarmOptions;
}

/** Carries out items, several at a time, and tells of each how it ended. */
export interface Sender<T> {
  /** How many items are to be sent together now. `left`: how many there are, if that is known. */
  size(left: number | undefined): number;
  /** How many times that is taken ahead for each engine. */
  readonly ahead: number;
  send(items: readonly T[], first: number, tell: (outcome: Outcome) => void): void;
  /** Cancels what is under way; nothing is told of it any more. */
  cancel(reason: string): void;
}

const FIRST: Halt = { when: 'now', on: 'fail' };

export function mapOver(
  home: MapHome,
  source: Source<any>,
  fn: (item: any) => unknown,
  options: MapOptions,
): MapResult<any> {
  checkMap('map', source, fn, options);
  return new Mapping(home, source, new Calls(home, fn, options), { halt: FIRST, ...options }, true);
}

export function settleOver(
  home: MapHome,
  source: Source<any>,
  fn: (item: any) => unknown,
  options: MapOptions,
): MapResult<any> {
  checkMap('settle', source, fn, options);
  return new Mapping(home, source, new Calls(home, fn, options), options, false);
}

/** Items that become results of their own. */
export function streamOf(
  home: MapHome,
  source: Source<any>,
  options: MapOptions,
  submit: (item: any) => AsyncResult<any, any>,
): MapResult<any> {
  checkMap('pipeline', source, submit, options);
  return new Mapping(home, source, new Results(submit), { halt: FIRST, ...options }, true);
}

function checkMap(what: string, source: unknown, fn: unknown, options: MapOptions): void {
  const { ordered, chunk, ahead, limit, halt, signal, ...rest } = options;
  checkTaskOptions(what, { ...rest, ordered, chunk, ahead, limit, halt, signal } as FarmOptions, {
    ordered: ['true or false', (value) => typeof value === 'boolean'],
    chunk: ["how many items: 1, 2, …, or 'auto'", (n) => n === 'auto' || (Number.isSafeInteger(n) && n >= 1)],
    ahead: COUNT,
    limit: COUNT,
    halt: ['{ when, on, count? }', (value) => typeof value === 'object' && value !== null],
  });
  if (Object.keys(rest).length)
    throw new UsageError(`${what} has no option '${Object.keys(rest)[0]}' (options of tasks go into with)`);
  if (halt) checkHalt(halt);
  const isSource = typeof source === 'string' || (typeof source === 'object' && source !== null);
  if (!isSource || !(Symbol.iterator in Object(source) || Symbol.asyncIterator in Object(source)))
    throw new UsageError(
      `${what} takes an iterable or an async iterable, and a function; got ${source === null ? 'null' : typeof source}`,
    );
  if (typeof fn !== 'function') throw new UsageError(`${what} takes a function of one item; got ${typeof fn}`);
}

/** Items in chunks, each of which is a task; a chunk of one is an ordinary task. */
class Calls implements Sender<unknown> {
  #home: MapHome;
  #fn: number;
  #single: { id(): number };
  #many: { id(): number };
  #chunks: Chunks;
  #attempts: number;
  #under = new Set<number>();
  #over = false;
  /** What is drawn later is so in nobody's name. */
  #parent = taskHere();

  constructor(home: MapHome, fn: (item: any) => unknown, { chunk = 'auto' }: MapOptions) {
    const { registry, options, host } = home;
    this.#home = home;
    this.#fn = registry.snapshot(fn);
    this.#single = registry.spec(options, { travels: true });
    this.#many = registry.spec(options, { travels: true, items: true, attempts: 1 });
    this.#attempts = options.attempts ?? 1;
    const { timeout, resultLimit, needs, key, hedge, memo, detached } = options;
    // What holds for a task holds for each item.
    const alone =
      timeout !== undefined || resultLimit !== undefined || needs || key !== undefined || hedge || memo || detached;
    this.#chunks = new Chunks(chunk === 'auto' && alone ? 1 : chunk, () => engineCount(host));
  }

  size(left: number | undefined): number {
    return this.#chunks.size(left);
  }

  get ahead(): number {
    return this.#chunks.ahead;
  }

  send(items: readonly unknown[], first: number, tell: (outcome: Outcome) => void): void {
    if (items.length === 1) this.#one(items[0], first, tell);
    else this.#several(items, first, tell);
  }

  cancel(reason: string): void {
    this.#over = true;
    for (const call of this.#under) this.#home.desk.stop(call, 'cancel', reason).catch(() => {});
    this.#under.clear();
  }

  #one(item: unknown, index: number, tell: (outcome: Outcome) => void, runs = 0): void {
    const call = this.#home.host.nextCall();
    const failed = (engine: number, reason: unknown): void =>
      tell({ index, engine, ms: 0, status: 'rejected', reason: asError(reason) });
    this.#submit(call, this.#single.id(), [item], runs, {
      settle: ({ engine, status, started = 0, completed = 0, ...settled }) => {
        const ms = completed - started;
        if (status === 'ok') this.#chunks.ran(1, ms);
        this.#read(settled, (value, error) => {
          if (error) failed(engine, error);
          else if (status === 'ok') tell({ index, engine, ms, status: 'fulfilled', value });
          else failed(engine, status === 'failed' ? this.#remote(engine, call, value) : value);
        });
      },
      fail: (error) => failed(-1, error),
    });
  }

  #several(items: readonly unknown[], first: number, tell: (outcome: Outcome) => void): void {
    const call = this.#home.host.nextCall();
    // What fails as a whole does so for one of its items: each goes by itself then.
    const apart = (): void => {
      for (const [i, item] of items.entries()) this.#one(item, first + i, tell);
    };
    this.#submit(call, this.#many.id(), items, 0, {
      settle: ({ engine, status, started = 0, completed = 0, ...settled }) => {
        if (status !== 'ok') {
          apart();
          return;
        }
        this.#chunks.ran(items.length, completed - started);
        this.#read(settled, (value, error) => {
          if (error) apart();
          else
            this.#spread(
              items,
              first,
              value as ItemOutcomes,
              { engine, call, ms: (completed - started) / items.length },
              tell,
            );
        });
      },
      fail: apart,
    });
  }

  #spread(
    items: readonly unknown[],
    first: number,
    [values, failures]: ItemOutcomes,
    { engine, call, ms }: { engine: number; call: number; ms: number },
    tell: (outcome: Outcome) => void,
  ): void {
    const failed = new Map(failures.map(([i, error, final]) => [i, { error, final }]));
    for (const [i, item] of items.entries()) {
      const index = first + i;
      const failure = failed.get(i);
      if (!failure) tell({ index, engine, ms, status: 'fulfilled', value: values[i] });
      else if (this.#attempts > 1 && !failure.final) this.#one(item, index, tell, 1);
      else tell({ index, engine, ms, status: 'rejected', reason: this.#remote(engine, call, failure.error) });
    }
  }

  #submit(call: number, spec: number, args: readonly unknown[], runs: number, taker: Taker): void {
    if (this.#over) return;
    const over = (): boolean => !this.#under.delete(call) || this.#over;
    try {
      this.#home.desk.submit(
        call,
        { fn: this.#fn, spec, args, runs, parent: this.#parent },
        {
          settle: (settlement) => void (over() || taker.settle(settlement)),
          fail: (error) => void (over() || taker.fail(error)),
        },
      );
      this.#under.add(call);
    } catch (error) {
      queueMicrotask(() => taker.fail(error as Error));
    }
  }

  #read(
    { parcel, value }: Pick<Settlement, 'parcel' | 'value'>,
    then: (value: unknown, error?: unknown) => void,
  ): void {
    try {
      if (parcel) value = this.#home.host.read(parcel);
    } catch (error) {
      then(undefined, error);
      return;
    }
    then(value);
  }

  #remote(engine: number, call: number, error: unknown): RemoteError {
    return new RemoteError({ engine, task: `${this.#home.host.id}.${call}`, error });
  }
}

/** Items that become results: what they are made of sees to all else. */
class Results implements Sender<unknown> {
  readonly ahead = LEAST_AHEAD;
  #submit: (item: unknown) => AsyncResult<any, any>;
  #under = new Set<AsyncResult<any, any>>();

  constructor(submit: (item: unknown) => AsyncResult<any, any>) {
    this.#submit = submit;
  }

  size(): number {
    return 1;
  }

  send([item]: readonly unknown[], index: number, tell: (outcome: Outcome) => void): void {
    const result = this.#submit(item);
    this.#under.add(result);
    const told = (outcome: { value: unknown } | { reason: Error }): void => {
      if (!this.#under.delete(result)) return;
      const about = { index, engine: result.targets[0] ?? -1, ms: result.timing.serial };
      tell(
        'value' in outcome
          ? { ...about, status: 'fulfilled', ...outcome }
          : { ...about, status: 'rejected', ...outcome },
      );
    };
    result.then(
      (value) => told({ value }),
      (reason) => told({ reason }),
    );
  }

  cancel(reason: string): void {
    const under = [...this.#under];
    this.#under.clear();
    for (const result of under) result.cancel(reason).catch(() => {});
  }
}

export function engineCount({ client }: ClientHost): number {
  return Math.max(1, client.engines.filter(({ state }) => state !== 'lost').length);
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
