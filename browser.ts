/** `tutti/browser`: a page as a client of a running cluster. Views, results and Deferreds as in Node; no engines of its own. */
import './browser/names.ts';
import { webSocket } from './browser/web-socket.ts';
import { registerTransport } from './core/wire/transport.ts';

registerTransport(webSocket());

export { connect, type PageConnection, type PageOptions } from './browser/connect.ts';
export type { AsyncResult, PartOf, Settled, Timing } from './core/client/async-result.ts';
export type { CallOptions } from './core/client/call-spec.ts';
export type { Client, TaskHandle } from './core/client/client.ts';
export { type Ref, ref } from './core/client/ref.ts';
export type { BaseView, Distribution, EngineView, Fn, Sendable, SendableArgs, View } from './core/client/view-types.ts';
export type { ClusterEvent, EngineInfo, EngineState } from './core/cluster-info.ts';
export type { ClusterStatus } from './core/cluster-status.ts';
export type { InterruptOutcome, InterruptResult, Progress, TaskInfo } from './core/conversation.ts';
export { type Clock, Deferred, realClock, TestClock } from './core/deferred/index.ts';
export * from './core/errors.ts';
export { check, type ErrorType, trap } from './core/failure.ts';
export { remote } from './core/functions/remote.ts';
export { Opaque } from './core/opaque.ts';
export { registerClass } from './core/wire/classes.ts';
export { transfer } from './core/wire/ownership.ts';
