/** Parents and children of a spawn as one world: what goes between them goes through it. */
import { Comm } from './comm.ts';
import { Intercomm } from './intercomm.ts';
import type { Request } from './request.ts';
import type { Wiring } from './wiring.ts';
import type { World } from './world.ts';

const READY = 0;

export class Bridge {
  readonly wiring: Wiring;
  readonly intercomm: Intercomm;
  /** Of both sides. */
  readonly #inner: Comm;
  readonly #parents: number;
  #parted: Promise<void> | undefined;

  /** @param left called when nothing goes over it any more */
  constructor(wiring: Wiring, parents: number, left: () => void) {
    const { world } = wiring;
    const all = wiring.spec.engines.map((_, rank) => rank);
    const [mine, theirs] =
      world.rank < parents ? [all.slice(0, parents), all.slice(parents)] : [all.slice(parents), all.slice(0, parents)];
    this.wiring = wiring;
    this.#parents = parents;
    this.#inner = new Comm(world.communicators.open(all, 0));
    this.intercomm = new Intercomm(world.communicators.open(theirs, 2, mine.indexOf(world.rank)), {
      inner: this.#inner,
      mine,
      part: async () => {
        // What was made of both sides still needs it.
        if (world.communicators.size > 1) return;
        await this.part();
        left();
      },
    });
  }

  /** This rank is one of the parents. */
  get ofParents(): boolean {
    return this.world.rank < this.#parents;
  }

  get world(): World {
    return this.wiring.world;
  }

  /** Of a child: it has come. */
  ready(root: number): Request<undefined> {
    return this.#inner.send('ready', root, READY);
  }

  /** Of the root of the parents: all children have come. */
  allReady(): Request<unknown[]> {
    const { size } = this.#inner;
    const children = Array.from({ length: size - this.#parents }, (_, i) => this.#parents + i);
    return this.#inner.waitAll(children.map((child) => this.#inner.recv(child, READY)));
  }

  /** This rank will not use it any more. */
  part(): Promise<void> {
    return (this.#parted ??= this.world.part());
  }
}
