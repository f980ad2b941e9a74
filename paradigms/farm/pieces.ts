/**
 * Many small values as one: their sizes, and all their bytes in a row. Of a value that waits for others there is a row of numbers for
 * each of them, and what has come of them lies behind it. A value that is in several parts, or needs code, goes along as the parcel
 * that it is.
 */
import type { Parcel } from '../../core/index.ts';
import { Column } from './column.ts';

export interface Packed {
  readonly sizes: Uint32Array;
  readonly bytes: Uint8Array;
  readonly needs: Uint32Array;
  readonly parcels: readonly Parcel[];
}

/** A size that says: the next of the parcels. */
const PARCEL = 2 ** 32 - 1;
/** Of a need: the index of the value, client, call, engine, incarnation, is it settled, and the size of what has come, plus one. */
const ROW = 7;

/** Where a value lies: as bytes in memory that it shares with others, or as a parcel. */
export type Piece = { readonly source: Uint8Array; readonly from: number; readonly size: number } | Parcel;

export class Pieces {
  /** For the message that takes them along. */
  readonly sizes = new Column(Uint32Array);
  readonly bytes = new Column(Uint8Array);
  readonly needs = new Column(Uint32Array);
  #parcels: Parcel[] = [];

  add(source: Uint8Array, from = 0, size = source.length - from): void {
    this.sizes.push(size);
    this.bytes.append(source, from, size);
  }

  addParcel(parcel: Parcel): void {
    const { payload, code, needs, values } = parcel;
    const body = payload.parts[0]!;
    const compact =
      payload.codec === 'msgpack' &&
      payload.parts.length === 1 &&
      !code.length &&
      (!values || values.every((value) => !value || (value.codec === 'msgpack' && value.parts.length === 1)));
    if (!compact) {
      this.sizes.push(PARCEL);
      this.#parcels.push(parcel);
      return;
    }
    const index = this.sizes.length;
    this.add(body);
    for (const [i, { client, call, engine, incarnation, settled }] of needs.entries()) {
      const come = values?.[i]?.parts[0];
      this.needs.pushAll(index, client, call, engine, incarnation, settled ? 1 : 0, come ? come.length + 1 : 0);
      if (come) this.bytes.append(come, 0, come.length);
    }
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
  #make: typeof Parcel;
  #index = 0;
  #parcels = 0;
  #needs = 0;
  #end = 0;

  /** `make`: halves on engines have it from elsewhere. */
  constructor(packed: Packed, make: typeof Parcel) {
    this.#packed = packed;
    this.#make = make;
    this.source = packed.bytes;
  }

  next(): void {
    const { sizes, needs, parcels } = this.#packed;
    const index = this.#index++;
    const size = sizes[index]!;
    this.from = this.#end;
    this.parcel = undefined;
    if (size === PARCEL) {
      this.parcel = parcels[this.#parcels++]!;
      this.size = 0;
      return;
    }
    this.size = size;
    this.#end += size;
    if (this.#needs < needs.length && needs[this.#needs] === index) this.parcel = this.#withNeeds(index);
  }

  #withNeeds(index: number): Parcel {
    const rows = this.#packed.needs;
    const needs: Parcel['needs'][number][] = [];
    const values: ({ codec: 'msgpack'; parts: Uint8Array[] } | undefined)[] = [];
    const parts = [this.#slice(this.from, this.size)];
    for (let at = this.#needs; at < rows.length && rows[at] === index; at += ROW) {
      const need = { client: rows[at + 1]!, call: rows[at + 2]!, engine: rows[at + 3]!, incarnation: rows[at + 4]! };
      needs.push(rows[at + 5] ? { ...need, settled: true } : need);
      const size = rows[at + 6]!;
      values.push(size ? { codec: 'msgpack', parts: [this.#slice(this.#end, size - 1)] } : undefined);
      if (size) this.#end += size - 1;
      this.#needs = at + ROW;
    }
    return new this.#make(
      { codec: 'msgpack', parts },
      [],
      needs,
      [],
      undefined,
      values.some(Boolean) ? values : undefined,
    );
  }

  #slice(from: number, size: number): Uint8Array {
    return this.source.subarray(from, from + size);
  }
}
