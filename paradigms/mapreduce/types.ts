/** What a job is made of, and what it says of itself. */
import type { Observable } from 'rxjs';
import type { Compare } from './records/keys.ts';
import type { Values } from './records/values.ts';

export type { Compare, Values };

/** By group, then by name. */
export type Counters = Record<string, Record<string, number>>;

/** What a job's functions find as `ctx`: one for each task and step. */
export interface TaskContext<K = any, V = any> {
  /** From map: to the reducers. From reduce: to the output, or the next step. */
  emit(key: K, value: V): void;
  /** To an output of its own: part files that begin with this name. Only where the step writes to a folder. */
  emitTo(name: string, key: unknown, value: unknown): void;
  /** Adds to a counter: a whole number, perhaps negative. Default: 1. Only tasks that succeed count, each once. */
  counter(group: string, name: string, by?: number): void;
  /** In map: the path of the file that the record comes from, if it comes from one. */
  readonly file: string | undefined;
  /** What `setup` has returned. */
  readonly state: any;
  /** `id`: of the split, or the reducer. `attempt`: 1 at the first run. `step`: of a chain, from 0 on. */
  readonly task: {
    readonly id: number;
    readonly attempt: number;
    readonly step: number;
    readonly phase: 'map' | 'reduce';
  };
  /** Aborted when the job is cancelled. */
  readonly signal: AbortSignal;
}

/**
 * A job. All functions travel to the engines, with what they capture as it is when the job starts. What combine and reduce return, if it
 * is not undefined, is emitted under their key.
 */
export interface JobSpec<I = any, K = any, V = any, OK = any, OV = any> {
  /** Called with each record. Default: records are `[key, value]`, and are emitted as such. */
  map?(record: I, ctx: TaskContext<K, V>): unknown;
  /**
   * Makes few values of many on the map side: any number of times, or never; synchronously. It emits under the key that it is given.
   */
  combine?(key: K, values: Values<V>, ctx: TaskContext<K, V>): unknown;
  /** Called with each key, in their order, and all its values. Default: emits each value again, if there are reducers at all. */
  reduce?(key: K, values: Values<V>, ctx: TaskContext<OK, OV>): unknown;
  /**
   * Which reducer gets a key: a whole number from 0 to n - 1. Default: by a hash that is the same everywhere. 'range': in the order of
   * keys, so that the parts one after the other are sorted; where to cut is found out from a sample.
   */
  partition?: ((key: K, n: number) => number) | 'range';
  /** The order in which keys reach a reducer. Default: numbers by value, texts by code unit. */
  sort?: Compare<K>;
  /** Which keys are reduced together, where that is not those which `sort` finds equal: a secondary sort. Needs `partition`. */
  group?: Compare<K>;
  /** How many. Default: as many as engines. Without reduce, partition, sort, and reducers there are none, and map writes the output. */
  reducers?: number;
  /** Before the first record of each task; what it returns is `ctx.state`. */
  setup?(ctx: TaskContext): unknown;
  /** After the last record of each task, also when it fails. */
  teardown?(ctx: TaskContext): unknown;
  /** Runs of a task in all. Those that were lost with their engine do not count. Default: 2. */
  attempts?: number;
  /** When a task takes much longer than others, a copy of it starts elsewhere; the first to finish counts. */
  speculate?: boolean;
  /** So many records of a task may make map throw; they are left out, and counted. `true`: any number. */
  skipBadRecords?: boolean | number;
}

/** How far the tasks of one phase are. */
export interface PhaseProgress {
  readonly step: number;
  readonly phase: 'map' | 'reduce';
  readonly tasks: number;
  readonly done: number;
  /** Of the input, or of what reducers fetch. */
  readonly bytes: number;
  /** As far as it is known. */
  readonly totalBytes: number;
}

export interface JobProgress {
  readonly phases: readonly PhaseProgress[];
  /** ms since the start. */
  readonly elapsed: number;
  /** ms that it may still take, from how fast it went. */
  readonly left: number | undefined;
}

/** What a job that wrote to a folder has done. */
export interface JobSummary {
  readonly output: string;
  readonly parts: number;
  readonly records: number;
  readonly counters: Counters;
}

/** A part of results that stay on the engines. */
export interface KeptPart {
  readonly engine: number;
  readonly records: number;
  readonly bytes: number;
}

/** A running job. */
export interface Job<T> extends PromiseLike<T>, AsyncIterable<[key: any, value: any]> {
  /** So far, of tasks that have succeeded; complete when the job is done. */
  readonly counters: Counters;
  /** The same for each step of a chain. */
  readonly stepCounters: readonly Counters[];
  readonly progress$: Observable<JobProgress>;
  catch<R = never>(onFailed: (reason: any) => R | PromiseLike<R>): Promise<T | R>;
  finally(then: () => void): Promise<T>;
  /** Stops it. Resolves when nothing of it runs or is left any more. */
  cancel(reason?: string): Promise<void>;
  /** Lets go of results that nobody has read. Cancels it if it runs. */
  [Symbol.asyncDispose](): Promise<void>;
}
