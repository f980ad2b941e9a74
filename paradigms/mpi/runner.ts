/** The client half: which engines become ranks, and one call for all of them. */
import { type AsyncResult, type ClientHost, type EngineInfo, UsageError } from '../../core/index.ts';
import type { Comm } from './comm.ts';
import { Launches, type OnSpawn } from './launch.ts';
import { specFor } from './run-spec.ts';

export interface RunOptions<A extends readonly unknown[] = readonly unknown[]> {
  /** How many; all engines of the kind by default. */
  ranks?: number;
  /** For the main, after its communicator. */
  args?: A;
  /** Only engines of this kind become ranks: `thread` ones share memory. */
  kind?: 'thread' | 'process';
  /** Aborting cancels the run. */
  signal?: AbortSignal;
  /** ms, after which it is cancelled. */
  timeout?: number;
  label?: string;
  /** Called with the result of each run that ranks of this one spawn, and theirs in turn. */
  onSpawn?: OnSpawn;
}

export interface Mpi {
  /**
   * Runs `main(comm, …args)` on so many engines at once, one rank each; rank 0 is on the engine with the lowest id. Each rank takes its
   * engine's turn until all have ended. Gives what the mains returned, by rank.
   * @throws UsageError when there are not so many engines
   */
  run<A extends readonly unknown[], R>(
    main: (comm: Comm, ...args: A) => R,
    options?: RunOptions<A>,
  ): AsyncResult<Awaited<R>[], Awaited<R>>;
}

export function makeMpi(host: ClientHost): Mpi {
  const launches = host.shared(() => new Launches(host));
  return {
    run(main, options = {}) {
      const { args = [], signal, timeout, label = 'mpi', onSpawn } = options;
      if (typeof main !== 'function')
        throw new UsageError(`run takes a function main(comm, …args); got ${main === null ? 'null' : typeof main}`);
      const spec = specFor(chosen(host.client.engines, options));
      const call = { label, ...(signal && { signal }), ...(timeout !== undefined && { timeout }) };
      return launches.begin(spec, main, args, call, onSpawn);
    },
  };
}

function chosen(engines: readonly EngineInfo[], { ranks, kind }: RunOptions<any>): EngineInfo[] {
  const there = engines.filter(({ state }) => state !== 'lost').sort((a, b) => a.id - b.id);
  const fit = kind === undefined ? there : there.filter((engine) => engine.kind === kind);
  const what = kind === undefined ? 'engines' : `engines of kind '${kind}'`;
  if (ranks !== undefined && !(Number.isInteger(ranks) && ranks > 0))
    throw new UsageError(`The number of ranks is 1 or more; got ${String(ranks)}`);
  if (!fit.length) {
    const others = [...new Set(there.map((engine) => engine.kind))].join(', ');
    throw new UsageError(
      `A run needs ${what}, and the cluster has none${others ? ` (it has: ${others})` : ''}; start some: cluster({ engines: 4, kind: '${kind ?? 'thread'}' })`,
    );
  }
  if (ranks !== undefined && ranks > fit.length)
    throw new UsageError(
      `${ranks} ranks need as many ${what}, one each, and the cluster has ${fit.length}; add some, or run fewer ranks`,
    );
  return fit.slice(0, ranks);
}
