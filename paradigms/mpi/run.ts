/** One rank of one run on its engine: from its links to what its main returns. */
import { task } from '../../core/engine/inside.ts';
import { type EngineHost, UsageError } from '../../core/index.ts';
import { CartComm } from './cart-comm.ts';
import { type ChannelFrame, channelLink, deliverFrame } from './channel-link.ts';
import { Comm } from './comm.ts';
import { deadlock } from './deadlock.ts';
import { AbortedError, MpiError, RankExitError, RankLostError } from './errors.ts';
import { Exit, untilExit } from './rank-exit.ts';
import type { RunSpec } from './run-spec.ts';
import { selfLink } from './self-link.ts';
import { SharedLinks } from './shared-links.ts';
import { SharedMemory, type Snapshot } from './shared-memory.ts';
import { World } from './world.ts';

const WORLD_MEMORY = 'world';

export class Run {
  readonly #host: EngineHost;
  readonly #spec: RunSpec;
  readonly #world: World;
  readonly #rank: number;
  #connected = false;
  /** What came before the links were there. */
  #early: { from: number; frame: ChannelFrame }[] = [];

  constructor(host: EngineHost, spec: RunSpec) {
    this.#host = host;
    this.#spec = spec;
    this.#rank = spec.engines.indexOf(host.id);
    this.#world = new World({
      cart: (core, grid) => new CartComm(core, grid),
      rank: this.#rank,
      size: spec.engines.length,
      hosts: spec.hosts,
      giveMemory: (rank, name, memory) =>
        host.engine(spec.engines[rank]!).tell('memory', { world: spec.world, name, memory }),
    });
  }

  /** Settles with what the main returns, when all ranks have ended. */
  async run(main: unknown, args: readonly unknown[]): Promise<unknown> {
    const world = this.#world;
    const { signal } = task;
    const cancel = (): void => world.end(new AbortedError(`The run was cancelled: ${reasonOf(signal.reason)}`, 130));
    if (signal.aborted) cancel();
    else signal.addEventListener('abort', cancel, { once: true });
    try {
      if (typeof main !== 'function')
        throw new UsageError(`run takes a function main(comm, …args); got ${main === null ? 'null' : typeof main}`);
      await Promise.race([this.#connect(), world.ended]);
      const everybody = this.#spec.engines.map((_, rank) => rank);
      const comm = new Comm(world.communicators.open(everybody, 0));
      const value = await Promise.race([untilExit(() => main(comm, ...args)), world.ended]).catch(exitOf);
      await world.finish();
      return value;
    } catch (error) {
      const own = error instanceof Exit ? this.#exitError(error) : error;
      await world.leave(reasonOf(own), own);
      throw withoutOurFrames(own);
    } finally {
      signal.removeEventListener('abort', cancel);
      world.ended.catch(() => {});
      world.close();
    }
  }

  frame(engine: number, frame: ChannelFrame): void {
    if (this.#spec.engines[frame.from] !== engine) return; // somebody else's
    if (this.#connected) deliverFrame(frame, this.#world.messenger);
    else this.#early.push({ from: engine, frame });
  }

  gotMemory(engine: number, name: string, memory: SharedArrayBuffer): void {
    this.#world.memories.receive(this.#spec.engines.indexOf(engine), name, memory);
  }

  engineLost(engine: number, reason: string): void {
    const rank = this.#spec.engines.indexOf(engine);
    if (rank >= 0 && rank !== this.#rank) this.#world.lose(rank, reason);
  }

  snapshot(): Snapshot {
    return this.#world.lookout.snapshot();
  }

  condemn(waits: readonly string[]): void {
    this.#world.end(deadlock(waits));
  }

  async #connect(): Promise<void> {
    const { engines, shared, world: id } = this.#spec;
    const { messenger } = this.#world;
    const members = shared.find((ranks) => ranks.includes(this.#rank)) ?? [];
    const links = members.length ? await this.#share(members) : undefined;
    engines.forEach((engine, rank) => {
      if (rank === this.#rank) messenger.connect(rank, selfLink(rank, messenger));
      else if (links && members.includes(rank)) messenger.connect(rank, links.linkTo(members.indexOf(rank)));
      else messenger.connect(rank, channelLink(this.#host.engine(engine), id, this.#rank));
    });
    if (links) this.#world.share(links.links, links.memory, members);
    this.#connected = true;
    for (const { frame } of this.#early.splice(0)) deliverFrame(frame, messenger);
  }

  /** The first of them makes the memory, and gives it to the others. */
  async #share(members: readonly number[]) {
    const world = this.#world;
    let memory: SharedMemory;
    if (members[0] === this.#rank) {
      memory = SharedMemory.create(members.length);
      for (const rank of members.slice(1)) world.memories.give(rank, WORLD_MEMORY, memory.memory);
      const made = memory;
      // Whoever is gone will not come for it.
      world.onLoss.add(() => made.attach());
    } else memory = new SharedMemory(await world.memories.of(members[0]!, WORLD_MEMORY), members.length);
    memory.attach();
    // A thread that blocked before could not send what is still on its way.
    if (members[0] === this.#rank) await memory.attached();
    const links = new SharedLinks(memory, members, members.indexOf(this.#rank), world.messenger);
    return { links, memory, linkTo: (member: number) => links.linkTo(member) };
  }

  #exitError({ exitCode }: Exit): RankExitError {
    return new RankExitError(`Rank ${this.#rank} has ended with process.exit(${exitCode})`, exitCode);
  }
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
