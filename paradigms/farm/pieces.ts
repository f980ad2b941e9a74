/**
 * Many small values as one: their sizes, and all their bytes in a row. Of a value that waits for others there is a row of numbers for
 * each of them, and what has come of them lies behind it. A large value is a part of its own, which nobody copies on its way. A value
 * that is in several parts, or needs code, goes along as the parcel that it is.
 */
import type { Parcel } from '../../core/index.ts';
import { Column } from './column.ts';

export interface Packed {
  readonly sizes: Uint32Array;
  readonly bytes: Uint8Array;
  readonly needs: Uint32Array;
  readonly large: readonly Uint8Array[];
  readonly parcels: readonly Parcel[];
}

/** A size that says: the next of the parcels. */
const PARCEL = 2 ** 32 - 1;
/** … of the large ones. */
const PART = 2 ** 32 - 2;
/** From here on a part costs less than copies do. Bytes. */
const LARGE = 16 * 1024;
/** Of a need: the index of the value, client, call, engine, incarnation, is it settled, and the size of what has come, plus one. */
const ROW = 7;

/** Where a value lies: as bytes in memory that it shares with others, or as a parcel. */
export type Piece = { readonly source: Uint8Array; readonly from: number; readonly size: number } | Parcel;

export class Pieces {
  /** For the message that takes them along. */
  readonly sizes = new Column(Uint32Array);
  readonly bytes = new Column(Uint8Array);
  readonly needs = new Column(Uint32Array);
  #large: Uint8Array[] = [];
  #largeBytes = 0;
  #parcels: Parcel[] = [];

  /** Without those that are parcels. */
  get byteLength(): number {
    return this.bytes.length + this.#largeBytes;
  }

  /** The bytes must stay as they are. */
  add(source: Uint8Array, from = 0, size = source.length - from): void {
    if (size >= LARGE) {
      this.#addLarge(size === source.length ? source : source.subarray(from, from + size));
      return;
    }
    this.sizes.push(size);
    this.bytes.append(source, from, size);
  }

  addParcel(parcel: Parcel): void {
    const { payload, code, needs, values } = parcel;
    const body = payload.parts[0]!;
    const compact = isFlat(payload) && !code.length && (!values || values.every((value) => !value || isFlat(value)));
    // What has come of others lies in the row of bytes behind it.
    if (!compact || (needs.length && body.length >= LARGE)) {
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
  readonly take = (source: Uint8Array, from: number, size: number): void => {
    if (size >= LARGE) this.#addLarge(Uint8Array.prototype.slice.call(source, from, from + size));
    else this.add(source, from, size);
  };

  #addLarge(part: Uint8Array): void {
    this.sizes.push(PART);
    this.#large.push(part);
    this.#largeBytes += part.length;
  }

  /** For the message, behind its columns. */
  readonly takeLarge = (): Uint8Array[] => {
    this.#largeBytes = 0;
    return this.#large.length ? this.#large.splice(0) : NOTHING;
  };

  /** Those among them that are no mere bytes. */
  takeParcels(): Parcel[] {
    return this.#parcels.length ? this.#parcels.splice(0) : NONE;
  }
}

const NONE: Parcel[] = [];
const NOTHING: Uint8Array[] = [];

function isFlat({ codec, parts }: Parcel['payload']): boolean {
  return codec === 'msgpack' && parts.length === 1;
}

/** How many of them are parts of their own. */
export function largeAmong(sizes: Uint32Array): number {
  let count = 0;
  for (let i = 0; i < sizes.length; i++) if (sizes[i] === PART) count++;
  return count;
}

/** Reads them one after the other; `source`, `from` and `size` are those of the last one, unless `parcel` is set. */
export class PieceReader {
  source: Uint8Array;
  from = 0;
  size = 0;
  parcel: Parcel | undefined;
  #packed: Packed;
  #make: typeof Parcel;
  #index = 0;
  #parcels = 0;
  #large = 0;
  #needs = 0;
  #end = 0;

  /** `make`: halves on engines have it from elsewhere. */
  constructor(packed: Packed, make: typeof Parcel) {
    this.#packed = packed;
    this.#make = make;
    this.source = packed.bytes;
  }

  next(): void {
    const { sizes, bytes, needs, large, parcels } = this.#packed;
    const index = this.#index++;
    const size = sizes[index]!;
    this.parcel = undefined;
    if (size === PART) {
      const part = large[this.#large++];
      if (!part) throw new RangeError('A message of the farm without all of its parts');
      this.source = part;
      this.from = 0;
      this.size = this.source.length;
      return;
    }
    this.source = bytes;
    this.from = this.#end;
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
