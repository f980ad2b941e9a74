/**
 * What a launcher and its agent on another machine say to each other, over the agent's standard streams: JSON, a line each. The
 * agent's lines begin with a mark; what login scripts print does not.
 */
import type { EngineBoot, EngineExit } from './launcher.ts';

export type ToAgent =
  /** `engine` is a number of the launcher's own for this start. */
  | { type: 'launch'; engine: number; boot: EngineBoot }
  | { type: 'kill'; engine: number }
  /** The launcher is there. */
  | { type: 'beat' };

export type FromAgent =
  /** `clock`: Date.now() of that machine. */
  | { type: 'here'; host: string; clock: number }
  | { type: 'launched'; engine: number; pid: number }
  | { type: 'output'; engine: number; stream: 'stdout' | 'stderr'; text: string }
  | { type: 'exited'; engine: number; exit: Omit<EngineExit, 'error'>; error?: string }
  /** For whoever runs the cluster. */
  | { type: 'warning'; text: string };

export const MARK = '\u001etutti ';
/** ms between beats of the launcher. */
export const BEAT = 30_000;
/** ms of silence after which an agent without engines ends: the launcher's machine may have gone without a word. */
export const SILENCE = 4 * BEAT;
/** What an agent that is no child of its launcher finds its engines in: `AgentOrders` in JSON. */
export const ORDERS = 'TUTTI_AGENT';

/** Engines of a launcher that has no line to its agents: each takes the one of its index. */
export interface AgentOrders {
  readonly common: Omit<EngineBoot, 'id' | 'token'>;
  readonly engines: readonly (readonly [id: number, token: string])[];
}
