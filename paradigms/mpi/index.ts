export type { TypedArray } from './arrays.ts';
export type { CartComm } from './cart-comm.ts';
export type { ReduceOptions } from './collective-calls.ts';
export type { Layout } from './collectives/vectors.ts';
export type { Comm } from './comm.ts';
export { ANY_SOURCE, ANY_TAG, MAX_TAG, PROC_NULL } from './constants.ts';
export { dimsCreate } from './dims-create.ts';
export {
  AbortedError,
  CollectiveMismatchError,
  DeadlockError,
  InStatusError,
  LeakedRequestsError,
  MpiError,
  OpError,
  RankExitError,
  RankLostError,
  RequestCancelledError,
  RevokedError,
  TruncateError,
  TypeMismatchError,
} from './errors.ts';
export { type Comparison, Group } from './group.ts';
export { mpi } from './mpi.ts';
export {
  BAND,
  BOR,
  BXOR,
  createOp,
  LAND,
  LOR,
  LXOR,
  MAX,
  MAXLOC,
  MIN,
  MINLOC,
  NO_OP,
  type Op,
  type OpName,
  PROD,
  REPLACE,
  SUM,
  type UserOp,
} from './op-names.ts';
export type { Persistent } from './persistent.ts';
export type { MatchedMessage, ReceiveOptions } from './point-to-point.ts';
export type { Request, Status } from './request.ts';
export type { Mpi, RunOptions } from './runner.ts';
export type { Strided } from './strided.ts';
export type { SyncComm } from './sync-comm.ts';
export type { Window } from './window.ts';
