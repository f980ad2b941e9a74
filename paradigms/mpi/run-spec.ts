/** What a client tells the engines of a run. */
import type { EngineInfo } from '../../core/index.ts';

export interface RunSpec {
  /** Of the world: below 2³¹. */
  readonly world: number;
  /** Engine ids, by rank. */
  readonly engines: readonly number[];
  /** Their hosts. */
  readonly hosts: readonly string[];
  /** Ranks that are threads of one process, each with two or more. */
  readonly shared: readonly (readonly number[])[];
  /** Of a run that another one has spawned. */
  readonly parent?: ParentSpec;
}

/** Parents and children together, the parents first. */
export interface ParentSpec {
  readonly bridge: RunSpec;
  /** How many of them are parents. */
  readonly parents: number;
  /** Of the parents, the one that is told when a child is ready. */
  readonly root: number;
}

/** Ranks in the order of the engines. */
export function specFor(engines: readonly EngineInfo[]): RunSpec {
  const processes = new Map<string, number[]>();
  engines.forEach(({ kind, host, pid }, rank) => {
    if (kind !== 'thread') return;
    const key = `${host} ${pid}`;
    processes.set(key, [...(processes.get(key) ?? []), rank]);
  });
  return {
    world: newWorld(),
    engines: engines.map(({ id }) => id),
    hosts: engines.map((engine) => engine.host),
    shared: [...processes.values()].filter((ranks) => ranks.length > 1),
  };
}

export function newWorld(): number {
  return Math.floor(Math.random() * 0x7fff_ffff);
}

/** The name by which calls find the engine half's way into a world. */
export const ENTER = 'enterMpiWorld';
