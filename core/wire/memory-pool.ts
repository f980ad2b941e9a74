/**
 * Large memory, used again. Most of the cost of fresh memory is page faults: filling 64 MiB takes 40 ms the first time and
 * 6 ms after that. Snapshots of arguments come back here once every peer that they went to has acknowledged them.
 */
import { uncleared } from './bytes.ts';

/** Smaller pieces are cheap; more than this is not kept; nor is anything for longer than it idles. */
const SMALLEST = 1 << 20;
const KEPT = 256 << 20;
const IDLE = 2_000;

const free = new Map<number, ArrayBuffer[]>();
/** Memory that comes back, and how many sessions still hold it. */
const holders = new WeakMap<ArrayBufferLike, number>();
let kept = 0;
let idle: NodeJS.Timeout | undefined;

/** Memory whose contents are undefined, an ArrayBuffer of its own. */
export function takeMemory(length: number): Uint8Array {
  const buffer = free.get(length)?.pop();
  if (!buffer) return new Uint8Array(uncleared(length).buffer);
  kept -= length;
  return new Uint8Array(buffer);
}

/** Says that nobody but the sessions that will hold it knows this part. */
export function comesBack(part: Uint8Array): void {
  const { buffer } = part;
  if (part.length >= SMALLEST && part.length === buffer.byteLength && buffer instanceof ArrayBuffer)
    holders.set(buffer, 0);
}

/** A session keeps the part until its peer has it. */
export function hold(part: Uint8Array): void {
  if (part.length < SMALLEST) return;
  const count = holders.get(part.buffer);
  if (count !== undefined) holders.set(part.buffer, count + 1);
}

/** The peer has it. Only then: a part that may still be written must not be used again. */
export function letGo(part: Uint8Array): void {
  if (part.length < SMALLEST) return;
  const count = holders.get(part.buffer);
  if (count === undefined) return;
  if (count > 1) {
    holders.set(part.buffer, count - 1);
    return;
  }
  holders.delete(part.buffer);
  if (kept + part.length > KEPT) return;
  kept += part.length;
  const same = free.get(part.length);
  if (same) same.push(part.buffer as ArrayBuffer);
  else free.set(part.length, [part.buffer as ArrayBuffer]);
  idle ??= setTimeout(empty, IDLE).unref();
  idle.refresh();
}

function empty(): void {
  idle = undefined;
  free.clear();
  kept = 0;
}
