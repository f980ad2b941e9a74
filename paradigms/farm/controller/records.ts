/**
 * How the journal's records lie in the store: the size of the head, how the value lies, the head, and the value. Heads are plain data;
 * a value is as its bytes are, or in parts, where it is a parcel that needs something.
 */
import { type ControllerHost, Parcel } from '../../../core/index.ts';
import type { Value } from './owner.ts';

const HEAD = 5;
const AS_IT_IS = 1;
const IN_PARTS = 2;
const NOTHING: Value = { source: new Uint8Array(), from: 0, size: 0 };

export interface Record<H> {
  readonly head: H;
  readonly value: Parcel | undefined;
}

export function packRecord(host: ControllerHost, head: unknown, value: Value | Parcel | undefined): Uint8Array {
  const first = host.parcel(head).payload.parts[0]!;
  const { source, from, size } = value instanceof Parcel ? { source: value, from: 0, size: 0 } : (value ?? NOTHING);
  const parts = source instanceof Uint8Array ? undefined : packParts(host.parcel(source));
  const length = parts ? parts.length : size;
  const bytes = new Uint8Array(HEAD + first.length + length);
  new DataView(bytes.buffer).setUint32(0, first.length);
  bytes[HEAD - 1] = parts ? IN_PARTS : value ? AS_IT_IS : 0;
  bytes.set(first, HEAD);
  bytes.set(parts ?? (source as Uint8Array).subarray(from, from + size), HEAD + first.length);
  return bytes;
}

export function readRecord<H>(host: ControllerHost, bytes: Uint8Array): Record<H> {
  const end = HEAD + new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  const head = host.read(Parcel.of(bytes.subarray(HEAD, end))) as H;
  const body = bytes.subarray(end);
  if (bytes[HEAD - 1] === IN_PARTS) return { head, value: host.read(partsIn(body)) as Parcel };
  return { head, value: bytes[HEAD - 1] === AS_IT_IS ? Parcel.of(body.slice()) : undefined };
}

/** Its parts in a row, after their number and sizes. */
function packParts({ payload: { parts } }: Parcel): Uint8Array {
  const head = 4 * (1 + parts.length);
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, head));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, parts.length);
  let at = head;
  for (const [i, part] of parts.entries()) {
    view.setUint32(4 * (1 + i), part.length);
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function partsIn(bytes: Uint8Array): Parcel {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const count = view.getUint32(0);
  let at = 4 * (1 + count);
  const parts: Uint8Array[] = [];
  for (let i = 0; i < count; i++) {
    const size = view.getUint32(4 * (1 + i));
    parts.push(bytes.slice(at, at + size));
    at += size;
  }
  return new Parcel({ codec: 'msgpack', parts });
}
