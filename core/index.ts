export type { AsyncResult, CancelOutcome, PartOf, Settled, Timing } from './client/async-result.ts';
export type { CallOptions } from './client/call-spec.ts';
export type { Client, ClientOptions, ClusterStatus } from './client/client.ts';
export { type Cluster, type ClusterOptions, cluster } from './client/cluster.ts';
export { connect } from './client/connect.ts';
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
export type { ClusterEvent, ConnectionInfo, EngineInfo, EngineState } from './cluster-info.ts';
export { type Clock, Deferred, realClock, TestClock } from './deferred/index.ts';
export { Opaque } from './engine/opaque.ts';
export * from './errors.ts';
export { remote } from './functions/index.ts';
export type { EngineExit, EngineHandle, EngineSpec, Launcher } from './launch/launcher.ts';
export { processLauncher } from './launch/process.ts';
export { threadLauncher } from './launch/thread.ts';
export { registerClass } from './wire/classes.ts';
export { quoteEndpoint } from './wire/endpoint.ts';
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
  type TlsOptions,
  type Transport,
} from './wire/transport.ts';
