/**
 * The memory behind typed arrays, ArrayBuffers and SharedArrayBuffers: collected while a value is walked, then written
 * into the body (small) or beside it as a part of its own (large, or shared).
 */
import { comesBack, takeMemory } from './memory-pool.ts';
import type { Ownership } from './ownership.ts';
import { Slot } from './slot.ts';

/** Memory of this many bytes and more leaves the body. */
const OWN_PART = 4096;
/** Every element size divides it. */
const WORD = 8;

/** `['memory', shared, whole, bytes | part]`: `whole` when the ArrayBuffer itself is in the value, not only views of it. */
export type MemoryEntry = ['memory', boolean, boolean, Uint8Array | number];
/** `['view', class, memory, offset, elements]`; a DataView's elements are bytes. */
export type ViewEntry = ['view', string, Slot, number, number];

interface Region {
  buffer: ArrayBufferLike;
  entry: MemoryEntry;
  slot: Slot;
  views: ViewEntry[];
  /** The bytes that travel: those that some view covers, and what lies between. */
  low: number;
  high: number;
  given: boolean;
  /** All that is seen of it never changes. */
  lent: boolean;
}

export class Memories {
  private readonly table: unknown[];
  private readonly regions: Region[] = [];
  private readonly byBuffer = new Map<ArrayBufferLike, Region>();

  constructor(table: unknown[]) {
    this.table = table;
  }

  /** Throws TypeError when the buffer was given away before. */
  buffer(buffer: ArrayBufferLike, ownership: Ownership): Slot {
    const region = this.region(buffer, ownership, false);
    region.entry[2] = true;
    region.low = 0;
    region.high = buffer.byteLength;
    return region.slot;
  }

  /** Throws TypeError when the view's buffer was given away before. */
  view(view: ArrayBufferView, kind: string, ownership: Ownership): Slot {
    const region = this.region(view.buffer, ownership, isPooled(view, kind));
    region.low = Math.min(region.low, view.byteOffset);
    region.high = Math.max(region.high, view.byteOffset + view.byteLength);
    const elements = kind === 'DataView' ? view.byteLength : (view as Uint8Array).length;
    const entry: ViewEntry = ['view', kind, region.slot, view.byteOffset, elements];
    region.views.push(entry);
    return new Slot(this.table.push(entry) - 1);
  }

  /** Completes the entries. The parts are made by `take`, once nothing can fail any more. */
  place(): void {
    let part = 1;
    for (const region of this.regions) {
      const shared = region.entry[1];
      if (region.given && !shared) {
        region.low = 0;
        region.high = region.buffer.byteLength;
      }
      const start = region.low - (region.low % WORD);
      for (const view of region.views) view[3] -= start;
      region.entry[3] = shared || region.high - start >= OWN_PART ? part++ : copy(region);
    }
  }

  /**
   * The parts, in order. Memory that was given away is empty here afterwards.
   * @param borrow instead of copies, the memory itself
   * @param lend the same for what never changes
   * @param passing copies are used again once they have been sent
   */
  take({ borrow = false, lend = false, passing = false } = {}): Uint8Array[] {
    const parts: Uint8Array[] = [];
    const add = (part: Uint8Array): void => {
      if (passing) comesBack(part);
      parts.push(part);
    };
    for (const region of this.regions) {
      const inBody = typeof region.entry[3] !== 'number';
      if (region.entry[1] || ((borrow || (lend && region.lent)) && !region.given && !inBody)) {
        const start = region.low - (region.low % WORD);
        parts.push(new Uint8Array(region.buffer, start, region.high - start));
      } else if (region.given) {
        const moved = move(region.buffer as ArrayBuffer);
        if (!inBody) add(moved ?? copy(region));
      } else if (!inBody) {
        add(copy(region));
      }
    }
    return parts;
  }

  private region(buffer: ArrayBufferLike, ownership: Ownership, alone: boolean): Region {
    const given = ownership === 'given';
    const lent = ownership === 'lent';
    const known = alone ? undefined : this.byBuffer.get(buffer);
    if (known) {
      known.given ||= given;
      known.lent &&= lent;
      return known;
    }
    if (buffer.byteLength === 0) new Uint8Array(buffer);
    const entry: MemoryEntry = ['memory', isShared(buffer), false, 0];
    const slot = new Slot(this.table.push(entry) - 1);
    const low = Number.POSITIVE_INFINITY;
    const region: Region = { buffer, entry, slot, views: [], low, high: 0, given: given && !alone, lent };
    this.regions.push(region);
    if (!alone) this.byBuffer.set(buffer, region);
    return region;
  }
}

/** Pages in browsers have no shared memory unless their server isolates them. */
export const canShare = typeof SharedArrayBuffer !== 'undefined';

export function isShared(buffer: ArrayBufferLike): buffer is SharedArrayBuffer {
  return canShare && buffer instanceof SharedArrayBuffer;
}

/** Small Buffers share one pool with strangers: each travels alone, and none can be given away. */
function isPooled(view: ArrayBufferView, kind: string): boolean {
  return kind === 'Buffer' && view.byteLength < view.buffer.byteLength && view.buffer.byteLength <= Buffer.poolSize;
}

/** A snapshot, whose offset keeps every view aligned that was aligned before. */
function copy({ buffer, low, high }: Region): Uint8Array {
  const lead = low % WORD;
  const bytes = takeMemory(lead + high - low);
  if (lead) bytes.fill(0, 0, lead);
  bytes.set(new Uint8Array(buffer, low, high - low), lead);
  return bytes;
}

/** Undefined when the platform keeps this memory for itself (WebAssembly's, Node's pools). */
function move(buffer: ArrayBuffer): Uint8Array | undefined {
  try {
    return new Uint8Array(structuredClone(buffer, { transfer: [buffer] }));
  } catch {
    return undefined;
  }
}
