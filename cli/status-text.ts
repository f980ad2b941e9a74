/** A cluster's numbers in a few lines, or in one. */
import type { CallStatus, ClusterStatus } from '../core/cluster-status.ts';
import { size } from './display/numbers.ts';
import { engineTable } from './engine-table.ts';

export function statusText(status: ClusterStatus): string {
  const { name, pid, host, uptime, clients, engines } = status;
  const lines = [
    `Cluster '${name}': controller pid ${pid} on ${host}, up ${duration(uptime)}, clients: ${clients}, engines: ${engines.length}`,
    `calls: ${status.calls.map(callText).join(', ') || 'none'}; under way: ${underWay(status)}`,
    `traffic: ${size(status.traffic.engines.bytesSent)} to engines, ${size(status.traffic.engines.bytesReceived)} from them; ` +
      `controller: ${size(status.controller.memory)}, loop lag p99 ${number(status.controller.lag.p99)} ms`,
    ...(status.metrics === undefined ? [] : [`metrics: ${status.metrics}`]),
  ];
  return `${lines.join('\n')}\n${engineTable(engines)}`;
}

/** For `--watch` without a terminal. `before`: the status that the line before was of. */
export function statusLine(status: ClusterStatus, before: ClusterStatus | undefined, time: Date): string {
  const { clients, traffic, controller } = status;
  const rate = before && ((parts(status) - parts(before)) * 1e3) / Math.max(1, status.uptime - before.uptime);
  return [
    time.toISOString(),
    `engines: ${states(status)}`,
    `clients: ${clients}`,
    `parts of calls: ${parts(status)}${rate === undefined ? '' : ` (${number(rate)}/s)`}`,
    `under way: ${underWay(status)}`,
    `to engines: ${size(traffic.engines.bytesSent)}`,
    `from engines: ${size(traffic.engines.bytesReceived)}`,
    `loop lag p99: ${number(controller.lag.p99)} ms`,
  ].join('  ');
}

function callText({ op, calls, failed, lost, dropped, p50, p99 }: CallStatus): string {
  const bad = Object.entries({ failed, lost, dropped }).flatMap(([what, n]) => (n ? [`${n} ${what}`] : []));
  return `${op} ${calls} (${[...bad, `p50 ${number(p50)} ms`, `p99 ${number(p99)} ms`].join(', ')})`;
}

function underWay({ engines }: ClusterStatus): number {
  return engines.reduce((sum, engine) => sum + engine.underWay, 0);
}

function parts({ calls }: ClusterStatus): number {
  return calls.reduce((sum, { ok, failed, lost, dropped }) => sum + ok + failed + lost + dropped, 0);
}

function states({ engines }: ClusterStatus): string {
  const counts = new Map<string, number>();
  for (const { state } of engines) counts.set(state, (counts.get(state) ?? 0) + 1);
  return [...counts].map(([state, n]) => `${n} ${state}`).join(', ') || 'none';
}

/** Three digits say enough. */
function number(value: number): string {
  return String(Number(value.toPrecision(value >= 100 ? 6 : 2)));
}

function duration(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const units = {
    d: Math.floor(seconds / 86_400),
    h: Math.floor(seconds / 3_600) % 24,
    min: Math.floor(seconds / 60) % 60,
  };
  const larger = Object.entries(units).flatMap(([unit, n]) => (n ? [`${n} ${unit}`] : []));
  return [...larger, `${seconds % 60} s`].slice(0, 2).join(' ');
}
