/** Ranks as places of a grid: pure arithmetic. */
import { PROC_NULL } from './constants.ts';
import { MpiError } from './errors.ts';

export class Grid {
  readonly dims: readonly number[];
  readonly periods: readonly boolean[];

  constructor(dims: readonly number[], periods: readonly boolean[]) {
    const sound = Array.isArray(dims) && dims.every((n) => Number.isInteger(n) && n > 0);
    if (!sound) throw new MpiError(`A grid has 1 or more places in each dimension; got ${JSON.stringify(dims)}`);
    if (!Array.isArray(periods) || periods.length !== dims.length)
      throw new MpiError(`A grid of ${dims.length} dimensions takes as many periods; got ${JSON.stringify(periods)}`);
    this.dims = dims;
    this.periods = periods;
  }

  get size(): number {
    return this.dims.reduce((product, n) => product * n, 1);
  }

  /** The last dimension counts fastest. */
  coordsOf(rank: number): number[] {
    const coords = new Array<number>(this.dims.length);
    let rest = rank;
    for (let d = this.dims.length - 1; d >= 0; d--) {
      coords[d] = rest % this.dims[d]!;
      rest = Math.floor(rest / this.dims[d]!);
    }
    return coords;
  }

  /** PROC_NULL beyond an edge; where the dimension is periodic, there is none. */
  rankAt(coords: readonly number[]): number {
    if (coords.length !== this.dims.length)
      throw new MpiError(`A place in a grid of ${this.dims.length} dimensions; got ${JSON.stringify(coords)}`);
    let rank = 0;
    for (let d = 0; d < coords.length; d++) {
      const n = this.dims[d]!;
      let at = coords[d]!;
      if (this.periods[d]) at = ((at % n) + n) % n;
      else if (at < 0 || at >= n) return PROC_NULL;
      rank = rank * n + at;
    }
    return rank;
  }

  /** Whom a shift by `by` places comes from, and whom it goes to. */
  shift(rank: number, dimension: number, by: number): { source: number; dest: number } {
    if (!Number.isInteger(dimension) || dimension < 0 || dimension >= this.dims.length)
      throw new MpiError(`shift: the grid has dimensions 0 to ${this.dims.length - 1}; got ${String(dimension)}`);
    const coords = this.coordsOf(rank);
    const moved = (step: number): number => this.rankAt(coords.map((at, d) => (d === dimension ? at + step : at)));
    return { source: moved(-by), dest: moved(by) };
  }

  /** In each dimension the one before and the one after. */
  neighbors(rank: number): number[] {
    return this.dims.flatMap((_, d) => {
      const { source, dest } = this.shift(rank, d, 1);
      return [source, dest];
    });
  }
}
