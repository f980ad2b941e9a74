/**
 * How a message becomes frames. A frame is u32le payload length, u8 flags, payload; carriers that keep boundaries
 * themselves leave the length out. The first frame of a message begins with its part table.
 */
import { utf8 } from './bytes.ts';
import type { Outbox, Outgoing } from './frame-outbox.ts';

export const HEADER_BYTES = 5;
/** Bits 0–3 of the flags are the lane. */
export const LANE_MASK = 0x0f;
export const FIRST = 0x10;
export const LAST = 0x20;
/** Payload: u32le, the lane-1 bytes that the reader has taken. */
export const CREDIT = 0x40;
/** Payload: the reason as UTF-8. */
export const CLOSE = 0x80;

/** Part bytes in one frame: small enough for lane 0 to come between, large enough that the cutting costs nothing. */
export const CHUNK_BYTES = 256 * 1024;
export const MAX_REASON_BYTES = 1024;

/** Takes frames piece by piece: `begin`, then exactly `length` bytes of payload. */
export interface FrameSink {
  /** Enough for one write. */
  readonly full: boolean;
  begin(flags: number, length: number): void;
  u32(value: number): void;
  /** `bytes` from `start` to `end`; they stay unchanged until they are written. */
  bytes(bytes: Uint8Array, start: number, end: number): void;
}

/**
 * Cuts what may leave now into frames, lane 0 before each chunk of lane 1, until the sink is full. Returns the weight
 * that was taken from the outbox.
 */
export function cut(outbox: Outbox, sink: FrameSink): number {
  let weight = 0;
  if (outbox.grant > 0) {
    sink.begin(CREDIT, 4);
    sink.u32(outbox.grant);
    outbox.grant = 0;
  }
  while (!sink.full) {
    let lane: 0 | 1 = 0;
    let item = outbox.first(0);
    if (!item) {
      lane = 1;
      item = outbox.first(1);
      if (!item) break;
    }
    const length = frameLength(item);
    if (lane === 1) {
      if (length > outbox.credit) break;
      outbox.credit -= length;
    }
    if (cutFrame(item, lane, length, sink)) outbox.shift(lane);
    weight += length;
  }
  if (outbox.goodbye !== undefined && !outbox.goodbyeSent && outbox.empty) {
    const reason = utf8(outbox.goodbye).subarray(0, MAX_REASON_BYTES);
    sink.begin(CLOSE, reason.length);
    sink.bytes(reason, 0, reason.length);
    outbox.goodbyeSent = true;
  }
  return weight;
}

function isFirst(item: Outgoing): boolean {
  return item.part === 0 && item.offset === 0;
}

function frameLength(item: Outgoing): number {
  const table = isFirst(item) ? 4 + 4 * item.parts.length : 0;
  return table + Math.min(CHUNK_BYTES, item.left);
}

/** Writes one frame; true if it was the message's last. */
function cutFrame(item: Outgoing, lane: number, length: number, sink: FrameSink): boolean {
  const { parts } = item;
  const first = isFirst(item);
  let todo = first ? length - 4 - 4 * parts.length : length;
  const last = todo === item.left;
  sink.begin(lane | (first ? FIRST : 0) | (last ? LAST : 0), length);
  if (first) {
    sink.u32(parts.length);
    for (const part of parts) sink.u32(part.length);
  }
  item.left -= todo;
  while (todo > 0) {
    const part = parts[item.part]!;
    const end = Math.min(part.length, item.offset + todo);
    sink.bytes(part, item.offset, end);
    todo -= end - item.offset;
    if (end < part.length) item.offset = end;
    else {
      item.part++;
      item.offset = 0;
    }
  }
  return last;
}
