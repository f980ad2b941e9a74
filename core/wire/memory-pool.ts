/**
 * Large memory, used again. Most of the cost of fresh memory is page faults: filling 64 MiB takes 40 ms the first time and
 * 6 ms after that. Snapshots of arguments come back here once every peer that they went to has acknowledged them.
 */
import { uncleared } from './bytes.ts';

/** Smaller pieces are cheap; more than this is not kept; nor is anything for longer than it idles. */
const SMALLEST = 1 << 20;
const KEPT = 256 << 20;
const IDLE = 2_000;

/** Sizes of rooms: so many between a power of two and the next, so that what is a little larger fits as well. */
const STEPS = 4;

const free = new Map<number, ArrayBuffer[]>();
/** Where the last large thing was put together. */
let work: Uint8Array | undefined;
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

/** The same for sessions alone, from which it comes back. Its ArrayBuffer may be larger, but is nobody else's. */
export function takeRoom(length: number): Uint8Array {
  if (length < SMALLEST) return new Uint8Array(length);
  const step = 2 ** (Math.floor(Math.log2(length)) - Math.log2(STEPS));
  const room = takeMemory(Math.ceil(length / step) * step);
  comesBack(room);
  return room.subarray(0, length);
}

/** To put something together in that takes so many bytes, or more. */
export function workroom(length: number): Uint8Array {
  const room = work && work.length >= length ? work : uncleared(length);
  work = undefined;
  return room;
}

/** Nobody knows these bytes any more. */
export function keepWorkroom(room: Uint8Array): void {
  if (room.length > KEPT / 2) return;
  work = room;
  awaitIdleness();
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
  const { buffer } = part;
  const size = buffer.byteLength;
  if (kept + size > KEPT) return;
  kept += size;
  const same = free.get(size);
  if (same) same.push(buffer as ArrayBuffer);
  else free.set(size, [buffer as ArrayBuffer]);
  awaitIdleness();
}

function awaitIdleness(): void {
  idle ??= setTimeout(empty, IDLE).unref();
  idle.refresh();
}

function empty(): void {
  idle = undefined;
  work = undefined;
  free.clear();
  kept = 0;
}
