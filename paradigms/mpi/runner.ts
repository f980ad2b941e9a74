/** The client half: which engines become ranks, and one call for all of them. */
import { type AsyncResult, type ClientHost, type EngineInfo, ref, UsageError } from '../../core/index.ts';
import type { Comm } from './comm.ts';
import { Detector } from './deadlock.ts';
import { ENTER, type RunSpec } from './run-spec.ts';
import { GONE, type Snapshot } from './shared-memory.ts';

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

/** ms between looks at whether anything goes on: of few ranks, and for each of many. */
const LOOK = { least: 250, each: 2 };

export function makeMpi(host: ClientHost): Mpi {
  return {
    run(main, options = {}) {
      const { args = [], signal, timeout, label = 'mpi' } = options;
      if (typeof main !== 'function')
        throw new UsageError(`run takes a function main(comm, …args); got ${main === null ? 'null' : typeof main}`);
      const spec = specFor(chosen(host.client.engines, options));
      const view = host.client
        .view([...spec.engines])
        .with({ label, ...(signal && { signal }), ...(timeout !== undefined && { timeout }) });
      const enter = ref<(spec: RunSpec, main: unknown, args: unknown) => any>(ENTER);
      const result = view.apply(enter, spec, main, args as unknown[]);
      if (!spec.shared.some((ranks) => ranks.length === spec.engines.length)) void watch(host, spec, result);
      return result as AsyncResult<any[], any>;
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

function specFor(engines: readonly EngineInfo[]): RunSpec {
  const processes = new Map<string, number[]>();
  engines.forEach(({ kind, host, pid }, rank) => {
    if (kind !== 'thread') return;
    const key = `${host} ${pid}`;
    processes.set(key, [...(processes.get(key) ?? []), rank]);
  });
  return {
    world: Math.floor(Math.random() * 0x7fff_ffff),
    engines: engines.map(({ id }) => id),
    hosts: engines.map((engine) => engine.host),
    shared: [...processes.values()].filter((ranks) => ranks.length > 1),
  };
}

/** Ranks that share no memory cannot see each other wait: they are asked. */
async function watch(host: ClientHost, { world, engines }: RunSpec, result: AsyncResult<any>): Promise<void> {
  let over = false;
  const ended = Promise.resolve(result.settled()).then(() => {
    over = true;
  });
  const detector = new Detector();
  // One that is gone is waited for by nobody: whoever did has been told.
  const look = (engine: number): Promise<Snapshot> => host.engine(engine).ask('snapshot', world);
  const looks = (): Promise<Snapshot[]> =>
    Promise.all(
      engines.map(async (id) => {
        try {
          return await look(id);
        } catch {
          return GONE;
        }
      }),
    );
  while (!over) {
    let timer: NodeJS.Timeout | undefined;
    const later = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, Math.max(LOOK.least, LOOK.each * engines.length));
    });
    await Promise.race([later, ended]);
    clearTimeout(timer);
    if (over) return;
    const waits = detector.look(await Promise.race([looks(), ended.then(() => [])]));
    if (!waits || over) continue;
    for (const id of host.client.engines.map((engine) => engine.id))
      if (engines.includes(id)) host.engine(id).tell('condemn', { world, waits });
  }
}
