/** Pieces of typed arrays, of any length each: checks of counts, and where pieces lie. */
import { isTypedArray, sameType, type TypedArray } from '../arrays.ts';
import { MpiError, TruncateError, TypeMismatchError } from '../errors.ts';
import { nameOf, type Packet, packedArray, unpacked } from '../packet.ts';

export interface Layout {
  /** Elements, for each rank. */
  readonly counts?: readonly number[] | undefined;
  /** Where each rank's piece starts; one after the other by default. */
  readonly displs?: readonly number[] | undefined;
}

export function checkCounts(what: string, counts: unknown, size: number): asserts counts is readonly number[] {
  const sound = Array.isArray(counts) && counts.length === size && counts.every((n) => Number.isInteger(n) && n >= 0);
  if (!sound)
    throw new MpiError(
      `${what} takes one count for each of the ${size} ranks, 0 or more; got ${JSON.stringify(counts)}`,
    );
}

export function checkTyped(what: string, value: unknown): asserts value is TypedArray {
  if (!isTypedArray(value)) throw new TypeMismatchError(`${what} takes a typed array; got ${nameOf(value)}`);
}

export function startsOf(what: string, counts: readonly number[], displs?: readonly number[]): readonly number[] {
  if (displs) {
    checkCounts(`${what}: displs`, displs, counts.length);
    return displs;
  }
  let at = 0;
  return counts.map((count) => {
    at += count;
    return at - count;
  });
}

/** A piece for each rank. */
export function cut(what: string, array: TypedArray, counts: readonly number[], displs?: readonly number[]): Packet[] {
  const starts = startsOf(what, counts, displs);
  return counts.map((count, rank) => {
    const start = starts[rank]!;
    if (start + count > array.length)
      throw new MpiError(
        `${what}: rank ${rank} gets elements ${start} to ${start + count} of an array of ${array.length}; check counts and displs`,
      );
    return packedArray(array.subarray(start, start + count));
  });
}

/** The pieces of all ranks in one array; what lies between them stays as it was. */
export function paste(
  what: string,
  packets: readonly Packet[],
  { counts, displs, into, like }: Layout & { into?: TypedArray | undefined; like: TypedArray },
): TypedArray {
  const pieces = packets.map((packet, rank) => {
    const piece = unpacked(packet);
    if (!isTypedArray(piece) || piece.constructor !== (into ?? like).constructor)
      throw new TypeMismatchError(
        `${what}: rank ${rank} gave ${nameOf(piece)}, and the array is ${nameOf(into ?? like)}`,
      );
    if (counts && piece.length > counts[rank]!)
      throw new TruncateError(`${what}: rank ${rank} gave ${piece.length} elements, and its count is ${counts[rank]}`);
    return piece;
  });
  const lengths = counts ?? pieces.map(({ length }) => length);
  const starts = startsOf(what, lengths, displs);
  checkOverlap(what, lengths, starts);
  const end = Math.max(0, ...lengths.map((length, rank) => starts[rank]! + length));
  const whole = into ?? sameType(like, end);
  if (end > whole.length)
    throw new TruncateError(`${what}: the pieces end at element ${end}, and the array has ${whole.length}`);
  pieces.forEach((piece, rank) => void (whole as Uint8Array).set(piece as Uint8Array, starts[rank]!));
  return whole;
}

function checkOverlap(what: string, counts: readonly number[], starts: readonly number[]): void {
  const order = counts.map((_, rank) => rank).filter((rank) => counts[rank]! > 0);
  order.sort((a, b) => starts[a]! - starts[b]!);
  for (let i = 1; i < order.length; i++) {
    const [a, b] = [order[i - 1]!, order[i]!];
    if (starts[a]! + counts[a]! > starts[b]!)
      throw new MpiError(`${what}: the pieces of ranks ${a} and ${b} overlap in the receiving array; check displs`);
  }
}
