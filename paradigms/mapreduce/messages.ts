/** What the driver tells tasks, what they say when they end, and what reducers ask of engines. */
import type { Split } from './sources/index.ts';
import type { Counters } from './types.ts';

/** Names what a task has left on an engine. */
export interface OutputName {
  readonly job: string;
  readonly stage: number;
  readonly task: number;
}

/** Where tasks have left their output: by task. */
export type Places = readonly (readonly [engine: number, tasks: readonly number[]])[];

/** What a task reads. */
export type Input =
  | { readonly kind: 'split'; readonly input: number; readonly split: Split }
  /** Its partition of what all tasks of the stage before have left. */
  | { readonly kind: 'shuffle'; readonly places: Places }
  /** The output of a task of another job. */
  | { readonly kind: 'kept'; readonly input: number; readonly engine: number; readonly name: OutputName };

/** Where it is cut: of a range partition. One key less than there are reducers. */
export type Cuts = readonly unknown[];

export interface TaskSpec {
  readonly stage: number;
  readonly task: number;
  readonly from: Input;
  readonly cuts?: Cuts | undefined;
  /** Only a sample of the keys is wanted that it would shuffle: so many, of `most` that come first. */
  readonly sample?: { readonly size: number; readonly most: number } | undefined;
}

export interface TaskDone {
  readonly kind: 'done';
  readonly engine: number;
  /** By step. */
  readonly counters: readonly (readonly [step: number, counters: Counters])[];
  /** Of what it has left or written. */
  readonly records: number;
  readonly bytes: number;
}

/** What it was to read is not where it should be: these outputs have to be made again. */
export interface TaskStarved {
  readonly kind: 'starved';
  readonly missing: readonly OutputName[];
}

export interface TaskSample {
  readonly kind: 'sample';
  readonly keys: readonly unknown[];
}

export type TaskResult = TaskDone | TaskStarved | TaskSample;

/** The name by which tasks of the farm find the engine half. */
export const RUN_TASK = 'runMapReduceTask';

/** engine -> engine, `runs`: one partition of the outputs of several tasks. */
export interface RunsRequest {
  readonly job: string;
  readonly stage: number;
  readonly tasks: readonly number[];
  readonly partition: number;
}

export interface RunsAnswer {
  /** Those that are not here. */
  readonly missing: readonly number[];
  readonly runs: readonly RunHead[];
}

export interface RunHead {
  readonly task: number;
  readonly run: number;
  readonly blocks: number;
  readonly bytes: number;
  readonly records: number;
  /** Its first blocks, as many as the whole answer has room for. */
  readonly first: readonly Uint8Array[];
}

/** engine -> engine and client -> engine, `blocks`: the next ones of a run. */
export interface BlocksRequest {
  readonly job: string;
  readonly stage: number;
  readonly task: number;
  readonly partition: number;
  readonly run: number;
  readonly from: number;
}

/** Undefined: it is not here any more. */
export type BlocksAnswer = readonly Uint8Array[] | undefined;
