/** A collective as its algorithm sees it where threads block: arrays are exchanged step by step, mostly without requests. */
import type { TypedArray } from './arrays.ts';
import type { Core } from './core.ts';
import { packedArray, unpacked } from './packet.ts';
import type { Request } from './request.ts';
import { Round } from './round.ts';

export class BlockedRound {
  readonly rank: number;
  readonly size: number;
  readonly #core: Core;
  readonly #number: number;
  readonly #signature: number;

  constructor(core: Core, number: number, signature: number) {
    this.#core = core;
    this.rank = core.rank;
    this.size = core.size;
    this.#number = number;
    this.#signature = signature;
  }

  /**
   * Sends one array and receives another one; -1: to nobody, from nobody. What is returned is what came: in `room` if it fits
   * there, else in an array of its own, of whatever type and length.
   */
  exchange(to: number, array: TypedArray, from: number, room: TypedArray): unknown {
    const told = to < 0 ? undefined : this.#send(to, array);
    const came = from < 0 ? undefined : this.#receive(from, room);
    if (told) this.#core.world.waiting.wait(told);
    return came;
  }

  #send(to: number, array: TypedArray): Request | undefined {
    const { straight, context } = this.#core;
    if (straight.sendArray(to, array, context + 1, this.#number, this.#signature)) return undefined;
    return this.#round.send(to, packedArray(array));
  }

  #receive(from: number, room: TypedArray): unknown {
    const core = this.#core;
    const { straight, context, world } = core;
    const came = straight.receiveArray(from, room, context + 1, this.#number, this.#signature);
    if (came) return came.count === room.length ? room : room.subarray(0, came.count);
    core.checkCall(this.#number);
    const receive = this.#round.receive(from);
    world.lookout.began(receive, () => core.describe(this.#number, this.#signature));
    return unpacked(world.waiting.wait(receive));
  }

  get #round(): Round {
    return new Round(this.#core, this.#number, this.#signature);
  }
}
