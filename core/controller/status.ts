/** The controller's answer to `status`: numbers gathered from where they are kept. */
import { hostname } from 'node:os';
import type { ClusterStatus, EngineStatus } from '../cluster-status.ts';
import type { Controller } from './controller.ts';
import type { LoopLag } from './loop-lag.ts';
import type { EngineRecord } from './registry.ts';
import { addTraffic, noTraffic, sumOf, trafficOf } from './traffic.ts';

export interface StatusSources {
  /** Date.now() at its start. */
  started: number;
  lag: LoopLag;
  /** Where its metrics are served. */
  metrics: string | undefined;
}

export function statusOf(controller: Controller, { started, lag, metrics }: StatusSources): ClusterStatus {
  const { registry, clients } = controller;
  const engines = [...registry.engines.values()];
  const sessions = [...clients.values()].map((client) => client.session);
  const { rss, heapUsed } = process.memoryUsage();
  const buffered = (sum: number, session: { bufferedAmount: number } | undefined): number =>
    sum + (session?.bufferedAmount ?? 0);
  return {
    name: controller.name,
    pid: process.pid,
    host: hostname(),
    uptime: Date.now() - started,
    clients: clients.size,
    engines: engines.filter((record) => record.joined).map(engineStatus),
    calls: [...controller.callCounts.byOp.values()].map((count) => count.status()),
    traffic: {
      engines: sumOf([registry.past, ...engines.map(engineTraffic)]),
      clients: sumOf([controller.pastClients, ...sessions.map(trafficOf)]),
    },
    controller: {
      memory: rss,
      heap: heapUsed,
      buffered: {
        engines: engines.reduce((sum, { session }) => buffered(sum, session), 0),
        clients: sessions.reduce(buffered, 0),
      },
      lag: lag.read(),
    },
    paradigms: Object.fromEntries([...controller.reports].map(([name, read]) => [name, read()])),
    ...(metrics !== undefined && { metrics }),
  };
}

function engineStatus(record: EngineRecord): EngineStatus {
  const { queued, calls, load, lag, heap, kept, peerSent, peerReceived } = record.beat;
  return {
    ...record.info,
    underWay: record.running.size,
    queued: queued ?? 0,
    calls: calls ?? 0,
    load: load ?? 0,
    lag: lag ?? 0,
    heap: heap ?? 0,
    kept: kept ?? 0,
    traffic: engineTraffic(record),
    peers: { sent: peerSent ?? 0, received: peerReceived ?? 0 },
  };
}

function engineTraffic({ past, session }: EngineRecord): ReturnType<typeof noTraffic> {
  const total = noTraffic();
  addTraffic(total, past);
  if (session) addTraffic(total, trafficOf(session));
  return total;
}
