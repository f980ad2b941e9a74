/** A value on its way between ranks: the bytes of a typed array, or what the codec makes of anything else. */
import { decode, encode } from '../../core/index.ts';
import { arrayOver, bytesOf, type TypedArray, typeAt, typeOf } from './arrays.ts';
import { TypeMismatchError } from './errors.ts';
import { Format, type Head } from './frame.ts';

export interface Packet {
  readonly format: number;
  readonly type: number;
  readonly parts: readonly Uint8Array[];
  /** Whose memory is nobody else's; else it must not change until the packet has left. */
  readonly owned: boolean;
}

/** @throws CannotTravelError, with the path to what cannot. */
export function packed(value: unknown): Packet {
  const type = typeOf(value);
  if (type !== undefined && !((value as TypedArray).buffer instanceof SharedArrayBuffer))
    return packedArray(value as TypedArray, type);
  const { parts } = encode(value, { borrow: true });
  return { format: Format.OBJECT, type: 0, parts, owned: parts.length === 1 };
}

export function packedArray(array: TypedArray, type = typeOf(array)): Packet {
  if (type === undefined)
    throw new TypeMismatchError(`A buffer is a typed array, such as new Float64Array(8); got ${nameOf(array)}`);
  return { format: Format.ARRAY, type, parts: [bytesOf(array)], owned: false };
}

export function unpacked(packet: Packet): unknown {
  if (packet.format === Format.ARRAY)
    return arrayOver(packet.type, packet.owned ? packet.parts[0]! : packet.parts[0]!.slice());
  const parts = packet.owned ? packet.parts : packet.parts.map((part) => part.slice());
  return decode({ codec: 'msgpack', parts: parts as Uint8Array[] });
}

/** @throws TypeMismatchError unless it is an array of that type. */
export function checkArray(head: Pick<Head, 'format' | 'type'>, wanted: TypedArray, who: string): void {
  const type = typeOf(wanted);
  if (head.format === Format.ARRAY && head.type === type) return;
  const got = head.format === Format.ARRAY ? typeAt(head.type).name : 'a value that is no typed array';
  throw new TypeMismatchError(
    `${who} sent ${got}, and the buffer is ${nameOf(wanted)}; receive it with recv, or use a buffer of its type`,
  );
}

export function count(head: Head): number {
  return head.format === Format.ARRAY ? head.bytes / typeAt(head.type).BYTES_PER_ELEMENT : head.bytes;
}

export function nameOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return typeof value === 'string' ? 'a text' : String(value);
  return (value as object).constructor?.name ?? 'an object';
}
