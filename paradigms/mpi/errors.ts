/** What goes wrong between ranks. All are TuttiErrors; match on the class or on `code`. */
import { registerErrorClass, TuttiError } from '../../core/index.ts';

/** Of all errors of this paradigm. */
export class MpiError extends TuttiError {
  override readonly code: string = 'MPI';

  /** By name: a script that imports these classes has copies of its own. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    if (!(value instanceof Error)) return false;
    // biome-ignore lint/complexity/noThisInStatic: it is inherited
    const { name } = this;
    for (let p = Object.getPrototypeOf(value); p; p = Object.getPrototypeOf(p))
      if (p.constructor?.name === name) return true;
    return false;
  }
}
/** The message is longer than the buffer that was to take it. It is consumed; its sender is not concerned. */
export class TruncateError extends MpiError {
  override readonly code: string = 'MPI_TRUNCATE';
}
/** The message, or the operand of a reduction, is of another type than the one that was asked for. */
export class TypeMismatchError extends MpiError {
  override readonly code: string = 'MPI_TYPE';
}
/** An operation that does not go with what it was given, such as BAND with fractions. */
export class OpError extends MpiError {
  override readonly code: string = 'MPI_OP';
}
/** The rank that was waited for, or a member of the communicator, is gone: killed, thrown out by an error, or its host lost. */
export class RankLostError extends MpiError {
  override readonly code: string = 'MPI_RANK_LOST';
  /** In the communicator that says so. */
  readonly rank: number;
  constructor(message: string, rank: number) {
    super(message);
    this.rank = rank;
  }
}
/** The communicator was revoked: only `shrink` and `agree` still work on it. */
export class RevokedError extends MpiError {
  override readonly code: string = 'MPI_REVOKED';
}
/** Members of a communicator called different collectives at the same point, or the same one with different arguments. */
export class CollectiveMismatchError extends MpiError {
  override readonly code: string = 'MPI_COLLECTIVE_MISMATCH';
}
/** Every rank waits for another one; `waits` says who for whom, one line a rank. */
export class DeadlockError extends MpiError {
  override readonly code: string = 'MPI_DEADLOCK';
  readonly waits: readonly string[];
  constructor(message: string, waits: readonly string[]) {
    super(message);
    this.waits = waits;
  }
}
/** Requests that were still open when all ranks had ended: a receive without a message, a send that nobody received. */
export class LeakedRequestsError extends MpiError {
  override readonly code: string = 'MPI_LEAKED_REQUESTS';
}
/** A receive that was cancelled. */
export class RequestCancelledError extends MpiError {
  override readonly code: string = 'MPI_REQUEST_CANCELLED';
}
/** Some of several requests failed; `errors` has theirs, at their places. */
export class InStatusError extends MpiError {
  override readonly code: string = 'MPI_IN_STATUS';
  readonly errors: readonly (Error | undefined)[];
  constructor(message: string, errors: readonly (Error | undefined)[]) {
    super(message);
    this.errors = errors;
  }
}
/** A rank has called `abort`, or the run was cancelled: the whole world ends. */
export class AbortedError extends MpiError {
  override readonly code: string = 'MPI_ABORTED';
  readonly exitCode: number;
  constructor(message: string, exitCode: number) {
    super(message);
    this.exitCode = exitCode;
  }
}
/** Ranks could not be spawned, or have failed; `errors` says why, by rank of the children. The communicator is as good as before. */
export class SpawnError extends MpiError {
  override readonly code: string = 'MPI_SPAWN';
  readonly errors: readonly (Error | undefined)[];
  constructor(message: string, errors: readonly (Error | undefined)[]) {
    super(message);
    this.errors = errors;
  }
}
/** `process.exit` in a rank, with another code than 0. It ends the rank, not its engine. */
export class RankExitError extends MpiError {
  override readonly code: string = 'MPI_EXIT';
  readonly exitCode: number;
  constructor(message: string, exitCode: number) {
    super(message);
    this.exitCode = exitCode;
  }
}

const all = [
  MpiError,
  TruncateError,
  TypeMismatchError,
  OpError,
  RankLostError,
  RevokedError,
  CollectiveMismatchError,
  DeadlockError,
  LeakedRequestsError,
  RequestCancelledError,
  InStatusError,
  AbortedError,
  SpawnError,
  RankExitError,
];
for (const C of all) registerErrorClass(C, `mpi.${C.name}`);
