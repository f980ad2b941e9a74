export { type Backoff, type BackoffOptions, backoff } from './backoff.ts';
export { AsyncResult, type PartOf, type Settled, type Timing } from './client/async-result.ts';
export type { CallOptions } from './client/call-spec.ts';
export type { Client, ClientOptions, TaskHandle } from './client/client.ts';
export { type Cluster, type ClusterOptions, cluster } from './client/cluster.ts';
export { connect } from './client/connect.ts';
export type { PrintedLines } from './client/echo.ts';
export { type Ref, ref } from './client/ref.ts';
export type {
  BaseView,
  Distribution,
  EngineView,
  Fn,
  RunResult,
  Sendable,
  SendableArgs,
  View,
} from './client/view-types.ts';
export type {
  ClusterEvent,
  ClusterParadigms,
  ConnectionInfo,
  EngineInfo,
  EngineState,
  ParadigmInfo,
} from './cluster-info.ts';
export type { CallStatus, ClusterStatus, ControllerStatus, EngineStatus, Traffic } from './cluster-status.ts';
export type { AdaptiveOptions } from './controller/adaptive.ts';
export type { Limits } from './controller/limits.ts';
export { registerParadigm } from './controller/offers.ts';
export type { InterruptOutcome, InterruptResult, Progress, TaskInfo } from './conversation.ts';
export * from './deferred/index.ts';
export type { NameInfo } from './engine/names.ts';
export * from './errors.ts';
export { check, type ErrorType, trap } from './failure.ts';
export { remote } from './functions/index.ts';
export type { SshHost } from './launch/host-list.ts';
export type { EngineExit, EngineHandle, EngineSpec, Launcher } from './launch/launcher.ts';
export { processLauncher } from './launch/process.ts';
export { type SlurmOptions, slurm } from './launch/slurm.ts';
export { type SshOptions, ssh } from './launch/ssh.ts';
export { threadLauncher } from './launch/thread.ts';
export type { Logger } from './log.ts';
export type { LogFormat, LogLevel, LogOptions } from './log-options.ts';
export { Opaque } from './opaque.ts';
export {
  type Caller,
  type CallId,
  type ClientHost,
  type Command,
  type CommandTools,
  type ControllerHalf,
  type ControllerHost,
  type Demand,
  defineParadigm,
  type EngineHalf,
  type EngineHost,
  type Group,
  type Handler,
  type Handlers,
  type Loss,
  type Outcome,
  type Paradigm,
  type ParadigmDefinition,
  type ParadigmFactory,
  type Party,
  type PendingResult,
  type ResultHooks,
  type ResultOptions,
  type RunOptions,
  type Settlement,
  type TaskSource,
  type Work,
} from './paradigm/paradigm.ts';
export { Parcel, type Place, type Waited } from './paradigm/parcel.ts';
export { loadPlugin } from './paradigm/plugins.ts';
export {
  type ClientService,
  type ClientServiceOptions,
  type ClientState,
  clientService,
} from './service/client-service.ts';
export type { ServedConnection } from './service/served-connection.ts';
export type { Service } from './service/service.ts';
export { type ServiceTree, type ServiceTreeOptions, serviceTree } from './service/service-tree.ts';
export { checkChanges, compareKeys, selectKeys } from './store/key.ts';
export { type LmdbOptions, lmdbStores } from './store/lmdb-store.ts';
export { memoryStores } from './store/memory-store.ts';
export type { Change, KeyRange, Store, StoreProvider } from './store/store.ts';
export { registerClass } from './wire/classes.ts';
export { decode, encode } from './wire/codec.ts';
export { quoteEndpoint } from './wire/endpoint.ts';
export { registerErrorClass } from './wire/error-codec.ts';
export type { Payload } from './wire/forms.ts';
export { share, transfer } from './wire/ownership.ts';
export {
  type Capabilities,
  type CloseReason,
  type Connection,
  type ConnectionHandlers,
  type DialOptions,
  type Exposure,
  type Lane,
  type Listener,
  type ListenOptions,
  type Message,
  registerTransport,
  type SendOptions,
  type Tenure,
  type TlsOptions,
  type Transport,
} from './wire/transport.ts';
