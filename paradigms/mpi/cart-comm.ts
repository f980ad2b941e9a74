/** A communicator whose ranks are places of a grid. */
import { Comm } from './comm.ts';
import { PROC_NULL } from './constants.ts';
import type { Core } from './core.ts';
import { MpiError } from './errors.ts';
import { Grid } from './grid.ts';
import { type Packet, packed, unpacked } from './packet.ts';
import { Request } from './request.ts';
import { on } from './round.ts';

export class CartComm extends Comm {
  readonly #grid: Grid;

  constructor(core: Core, grid: Grid) {
    super(core);
    this.#grid = grid;
  }

  get dims(): readonly number[] {
    return this.#grid.dims;
  }
  get periods(): readonly boolean[] {
    return this.#grid.periods;
  }
  /** Of this rank. */
  get coords(): number[] {
    return this.#grid.coordsOf(this.rank);
  }

  coordsOf(rank: number): number[] {
    if (!Number.isInteger(rank) || rank < 0 || rank >= this.size)
      throw new MpiError(`coordsOf: there is no rank ${String(rank)}; the grid has ranks 0 to ${this.size - 1}`);
    return this.#grid.coordsOf(rank);
  }

  /** PROC_NULL beyond an edge. */
  rankAt(coords: readonly number[]): number {
    return this.#grid.rankAt(coords);
  }

  /** For sendrecv along a dimension: whom this rank receives from and sends to; PROC_NULL beyond an edge. */
  shift(dimension: number, by = 1): { source: number; dest: number } {
    return this.#grid.shift(this.rank, dimension, by);
  }

  /** In each dimension the rank before and the rank after; PROC_NULL beyond an edge. */
  get neighbors(): number[] {
    return this.#grid.neighbors(this.rank);
  }

  /** Grids of the dimensions that remain: one for each place in the others. Collective. */
  sub(remain: readonly boolean[]): Request<CartComm> {
    if (!Array.isArray(remain) || remain.length !== this.dims.length)
      throw new MpiError(
        `sub takes a boolean for each of the ${this.dims.length} dimensions; got ${JSON.stringify(remain)}`,
      );
    const { coords } = this;
    const fixed = new Grid(
      this.dims.map((n, d) => (remain[d] ? 1 : n)),
      this.periods,
    );
    const color = fixed.rankAt(coords.map((at, d) => (remain[d] ? 0 : at)));
    const grid = new Grid(
      this.dims.filter((_, d) => remain[d]),
      this.periods.filter((_, d) => remain[d]),
    );
    const made = new Request<CartComm>();
    const split = this.split(color, this.rank);
    split.whenSettled(() =>
      split.failed ? made.reject(split.error) : made.resolve(new CartComm(split.take()!.core, grid)),
    );
    return made;
  }

  /** The values of the neighbours, in their order; undefined for PROC_NULL. Collective. */
  neighborAllgather<T = any>(value: T): Request<(T | undefined)[]> {
    const packet = packed(value);
    return this.#exchange('neighborAllgather', () => packet);
  }

  /** Value i goes to neighbour i; gives what came from each. Collective. */
  neighborAlltoall<T = any>(values: readonly T[]): Request<(T | undefined)[]> {
    const { neighbors } = this;
    if (!Array.isArray(values) || values.length !== neighbors.length)
      throw new MpiError(`neighborAlltoall takes one value for each of the ${neighbors.length} neighbours`);
    const packets = values.map(packed);
    return this.#exchange('neighborAlltoall', (i) => packets[i]!);
  }

  #exchange<T>(
    name: 'neighborAllgather' | 'neighborAlltoall',
    packet: (i: number) => Packet,
  ): Request<(T | undefined)[]> {
    const { neighbors } = this;
    return this.core.collective(name, {}, function* (round) {
      const sends: Request[] = [];
      // What goes to the one before comes there from the one after: where both are the same rank, in that order.
      for (const i of neighbors.keys())
        if (neighbors[i] !== PROC_NULL) sends.push(round.send(neighbors[i]!, packet(i)));
      const opposite = (i: number): number => i ^ 1;
      const came: (T | undefined)[] = [];
      for (const i of neighbors.keys()) {
        const from = opposite(i);
        came[from] =
          neighbors[from] === PROC_NULL ? undefined : (unpacked(yield* on(round.receive(neighbors[from]!))) as T);
      }
      for (const send of sends) yield* on(send);
      return came;
    });
  }
}
