/** Engines as a table. A large cluster's equal engines share a line, so that those that differ are seen. */
import type { EngineStatus } from '../core/cluster-status.ts';
import { table } from './output.ts';
import { ranges } from './ranges.ts';

const HEADER = ['id', 'state', 'kind', 'pid', 'host', 'memory MB', 'load %', 'calls', 'queued', 'incarnation', 'cwd'];
/** Up to so many engines have a line each. */
const ONE_BY_ONE = 16;

export function engineTable(engines: readonly EngineStatus[]): string {
  if (!engines.length) return '';
  return table(HEADER, groups(engines).map(row));
}

function groups(engines: readonly EngineStatus[]): EngineStatus[][] {
  if (engines.length <= ONE_BY_ONE) return engines.map((engine) => [engine]);
  const byLooks = new Map<string, EngineStatus[]>();
  for (const engine of engines) {
    const { state, kind, host, incarnation, cwd } = engine;
    const looks = JSON.stringify([state, kind, host, incarnation, cwd]);
    const group = byLooks.get(looks);
    if (group) group.push(engine);
    else byLooks.set(looks, [engine]);
  }
  return [...byLooks.values()];
}

function row(group: readonly EngineStatus[]): (string | number)[] {
  const { state, kind, host, incarnation, cwd } = group[0]!;
  const pids = new Set(group.map((e) => e.pid));
  return [
    group.length === 1 ? group[0]!.id : ranges(group.map((e) => e.id)),
    state,
    kind,
    pids.size === 1 ? group[0]!.pid : `${pids.size} pids`,
    host,
    span(group.map((e) => Math.round(e.memory / 1e6))),
    span(group.map((e) => Math.round(e.load * 100))),
    sum(group.map((e) => e.calls)),
    sum(group.map((e) => e.queued)),
    incarnation,
    cwd,
  ];
}

function span(values: readonly number[]): string | number {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return least === most ? least : `${least}-${most}`;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
