/**
 * What the halves say to each other. Tasks go in batches, in columns: a task is one index into each of them. Nobody between the
 * client and the engine reads arguments and results. How batches travel is in letters.ts.
 */
import type { CallId, Parcel } from '../../core/index.ts';
import type { Packed } from './pieces.ts';

/** How tasks are to be handled: sent once, and named by its number from then on. */
export interface Spec {
  readonly attempts: number;
  /** ms before the second run, the factor from one to the next, and the most. */
  readonly backoff?: readonly [first: number, factor: number, most: number];
  /** ms of running time. */
  readonly timeout?: number;
  /** ms from submission on, in all. */
  readonly deadline?: number;
  /** Bytes that a result may take. */
  readonly resultLimit?: number;
  readonly priority: number;
  readonly needs?: Readonly<Record<string, number>>;
  readonly targets?: readonly number[];
  readonly key?: string;
  /** Tasks that an engine has under way at a time, while each of them waits for something. Default: 1. */
  readonly concurrency?: number;
  readonly policy?: string;
  readonly memo?: boolean;
  readonly hedge?: boolean;
  readonly detached?: boolean;
  readonly label?: string;
  /** A function of the error and the number of runs so far, for engines. */
  readonly retryIf?: Parcel;
  /** The arguments are a list of items, each for a call of its own; the value says of each how it ended. */
  readonly items?: boolean;
  /** A large value does not stay on its engine. */
  readonly travels?: boolean;
}

/** A function, sent once and named by its number from then on. */
export interface Fn {
  readonly id: number;
  readonly name: string;
  readonly parcel: Parcel;
}

/** What a task waits for. value: it is among its arguments. place: it runs where that ran. */
export interface Dependency {
  readonly client: number;
  readonly call: number;
  readonly as: 'value' | 'after' | 'place';
  /** It is named by its id: there must be such a task. */
  readonly strict?: boolean;
}

/** client -> controller, `submit`. */
export interface Submission {
  readonly calls: Uint32Array;
  readonly fns: Uint32Array;
  readonly specs: Uint32Array;
  readonly args: Packed;
  readonly newFns: readonly Fn[];
  readonly newSpecs: readonly (readonly [id: number, spec: Spec])[];
  /** By index. */
  readonly dependencies: ReadonlyMap<number, readonly Dependency[]>;
  /** Runs that they have had already, by index: items that failed in a chunk. */
  readonly runs: readonly (readonly [index: number, runs: number])[];
  /** The tasks that have submitted them, by index. */
  readonly parents: ReadonlyMap<number, CallId>;
  /** How many batches of settlements the client has read. */
  readonly seen: number;
}

/** controller -> engine, `run`. Functions and specs have numbers of the controller's here. */
export interface Orders {
  /** Of the engine as the controller knows it now; it comes back with all that is said of these tasks. */
  readonly slot: number;
  /** Ticket of the first one; the others' follow. */
  readonly first: number;
  /** ms that the end of a run may wait to be reported while there are more to begin. */
  readonly patience: number;
  readonly clients: Uint32Array;
  readonly calls: Uint32Array;
  readonly fns: Uint32Array;
  readonly specs: Uint32Array;
  readonly attempts: Uint32Array;
  /** Those, by index, of which is to be told that they begin. */
  readonly announced: Uint32Array;
  readonly args: Packed;
  readonly newFns: readonly (readonly [number: number, parcel: Parcel, name: string])[];
  readonly newSpecs: readonly (readonly [number: number, spec: Spec])[];
}

/**
 * How a run ended. FAILED: its function threw; FINAL: so, and it is not to run again. LOST: tutti could not carry it out. TIMEOUT: it
 * ran too long. STARVED: a value among its arguments had gone. STOPPED: it was told to, and did. DEPENDENCY: what it waited for failed.
 */
export const Ending = {
  OK: 0,
  FAILED: 1,
  KEPT: 2,
  LOST: 3,
  FINAL: 4,
  TIMEOUT: 5,
  STARVED: 6,
  STOPPED: 7,
  DEPENDENCY: 8,
} as const;
export type Ending = (typeof Ending)[keyof typeof Ending];

/** engine -> controller, `done`. */
export interface Report {
  readonly slot: number;
  readonly tickets: Uint32Array;
  readonly endings: Uint8Array;
  /** ms since the epoch. */
  readonly started: Float64Array;
  /** ms of running. */
  readonly ran: Float64Array;
  readonly sizes: Float64Array;
  readonly values: Packed;
  /** Tickets of tasks that were given back, unstarted. */
  readonly returned: Uint32Array;
  /** By index, of those that have printed or sent something: where that ends. */
  readonly told: ReadonlyMap<number, number>;
}

/** engine -> controller, `begun` and `yields`. */
export interface Ticket {
  readonly slot: number;
  readonly ticket: number;
}

/** controller -> client, `settled`. */
export interface Settlements {
  readonly calls: Uint32Array;
  readonly endings: Uint8Array;
  readonly engines: Int32Array;
  readonly incarnations: Uint32Array;
  readonly started: Float64Array;
  readonly ran: Float64Array;
  readonly sizes: Float64Array;
  readonly values: Packed;
}

/** The value of a settlement with DEPENDENCY: what failed at the root of it, and how. */
export interface Root {
  readonly id: string;
  readonly ending: Ending;
  readonly engine: number;
  readonly error: Parcel | undefined;
}

/** How one item of a chunk ended, if it failed: its index, what it threw, and whether it may run again. */
export type ItemFailure = readonly [index: number, error: unknown, final: boolean];
/** The value of a task with `items`. */
export type ItemOutcomes = readonly [values: readonly unknown[], failures: readonly ItemFailure[]];

/** Why a task has not begun. */
export interface Explanation {
  readonly id: string;
  readonly label?: string;
  readonly state: TaskState;
  /** In words. */
  readonly why: string;
  readonly waitsFor?: readonly string[];
  readonly engine?: number;
  readonly attempt: number;
  /** Tasks of the same client that are before it. */
  readonly ahead?: number;
}

export type TaskState = 'waiting' | 'queued' | 'delayed' | 'running' | 'done' | 'failed' | 'cancelled';

export interface FarmEvent {
  readonly type: 'queued' | 'started' | 'done' | 'failed' | 'retried' | 'requeued' | 'cancelled' | 'hedged' | 'timeout';
  readonly id: string;
  readonly label?: string;
  readonly engine?: number;
  readonly attempt?: number;
  readonly ms?: number;
  readonly reason?: string;
}

export interface Quantiles {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
}

export interface FarmStats {
  readonly waiting: number;
  readonly queued: number;
  readonly running: number;
  readonly done: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly retried: number;
  readonly requeued: number;
  /** ms: in the queue until sent to an engine, and running. */
  readonly wait: Quantiles;
  readonly run: Quantiles;
  readonly engines: readonly {
    readonly id: number;
    readonly running: number;
    readonly done: number;
    readonly busy: number;
  }[];
}
