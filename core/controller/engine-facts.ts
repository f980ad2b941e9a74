import type { EngineInfo } from '../cluster-info.ts';

type Facts = Pick<EngineInfo, 'host' | 'pid' | 'kind' | 'cwd' | 'node'>;

const LONGEST = 1_024;

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
