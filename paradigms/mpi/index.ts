export { mpiAlone } from './alone.ts';
export type { TypedArray } from './arrays.ts';
export type { CartComm } from './cart-comm.ts';
export type { ReduceOptions } from './collective-calls.ts';
export type { Layout } from './collectives/vectors.ts';
export type { Comm } from './comm.ts';
export { ANY_SOURCE, ANY_TAG, MAX_TAG, PROC_NULL, ROOT } from './constants.ts';
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
  SpawnError,
  TruncateError,
  TypeMismatchError,
} from './errors.ts';
export { type Comparison, Group } from './group.ts';
export type { Intercomm } from './intercomm.ts';
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
export type { SpawnMain, SpawnOptions } from './spawn.ts';
export type { Strided } from './strided.ts';
export type { SyncComm } from './sync-comm.ts';
export type { Condition } from './util/condition.ts';
export type { Counter, CounterOptions } from './util/counter.ts';
export type { Held } from './util/held.ts';
export type { AcquireOptions } from './util/kept.ts';
export type { Mutex, MutexOptions } from './util/mutex.ts';
export type { Pool, PoolMapOptions, PoolOptions } from './util/pool.ts';
export type { Semaphore, SemaphoreOptions } from './util/semaphore.ts';
export type { Sequential } from './util/sequential.ts';
export type { Window } from './window.ts';
