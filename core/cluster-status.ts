/** What a controller says of its cluster when asked. Counts are since the start of what counts them. */
import type { EngineInfo } from './cluster-info.ts';

export interface ClusterStatus {
  name: string;
  /** Of the controller. */
  pid: number;
  host: string;
  /** ms. */
  uptime: number;
  clients: number;
  engines: EngineStatus[];
  calls: CallStatus[];
  /** What went between the controller and its engines, and its clients. */
  traffic: { engines: Traffic; clients: Traffic };
  controller: ControllerStatus;
  /** What paradigms say of themselves, by name. */
  paradigms: Record<string, unknown>;
  /** Where Prometheus finds the same numbers, if that was asked for. */
  metrics?: string;
}

export interface EngineStatus extends EngineInfo {
  /** Calls sent to it and not answered yet; `queued` of them wait there for their turn, as of its last heartbeat. */
  underWay: number;
  queued: number;
  /** Calls that it has finished. */
  calls: number;
  /** Share of the time between its last two heartbeats in which its event loop was busy, 0 to 1. */
  load: number;
  /** ms that its last heartbeat was late: its event loop was held up. */
  lag: number;
  /** Bytes of its JavaScript heap in use, and of results that stay there for whoever wants them. */
  heap: number;
  kept: number;
  /** Between it and the controller. */
  traffic: Traffic;
  /** Bytes between it and other engines. */
  peers: { sent: number; received: number };
}

/** The calls of one operation. One to four engines has four parts. */
export interface CallStatus {
  op: string;
  calls: number;
  /** Parts by what became of them. lost: tutti could not carry it out. dropped: its client had left. */
  ok: number;
  failed: number;
  lost: number;
  dropped: number;
  /** ms from the controller to the engine and back; the nearest that a histogram can tell. */
  p50: number;
  p99: number;
}

export interface ControllerStatus {
  /** Resident memory and heap in use, in bytes: of the whole process, also of what else runs in it. */
  memory: number;
  heap: number;
  /** Bytes sent that wait for engines and clients to take them. */
  buffered: { engines: number; clients: number };
  /** ms that its event loop was held up, over the last 10 to 20 seconds. */
  lag: { mean: number; p50: number; p99: number; max: number };
}

export interface Traffic {
  messagesSent: number;
  messagesReceived: number;
  bytesSent: number;
  bytesReceived: number;
}
