/** What is said of tasks that run, between clients and engines. */

/**
 * What became of a task that was to stop, from what costs nothing to what costs most:
 *
 * - never-started: it was waiting for its turn, and will not get it.
 * - signalled: it ended by itself, told by `task.signal`.
 * - landed: it was in a loop, and was stopped there. Nothing else is lost.
 * - restarted: it was in a callback of `setImmediate`, and was stopped there. Nothing else is lost.
 * - unwound: it was in a loop past an `await`, and was stopped there. Its `finally` blocks did not run.
 * - abandoned: it waits at an `await`; it is given up, and whatever it does there, nobody waits for it.
 * - engine-restarted: it was in native code that nothing stops, so its engine was started anew; its namespace is gone.
 * - stuck: the same, but the engine was left alone (a cancel restarts none; nor can one that joined by itself be).
 *
 * done: it had ended before. idle: nothing ran there. lost: the engine is gone.
 */
export type InterruptResult =
  | 'never-started'
  | 'signalled'
  | 'landed'
  | 'restarted'
  | 'unwound'
  | 'abandoned'
  | 'engine-restarted'
  | 'stuck'
  | 'done'
  | 'idle'
  | 'lost';

export interface InterruptOutcome {
  engine: number;
  outcome: InterruptResult;
}

/** Messages that tasks of one engine may leave unread. */
export const UNREAD_MESSAGES = 4_096;

/** Bytes that a message of a task counts for beside its own: whoever reads it has more work with many small ones. */
export const TOLD_COST = 1_024;

/** How far a task is, as it says itself by `task.progress`. */
export interface Progress {
  engine: number;
  done: number;
  /** Absent if it does not say. */
  total?: number;
}

/** A task of any client on one engine. */
export interface TaskInfo {
  /** The same as `AsyncResult.id`, and `task.id` there. */
  id: string;
  client: number;
  call: number;
  /** `execute`, `apply`, … */
  op: string;
  label?: string;
  engine: number;
  /** One that has just begun may be said to wait still. */
  state: 'running' | 'waiting';
  /** How long it has been running, or waiting. */
  ms: number;
  /** It is the asking client's own. */
  mine: boolean;
}
