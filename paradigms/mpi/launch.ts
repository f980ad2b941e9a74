/** The client's side of runs: it begins them, those that ranks spawn, too, and sees to it that engines that were started for them end. */
import {
  type AsyncResult,
  type Client,
  type ClientHost,
  type EngineInfo,
  ref,
  remote,
  UsageError,
} from '../../core/index.ts';
import { watch } from './deadlock-watch.ts';
import { MpiError, SpawnError } from './errors.ts';
import { ENTER, newWorld, type RunSpec, specFor } from './run-spec.ts';
import type { Spawned, SpawnWish } from './spawn.ts';

export interface CallOptions {
  label: string;
  signal?: AbortSignal;
  timeout?: number;
}

/** Told of the runs that a run spawns. */
export type OnSpawn = (children: AsyncResult<any[], any>) => void;

interface Running {
  readonly result: AsyncResult<any[], any>;
  readonly label: string;
  readonly onSpawn: OnSpawn | undefined;
  readonly ended: Promise<unknown>;
}

interface Children {
  readonly result: AsyncResult<any[], any>;
  /** Their engines have gone. */
  readonly removed: Promise<void>;
}

/** ms that engines which were started for ranks may take for what others have given them meanwhile. */
const DRAIN = 10_000;

export class Launches {
  readonly #host: ClientHost;
  readonly #running = new Map<number, Running>();
  readonly #children = new Map<number, Children>();
  readonly #leaving = new Set<Promise<void>>();

  constructor(host: ClientHost) {
    this.#host = host;
    host.handle({
      spawn: (wish: SpawnWish) => this.#spawn(wish),
      spawned: (world: number) => this.#ended(world),
      unspawn: (world: number) => this.#unspawn(world),
    });
  }

  begin(
    spec: RunSpec,
    main: unknown,
    args: readonly unknown[],
    options: CallOptions,
    onSpawn?: OnSpawn,
  ): AsyncResult<any[], any> {
    const host = this.#host;
    const enter = ref<(spec: RunSpec, main: unknown, args: unknown) => any>(ENTER);
    const result: AsyncResult<any[], any> = host.client
      .view([...spec.engines])
      .with(options)
      .apply(enter, spec, main, args as unknown[]);
    const ended = Promise.resolve(result.settled());
    this.#running.set(spec.world, { result, label: options.label, onSpawn, ended });
    void ended.then(() => this.#running.delete(spec.world));
    if (!spec.shared.some((ranks) => ranks.length === spec.engines.length)) void watch(host, spec, ended);
    return result;
  }

  async #spawn({ world, n, kind, main, args, parents, hosts, root }: SpawnWish): Promise<Spawned> {
    const parent = this.#running.get(world);
    if (!parent) throw new MpiError('The run that spawns has ended');
    // Those that are about to go count as long as they are there.
    await Promise.all(this.#leaving);
    const children = await startEngines(this.#host.client, n, kind);
    const ids = children.map(({ id }) => id);
    const remove = (): Promise<void> => removeEngines(this.#host.client, ids);
    try {
      const bridge: RunSpec = {
        world: newWorld(),
        engines: [...parents, ...ids],
        hosts: [...hosts, ...children.map(({ host }) => host)],
        shared: [],
      };
      const spec: RunSpec = { ...specFor(children), parent: { bridge, parents: parents.length, root } };
      const callable = typeof main === 'string' ? remote(new URL(main), 'default') : main;
      const { label, onSpawn } = parent;
      const result = this.begin(spec, callable, args, { label: `${label}: spawned` }, onSpawn);
      onSpawn?.(result);
      const ended = Promise.resolve(result.settled());
      const removed = ended.then(() => {
        const going = remove();
        this.#leaving.add(going);
        return going.finally(() => this.#leaving.delete(going));
      });
      void watch(this.#host, bridge, ended);
      // Nobody is left who could wait for them.
      this.#children.set(spec.world, { result, removed });
      void parent.ended.then(() => {
        this.#children.delete(spec.world);
        result.cancel('the run that has spawned them has ended').catch(() => {});
      });
      return { world: spec.world, parent: spec.parent! };
    } catch (error) {
      await remove();
      throw error;
    }
  }

  /** They have ended, and their engines have gone. @throws SpawnError when some have failed */
  async #ended(world: number): Promise<void> {
    const failure = await this.#outcome(world);
    if (failure) throw failure;
  }

  /** They are not wanted any more: gives what they have failed with. */
  async #unspawn(world: number): Promise<Error | undefined> {
    await this.#children
      .get(world)
      ?.result.cancel('not all of them could begin')
      .catch(() => {});
    return this.#outcome(world);
  }

  async #outcome(world: number): Promise<SpawnError | undefined> {
    const children = this.#children.get(world);
    if (!children) return undefined;
    await children.removed;
    return failureOf(children.result);
  }
}

/** Of the children, by their rank. */
async function failureOf(result: AsyncResult<any[], any>): Promise<SpawnError | undefined> {
  const errors = new Array<Error | undefined>(result.targets.length).fill(undefined);
  for (const part of await result.settled())
    if (part.status === 'rejected') errors[result.targets.indexOf(part.engine)] = part.reason as Error;
  return errors.some((error) => error !== undefined) ? spawnError('have failed', errors) : undefined;
}

function spawnError(what: string, errors: readonly (Error | undefined)[]): SpawnError {
  const failed = errors.flatMap((error, rank) => (error ? [`\n  child ${rank}: ${error.message}`] : []));
  return new SpawnError(
    `${failed.length} of ${errors.length} ranks that were spawned ${what}:${failed.join('')}`,
    errors,
  );
}

/** One at a time, so that each tells why it could not be started. */
async function startEngines(client: Client, n: number, kind: 'thread' | 'process' | undefined): Promise<EngineInfo[]> {
  if (kind !== undefined && kind !== 'thread' && kind !== 'process')
    throw new UsageError(`spawn: a kind of engines is 'thread' or 'process'; got ${String(kind)}`);
  const started = await Promise.allSettled(Array.from({ length: n }, () => client.add(1, kind)));
  const ids = started.flatMap((one) => (one.status === 'fulfilled' ? one.value : [])).sort((a, b) => a - b);
  const errors = started.map((one) => (one.status === 'rejected' ? (one.reason as Error) : undefined));
  const lack = errors.filter((error) => error !== undefined).length;
  if (lack) {
    await removeEngines(client, ids);
    throw spawnError(
      `found no engine; the cluster has ${client.engines.length}, and could not start ${lack} more`,
      errors,
    );
  }
  await client.status(); // news of them has come before
  return ids.map((id) => {
    const info = client.engines.find((engine) => engine.id === id);
    if (info) return info;
    throw new SpawnError(`Engine ${id} was lost before a rank could begin on it`, []);
  });
}

/** Some may have gone by themselves. */
async function removeEngines(client: Client, ids: readonly number[]): Promise<void> {
  const there = ids.filter((id) => client.engines.some((engine) => engine.id === id));
  try {
    if (there.length) await client.remove(there, { drain: DRAIN });
  } catch {
    // The client has left, or the cluster is stopping: they end with it.
  }
}
