/** One rank of one run on its engine: from its links to what its main returns. */
import { task } from '../../core/engine/inside.ts';
import { type EngineHost, type Parcel, UsageError } from '../../core/index.ts';
import { Bridge } from './bridge.ts';
import { Comm } from './comm.ts';
import { AbortedError, MpiError, RankExitError, RankLostError } from './errors.ts';
import { Exit, untilExit } from './rank-exit.ts';
import type { ParentSpec, RunSpec } from './run-spec.ts';
import { spawning } from './spawn.ts';
import { Wiring } from './wiring.ts';
import type { World } from './world.ts';

/** Where frames for a world find it. */
export interface Worlds {
  add(wiring: Wiring): void;
  remove(wiring: Wiring): void;
}

export class Run {
  readonly host: EngineHost;
  readonly wiring: Wiring;
  /** Whose call it is. */
  readonly client: number;
  /** To worlds that this one has spawned, and to the one that has spawned it. */
  readonly bridges = new Set<Bridge>();
  /** Of what this rank, as the root, has spawned: each waits until it has ended. */
  readonly spawned: (() => Promise<void>)[] = [];
  readonly #worlds: Worlds;

  constructor(host: EngineHost, spec: RunSpec, worlds: Worlds) {
    this.host = host;
    this.client = Number(task.id.split('.')[0]);
    this.#worlds = worlds;
    this.wiring = new Wiring(host, spec, { spawn: spawning(this) });
  }

  get world(): World {
    return this.wiring.world;
  }

  /** Settles with what the main returns, when all ranks have ended. */
  async run(given: unknown, args: readonly unknown[]): Promise<unknown> {
    const { world } = this;
    const { signal } = task;
    const cancel = (): void => world.end(new AbortedError(`The run was cancelled: ${reasonOf(signal.reason)}`, 130));
    if (signal.aborted) cancel();
    else signal.addEventListener('abort', cancel, { once: true });
    const restore = announce(world);
    this.#worlds.add(this.wiring);
    world.onLoss.add((rank) => {
      const engine = this.wiring.spec.engines[rank]!;
      // Children have all come before any of them can fail; parents may not have.
      for (const { wiring, ofParents } of this.bridges)
        if (ofParents) wiring.world.pass(wiring.spec.engines.indexOf(engine), world.lost.get(rank)!);
    });
    try {
      await Promise.race([this.wiring.connect(), world.ended]);
      const everybody = this.wiring.spec.engines.map((_, rank) => rank);
      const comm = new Comm(world.communicators.open(everybody, 0));
      const { parent } = this.wiring.spec;
      if (parent) await Promise.race([this.#meet(parent), world.ended]);
      const [main, ...rest] = await this.#opened(given, args);
      const value = await Promise.race([untilExit(() => main(comm, ...rest)), world.ended]).catch(exitOf);
      for (const bridge of this.bridges) await Promise.race([bridge.part(), world.ended]);
      await world.finish();
      await Promise.race([Promise.all(this.spawned.map((ended) => ended())), world.ended]);
      return value;
    } catch (error) {
      const own = error instanceof Exit ? this.#exitError(error) : error;
      const reason = reasonOf(own);
      await Promise.all(
        [world, ...[...this.bridges].map((bridge) => bridge.world)].map((one) => one.leave(reason, own)),
      );
      throw withoutOurFrames(own);
    } finally {
      restore();
      signal.removeEventListener('abort', cancel);
      world.ended.catch(() => {});
      for (const bridge of [...this.bridges]) this.leave(bridge);
      world.close();
      this.#worlds.remove(this.wiring);
    }
  }

  /** A world of both sides, in which this engine has a rank, too. */
  async bridge({ bridge: spec, parents }: ParentSpec): Promise<Bridge> {
    const wiring = new Wiring(this.host, spec, { spawn: this.world.spawn, loose: true, name: 'parents and children' });
    const bridge = new Bridge(wiring, parents, () => this.leave(bridge));
    wiring.world.parent = this.world.parent;
    // Who ends one ends what is connected with it.
    wiring.world.ended.catch((error) => {
      if (error instanceof AbortedError) this.world.end(error);
    });
    this.bridges.add(bridge);
    this.#worlds.add(wiring);
    await wiring.connect();
    return bridge;
  }

  /** Of a rank of this world, or of one with both sides. */
  engineOf(world: World, rank: number): number {
    const bridge = [...this.bridges].find((one) => one.world === world);
    return (bridge?.wiring ?? this.wiring).spec.engines[rank]!;
  }

  leave(bridge: Bridge): void {
    if (!this.bridges.delete(bridge)) return;
    bridge.world.close();
    this.#worlds.remove(bridge.wiring);
  }

  async #meet(parent: ParentSpec): Promise<void> {
    const bridge = await this.bridge(parent);
    this.world.parent = bridge.world.parent = bridge.intercomm;
    await bridge.ready(parent.root);
  }

  /** The main, and its arguments. Of children they may be in a parcel. */
  async #opened(given: unknown, args: readonly unknown[]): Promise<[(...all: unknown[]) => unknown, ...unknown[]]> {
    const inParcel = this.wiring.spec.parent && typeof given === 'object' && given !== null;
    const [main, rest] = inParcel ? await this.host.open(given as Parcel<[unknown, unknown[]]>) : [given, args];
    if (typeof main !== 'function')
      throw new UsageError(`run takes a function main(comm, …args); got ${main === null ? 'null' : typeof main}`);
    return [main as () => unknown, ...rest];
  }

  #exitError({ exitCode }: Exit): RankExitError {
    return new RankExitError(`Rank ${this.world.rank} has ended with process.exit(${exitCode})`, exitCode);
  }
}

/** For programs that a rank starts. Gives how to take it back. */
function announce({ rank, size, hosts }: World): () => void {
  const local = hosts.slice(0, rank).filter((host) => host === hosts[rank]).length;
  const told = { TUTTI_RANK: rank, TUTTI_SIZE: size, TUTTI_LOCAL_RANK: local };
  const before = Object.keys(told).map((name) => [name, process.env[name]] as const);
  for (const [name, value] of Object.entries(told)) process.env[name] = String(value);
  return () => {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  };
}

/** `process.exit(0)` is a way to return. */
function exitOf(error: unknown): undefined {
  if (error instanceof Exit && error.exitCode === 0) return undefined;
  throw error;
}

/** Where in this paradigm an error was noticed says nothing to whoever wrote the main. */
function withoutOurFrames(error: unknown): unknown {
  if (error instanceof Error && error.stack)
    error.stack = error.stack.replace(
      /\n\s+at [^\n]*(?:tutti:\/\/\/?paradigm\/mpi-\w+\.js|new Promise \(<anonymous>\)|AsyncLocalStorage\.run)[^\n]*/g,
      '',
    );
  return error;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return `its main threw ${String(error)}`;
  if (error instanceof RankLostError) return `it could not go on without rank ${error.rank}, which was gone`;
  if (error instanceof RankExitError) return `it called process.exit(${error.exitCode})`;
  return error instanceof MpiError ? error.message : `its main threw ${error.name}: ${error.message}`;
}
