import type { EngineInfo } from '../cluster-info.ts';

type Facts = Pick<EngineInfo, 'host' | 'pid' | 'kind' | 'cwd' | 'node'>;

const LONGEST = 1_024;
/** ms that clocks may differ; what an engine tells may have been on its way for some of that. */
const SKEW = 10_000;

/** In words, where an engine's clock is far from that of this machine. */
export function clockTrouble(about: unknown, now = Date.now()): string | undefined {
  const { clock } = (typeof about === 'object' && about !== null ? about : {}) as { clock?: unknown };
  if (typeof clock !== 'number' || !(Math.abs(clock - now) > SKEW)) return undefined;
  const seconds = Math.round(Math.abs(clock - now) / 1_000);
  return `its clock is ${seconds} s ${clock > now ? 'ahead of' : 'behind'} that of the controller: certificates and times of tasks depend on it; set the clocks (NTP)`;
}

/** What an engine tells of itself in its handshake, as far as it makes sense: it goes to every client. */
export function aboutEngine(about: unknown): Facts {
  const told = (typeof about === 'object' && about !== null ? about : {}) as Record<string, unknown>;
  const text = (value: unknown): string => (typeof value === 'string' ? value.slice(0, LONGEST) : '');
  const { host, pid, kind, cwd, node } = told;
  return {
    host: text(host),
    pid: Number.isSafeInteger(pid) ? (pid as number) : 0,
    kind: text(kind),
    cwd: text(cwd),
    node: text(node),
  };
}
