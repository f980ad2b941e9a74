/**
 * Many small values as one: their sizes, and all their bytes in a row. A value that is in several parts, or needs code or other
 * results, goes along as the parcel that it is.
 */
import type { Parcel } from '../../core/index.ts';
import { Column } from './column.ts';

export interface Packed {
  readonly sizes: Uint32Array;
  readonly bytes: Uint8Array;
  readonly parcels: readonly Parcel[];
}

/** A size that says: the next of the parcels. */
const PARCEL = 2 ** 32 - 1;

/** Where a value lies: as bytes in memory that it shares with others, or as a parcel. */
export type Piece = { readonly source: Uint8Array; readonly from: number; readonly size: number } | Parcel;

export class Pieces {
  /** For the message that takes them along. */
  readonly sizes = new Column(Uint32Array);
  readonly bytes = new Column(Uint8Array);
  #parcels: Parcel[] = [];

  add(source: Uint8Array, from = 0, size = source.length - from): void {
    this.sizes.push(size);
    this.bytes.append(source, from, size);
  }

  addParcel(parcel: Parcel): void {
    const { flat } = parcel;
    if (flat) {
      this.add(flat);
      return;
    }
    this.sizes.push(PARCEL);
    this.#parcels.push(parcel);
  }

  /** For whoever lends bytes. */
  readonly take = (source: Uint8Array, from: number, size: number): void => this.add(source, from, size);

  /** Those among them that are no mere bytes. */
  takeParcels(): Parcel[] {
    return this.#parcels.length ? this.#parcels.splice(0) : NONE;
  }
}

const NONE: Parcel[] = [];

/** Reads them one after the other; `source`, `from` and `size` are those of the last one, unless `parcel` is set. */
export class PieceReader {
  readonly source: Uint8Array;
  from = 0;
  size = 0;
  parcel: Parcel | undefined;
  #packed: Packed;
  #index = 0;
  #parcels = 0;

  constructor(packed: Packed) {
    this.#packed = packed;
    this.source = packed.bytes;
  }

  next(): void {
    this.from += this.size;
    const size = this.#packed.sizes[this.#index++]!;
    if (size === PARCEL) {
      this.parcel = this.#packed.parcels[this.#parcels++]!;
      this.size = 0;
    } else {
      this.parcel = undefined;
      this.size = size;
    }
  }
}
