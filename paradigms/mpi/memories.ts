/** Memory that ranks of one process give each other by name: that of their world, those of their windows. */
import { MpiError } from './errors.ts';
import { Request, settledWith } from './request.ts';
import type { World } from './world.ts';

export class Memories {
  readonly #world: World;
  readonly #give: (rank: number, name: string, memory: SharedArrayBuffer) => void;
  readonly #waiting = new Map<string, Request<SharedArrayBuffer>>();

  constructor(world: World, give: (rank: number, name: string, memory: SharedArrayBuffer) => void) {
    this.#world = world;
    this.#give = give;
  }

  give(rank: number, name: string, memory: SharedArrayBuffer): void {
    this.#give(rank, name, memory);
  }

  /** Everybody gives memory to everybody; what came, by rank of the members. */
  async exchange(name: string, members: readonly number[], own: SharedArrayBuffer): Promise<SharedArrayBuffer[]> {
    const { rank } = this.#world;
    for (const member of members) if (member !== rank) this.#give(member, name, own);
    return Promise.all(members.map((member) => (member === rank ? own : this.of(member, name))));
  }

  /** Another rank's memory has come. */
  receive(rank: number, name: string, memory: SharedArrayBuffer): void {
    const key = `${rank} ${name}`;
    const waiting = this.#waiting.get(key);
    if (waiting) waiting.resolve(memory);
    else this.#waiting.set(key, settledWith(memory));
  }

  async of(rank: number, name: string): Promise<SharedArrayBuffer> {
    const { lost, onLoss } = this.#world;
    const key = `${rank} ${name}`;
    let waiting = this.#waiting.get(key);
    if (!waiting) this.#waiting.set(key, (waiting = new Request()));
    const listener = (gone: number): void => {
      if (gone === rank) waiting.reject(new MpiError(`Rank ${rank} is gone: ${lost.get(rank)}`));
    };
    onLoss.add(listener);
    try {
      return await waiting;
    } finally {
      this.#waiting.delete(key);
      onLoss.delete(listener);
    }
  }
}
