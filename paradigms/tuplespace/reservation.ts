/** A tuple that is set aside for whoever holds this. */
import type { Held, Link } from './link.ts';
import { Op } from './protocol.ts';
import type { Reservation } from './types.ts';

export class HeldTuple<T> implements Reservation<T> {
  readonly value: T;
  readonly #link: Link;
  readonly #handle: number;
  readonly #request: number;
  #settled = false;

  constructor(link: Link, handle: number, { request, tuple }: Held) {
    this.#link = link;
    this.#handle = handle;
    this.#request = request;
    this.value = tuple;
  }

  complete(): Promise<void> {
    return this.#settle(true);
  }

  release(): Promise<void> {
    return this.#settle(false);
  }

  /** Released, unless its holder has said what becomes of it. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#settled) await this.release().catch(() => {}); // its time is over, so it is back
  }

  #settle(taken: boolean): Promise<void> {
    this.#settled = true;
    return this.#link.call(Op.settle, this.#handle, { request: this.#request, taken });
  }
}
