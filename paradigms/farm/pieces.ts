/**
 * Many small values as one: their sizes, and all their bytes in a row. A value that is in several parts, or needs code or other
 * results, goes along as the parcel that it is.
 */
import type { Parcel } from '../../core/index.ts';
import { Column } from './column.ts';

export interface Packed {
  sizes: Uint32Array;
  bytes: Uint8Array;
  parcels: Parcel[];
}

/** A size that says: the next of the parcels. */
const PARCEL = 2 ** 32 - 1;
/** Below this a loop is faster than `set`. Bytes. */
const FEW = 24;

/** Where a value lies: as bytes in memory that it shares with others, or as a parcel. */
export type Piece = { readonly source: Uint8Array; readonly from: number; readonly size: number } | Parcel;

export class Pieces {
  #sizes = new Column(Uint32Array);
  #bytes = new Uint8Array(1024);
  #used = 0;
  #parcels: Parcel[] = [];

  get count(): number {
    return this.#sizes.length;
  }
  /** How many bytes there are so far. */
  get bytes(): number {
    return this.#used;
  }

  add(source: Uint8Array, from = 0, size = source.length - from): void {
    this.#sizes.push(size);
    const at = this.#used;
    const end = at + size;
    if (end > this.#bytes.length) this.#grow(end);
    if (size < FEW) {
      const bytes = this.#bytes;
      for (let i = 0; i < size; i++) bytes[at + i] = source[from + i]!;
    } else this.#bytes.set(source.subarray(from, from + size), at);
    this.#used = end;
  }

  addParcel(parcel: Parcel): void {
    const { flat } = parcel;
    if (flat) {
      this.add(flat);
      return;
    }
    this.#sizes.push(PARCEL);
    this.#parcels.push(parcel);
  }

  /** For whoever lends bytes. */
  readonly take = (source: Uint8Array, from: number, size: number): void => this.add(source, from, size);

  /** What has been added; it begins anew then. */
  empty(): Packed {
    const bytes = new Uint8Array(this.#bytes.subarray(0, this.#used));
    const packed = { sizes: this.#sizes.empty(), bytes, parcels: this.#parcels };
    this.#parcels = [];
    this.#used = 0;
    return packed;
  }

  #grow(least: number): void {
    const larger = new Uint8Array(Math.max(least, 2 * this.#bytes.length));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}

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
