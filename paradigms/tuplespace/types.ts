/** What programs see of a space. */
import type { Observable } from 'rxjs';
import type { Field } from './fields.ts';
import type { Live } from './live.ts';
import type { EventKind } from './protocol.ts';

export type AnyTuple = readonly unknown[] | { readonly [key: string]: any };

type IsAny<T> = 0 extends 1 & T ? true : false;

/** For each field a value, or what is said of it; of a record, as many keys as are wanted. */
export type Template<T> =
  IsAny<T> extends true
    ? readonly unknown[] | { readonly [key: string]: unknown }
    : T extends readonly unknown[]
      ? { readonly [K in keyof T]: T[K] | FieldFor<T[K]> }
      : { readonly [K in keyof T]?: T[K] | FieldFor<T[K]> };

/** Of a field that may match a value of type V at all. */
type FieldFor<V> = Field<V> | Field<Wide<V>> | (V extends object ? Field<object> : never);
type Wide<V> = V extends string
  ? string
  : V extends number
    ? number
    : V extends boolean
      ? boolean
      : V extends bigint
        ? bigint
        : V;

/** The tuples of T that a template can match, as narrow as it says. */
export type Matching<T, P> =
  IsAny<T> extends true ? any : T extends unknown ? (P extends Template<T> ? Narrowed<T, P> : never) : never;

type Narrowed<T, P> = {
  -readonly [K in keyof T]: K extends keyof P ? Narrower<T[K], P[K] extends Field<infer M> ? M : P[K]> : T[K];
};
type Narrower<V, M> = IsAny<M> extends true ? V : [Extract<V, M>] extends [never] ? V : Extract<V, M>;

export interface MatchOptions {
  /** A record matches only if it has no other keys than the template. */
  exact?: boolean;
}
export interface WaitOptions extends MatchOptions {
  /** In ms; TimeoutError when it is over. Default: for ever. */
  timeout?: number;
  /** Rejects with its reason, AbortError by default. What was taken by then goes back. */
  signal?: AbortSignal;
}
export interface LeaseOptions {
  /** How long it stays, in ms. 0: those who wait see it, and nobody else. Default: for ever. */
  lease?: number;
}
export interface OutOptions extends LeaseOptions {
  /** Resolves when somebody has read or taken it. */
  ack?: boolean;
  /** How long to wait for room, or with `ack` for the reader. Default: for ever. */
  timeout?: number;
  signal?: AbortSignal;
}
export interface AllOptions extends MatchOptions {
  /** At most so many, from the oldest. */
  limit?: number;
}
export interface ConsumeOptions extends MatchOptions {
  /** Tuples that this loop, or several over the same iterable, may hold at a time. Default 1. */
  concurrency?: number;
  /** The loop ends when none has come for so many ms. Default: never. */
  idle?: number;
  signal?: AbortSignal;
}
export interface WatchOptions extends MatchOptions, LeaseOptions {
  kinds?: readonly EventKind[];
}

/** A tuple that was put out. */
export interface Entry {
  /** Counts up in its space. */
  readonly id: number;
  /** It stays so many ms from now. False: it is not there any more. */
  renew(lease: number): Promise<boolean>;
  /** Takes it out again. False: somebody has taken it. */
  cancel(): Promise<boolean>;
}

/** A tuple that is set aside. It comes back when its time is over, or whoever holds it is gone. */
export interface Reservation<T> extends AsyncDisposable {
  readonly value: T;
  /** It is gone for good. Rejects with LeaseExpiredError when it is too late. */
  complete(): Promise<void>;
  /** It comes back to its place. */
  release(): Promise<void>;
}

export interface SpaceEvent<T> {
  readonly kind: EventKind;
  readonly tuple: T;
  /** Counts the events of this watch. */
  readonly seq: number;
  /** Events just before this one that are missing: this watcher was too slow. */
  readonly missed: number;
}

export interface SpaceInfo {
  readonly name: string;
  readonly order: 'fifo' | 'lifo' | 'random';
  readonly durable: boolean;
  readonly bound: number;
  readonly tuples: number;
  /** On their way to a taker, or reserved. */
  readonly taken: number;
  readonly waiting: number;
  readonly watches: number;
}

export interface TupleSpace<T = any> {
  readonly name: string;
  /** Puts a copy of the tuple into the space; resolves when it is there, and, if the space is durable, on disk. */
  out(tuple: T, options?: OutOptions): Promise<Entry>;
  /**
   * A live tuple: its functions are computed by the task farm, and it is there when all of them are. A field that fails holds its
   * error. Only in clients; what is under way when the client leaves is given up.
   */
  eval(tuple: Live<T>, options?: OutOptions): Promise<Entry>;
  /** All at once, or none. */
  outMany(tuples: Iterable<T>, options?: Omit<OutOptions, 'ack'>): Promise<Entry[]>;
  /** Waits for a tuple that matches, and takes it out; nobody else gets it. */
  take<const P extends Template<T>>(template: P, options?: WaitOptions): Promise<Matching<T, P>>;
  /** Waits for a tuple that matches, and leaves it there. */
  read<const P extends Template<T>>(template: P, options?: WaitOptions): Promise<Matching<T, P>>;
  /** `undefined` if none is there. */
  tryTake<const P extends Template<T>>(template: P, options?: MatchOptions): Promise<Matching<T, P> | undefined>;
  tryRead<const P extends Template<T>>(template: P, options?: MatchOptions): Promise<Matching<T, P> | undefined>;
  /** All that match at one moment (or all that there are), from the oldest. */
  takeAll<const P extends Template<T>>(template?: P, options?: AllOptions): Promise<Matching<T, P>[]>;
  readAll<const P extends Template<T>>(template?: P, options?: AllOptions): Promise<Matching<T, P>[]>;
  count<const P extends Template<T>>(template?: P, options?: MatchOptions): Promise<number>;
  /** Moves all that match into another space of this cluster; resolves with their number. */
  collect<const P extends Template<T>>(template: P, to: TupleSpace<any>, options?: MatchOptions): Promise<number>;
  copyCollect<const P extends Template<T>>(template: P, to: TupleSpace<any>, options?: MatchOptions): Promise<number>;
  /** Waits until there is a tuple for each template, takes them all and puts the others out, in one step. */
  exchange<const P extends readonly Template<T>[]>(
    takes: P,
    outs: readonly T[],
    options?: WaitOptions & LeaseOptions,
  ): Promise<{ -readonly [K in keyof P]: Matching<T, P[K]> }>;
  /** A tuple that comes back unless it is completed within `ms` (default: as long as its holder lives). */
  reserve<const P extends Template<T>>(
    template: P,
    ms?: number,
    options?: WaitOptions,
  ): Promise<Reservation<Matching<T, P>>>;
  /**
   * Takes tuples one after the other. A tuple is gone when the loop's body has ended, in whatever way; if its process
   * dies in the body, it comes back.
   */
  consume<const P extends Template<T>>(template: P, options?: ConsumeOptions): AsyncIterable<Matching<T, P>>;
  /** What happens from now on to tuples that match; completes when the space is destroyed, or the client's session ends. */
  watch<const P extends Template<T>>(template?: P, options?: WatchOptions): Observable<SpaceEvent<Matching<T, P>>>;
  info(): Promise<SpaceInfo>;
  /** All spaces of the cluster. */
  list(): Promise<SpaceInfo[]>;
  /** The space and its tuples are gone; whoever waits is told. */
  destroy(): Promise<void>;
}
