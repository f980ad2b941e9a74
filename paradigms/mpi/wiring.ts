/** A world's connection with the engines of its ranks: links to them, what comes from them, and their ends. */
import type { EngineHost } from '../../core/index.ts';
import { CartComm } from './cart-comm.ts';
import { type ChannelFrame, channelLink, deliverFrame } from './channel-link.ts';
import { deadlock } from './deadlock.ts';
import type { RunSpec } from './run-spec.ts';
import { selfLink } from './self-link.ts';
import { SharedLinks } from './shared-links.ts';
import { SharedMemory, type Snapshot } from './shared-memory.ts';
import { World, type WorldOptions } from './world.ts';

const WORLD_MEMORY = 'world';

export class Wiring {
  readonly spec: RunSpec;
  readonly world: World;
  readonly #host: EngineHost;
  #connected = false;
  /** What came before the links were there. */
  #early: ChannelFrame[] = [];

  constructor(host: EngineHost, spec: RunSpec, options: Pick<WorldOptions, 'spawn' | 'loose' | 'name'>) {
    this.#host = host;
    this.spec = spec;
    this.world = new World({
      cart: (core, grid) => new CartComm(core, grid),
      rank: spec.engines.indexOf(host.id),
      size: spec.engines.length,
      hosts: spec.hosts,
      giveMemory: (rank, name, memory) =>
        host.engine(spec.engines[rank]!).tell('memory', { world: spec.world, name, memory }),
      functions: { pack: (fn) => host.codeParcel(fn), open: (parcel) => host.open(parcel as never) },
      ...options,
    });
  }

  frame(engine: number, frame: ChannelFrame): void {
    if (this.spec.engines[frame.from] !== engine) return; // somebody else's
    if (this.#connected) deliverFrame(frame, this.world.messenger);
    else this.#early.push(frame);
  }

  gotMemory(engine: number, name: string, memory: SharedArrayBuffer): void {
    this.world.memories.receive(this.spec.engines.indexOf(engine), name, memory);
  }

  engineLost(engine: number, reason: string): void {
    const rank = this.spec.engines.indexOf(engine);
    if (rank >= 0 && rank !== this.world.rank) this.world.lose(rank, reason);
  }

  snapshot(): Snapshot {
    return this.world.lookout.snapshot();
  }

  condemn(waits: readonly string[]): void {
    this.world.end(deadlock(waits));
  }

  async connect(): Promise<void> {
    const { engines, shared, world: id } = this.spec;
    const { messenger, rank: me } = this.world;
    const members = shared.find((ranks) => ranks.includes(me)) ?? [];
    const links = members.length ? await this.#share(members) : undefined;
    engines.forEach((engine, rank) => {
      if (rank === me) messenger.connect(rank, selfLink(rank, messenger));
      else if (links && members.includes(rank)) messenger.connect(rank, links.linkTo(members.indexOf(rank)));
      else messenger.connect(rank, channelLink(this.#host.engine(engine), id, me));
    });
    if (links) this.world.share(links.links, links.memory, members);
    this.#connected = true;
    for (const frame of this.#early.splice(0)) deliverFrame(frame, messenger);
  }

  /** The first of them makes the memory, and gives it to the others. */
  async #share(members: readonly number[]) {
    const world = this.world;
    let memory: SharedMemory;
    if (members[0] === world.rank) {
      memory = SharedMemory.create(members.length);
      for (const rank of members.slice(1)) world.memories.give(rank, WORLD_MEMORY, memory.memory);
      const made = memory;
      // Whoever is gone will not come for it.
      world.onLoss.add(() => made.attach());
    } else memory = new SharedMemory(await world.memories.of(members[0]!, WORLD_MEMORY), members.length);
    memory.attach();
    // A thread that blocked before could not send what is still on its way.
    if (members[0] === world.rank) await memory.attached();
    const links = new SharedLinks(memory, members, members.indexOf(world.rank), world.messenger);
    return { links, memory, linkTo: (member: number) => links.linkTo(member) };
  }
}
