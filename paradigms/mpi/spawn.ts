/** How a running world starts another one: its root has the run's client start engines, and all of it meet those who come. */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { UsageError } from '../../core/index.ts';
import { broadcast } from './collective-calls.ts';
import type { Comm } from './comm.ts';
import type { Core } from './core.ts';
import { MpiError } from './errors.ts';
import type { Intercomm } from './intercomm.ts';
import { packed, unpacked } from './packet.ts';
import { type Request, requestOf } from './request.ts';
import { on } from './round.ts';
import type { Run } from './run.ts';
import type { ParentSpec } from './run-spec.ts';

export interface SpawnOptions<A extends readonly unknown[] = readonly unknown[]> {
  /** For the main, after its communicator. */
  args?: A;
  /** Whose main and arguments count. Default 0. */
  root?: number;
  /** Of the engines that are started. Default: what the cluster starts. */
  kind?: 'thread' | 'process';
}

/** A main, or a module whose default export it is. */
export type SpawnMain<A extends readonly unknown[]> = ((comm: Comm, ...args: A) => unknown) | URL | string;

export type Spawn = (core: Core, n: number, main: unknown, options: SpawnOptions) => Request<Intercomm>;

/** What the client is asked. */
export interface SpawnWish {
  /** Whose rank asks. */
  readonly world: number;
  readonly n: number;
  readonly kind: 'thread' | 'process' | undefined;
  /** The URL of a module, or a parcel with a function and its arguments. */
  readonly main: unknown;
  readonly args: readonly unknown[];
  readonly parents: readonly number[];
  readonly hosts: readonly string[];
  readonly root: number;
}

/** Of the client: the world that was begun, and how its ranks find those who wanted it. */
export interface Spawned {
  readonly world: number;
  readonly parent: ParentSpec;
}

type Outcome = { parent: ParentSpec } | { error: Error };

export function spawning(run: Run): Spawn {
  return (core, n, main, options) => {
    const { root = 0 } = options;
    core.check('spawn');
    if (!Number.isInteger(root) || root < 0 || root >= core.size)
      throw new MpiError(
        `spawn: there is no rank ${String(root)} to be the root; ${core.name} has ranks 0 to ${core.size - 1}`,
      );
    const starting = core.rank === root ? requestOf(start(run, core, n, main, { ...options, root })) : undefined;
    // That it fails is an outcome like any other: the communicator is as good as before.
    const told = core.collective<Outcome>('spawn', { root }, function* (round) {
      const packet = starting && packed(yield* on(starting));
      return unpacked(yield* broadcast(round, packet, root)) as Outcome;
    });
    return requestOf(
      (async () => {
        const outcome = await told;
        if ('error' in outcome) throw outcome.error;
        const { parent } = outcome;
        const there = [...run.bridges].find(({ wiring }) => wiring.spec.world === parent.bridge.world);
        return (there ?? (await run.bridge(parent))).intercomm;
      })(),
    );
  };
}

/** At the root. Resolves when all children are there, or with why they are not. */
async function start(
  run: Run,
  { world, members, rank }: Core,
  n: number,
  main: unknown,
  { args = [], kind }: SpawnOptions,
): Promise<Outcome> {
  const client = run.host.client(run.client);
  world.lookout.outside++;
  try {
    if (!Number.isInteger(n) || n < 1) throw new UsageError(`spawn takes how many: 1, 2, 3, …; got ${String(n)}`);
    const wish: SpawnWish = {
      world: run.wiring.spec.world,
      n,
      kind,
      ...(await travelling(run, main, args)),
      parents: members.map((member) => run.engineOf(world, member)),
      hosts: members.map((member) => world.hosts[member]!),
      root: rank,
    };
    const spawned = await client.ask<Spawned>('spawn', wish);
    const bridge = await run.bridge(spawned.parent);
    const ended = client.ask('spawned', spawned.world);
    try {
      // They may have ended before what they have said to us comes: that they failed is what counts.
      const ready = bridge.allReady();
      await Promise.race([ready, ended.then(() => ready)]);
    } catch (error) {
      await bridge.world.leave('not all of the ranks that were spawned could begin', error);
      run.leave(bridge);
      throw (await client.ask<Error | undefined>('unspawn', spawned.world)) ?? error;
    }
    ended.catch(() => {});
    run.spawned.push(() => whenEnded(ended, bridge.world.noticed));
    return { parent: spawned.parent };
  } catch (error) {
    return { error: error as Error };
  } finally {
    world.lookout.outside--;
  }
}

/** A function takes along what it has captured; a module is bundled where the run was started. */
async function travelling(
  run: Run,
  main: unknown,
  args: readonly unknown[],
): Promise<Pick<SpawnWish, 'main' | 'args'>> {
  if (typeof main === 'function') return { main: await run.host.codeParcel([main, args]), args: [] };
  if (main instanceof URL) return { main: main.href, args };
  if (typeof main === 'string') return { main: pathToFileURL(path.resolve(main)).href, args };
  throw new UsageError(
    `spawn takes a function main(comm, …args), or the path or URL of a module that has it as its default export; got ${main === null ? 'null' : typeof main}`,
  );
}

/** That children have failed fails who has spawned them, unless it has been told of it before. */
async function whenEnded(ended: Promise<unknown>, noticed: ReadonlySet<number>): Promise<void> {
  try {
    await ended;
  } catch (error) {
    if (!noticed.size) throw error;
  }
}
