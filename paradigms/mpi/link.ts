/** How frames get from one rank to another. */
import { type Head, Kind } from './frame.ts';

export type Written = (ok: boolean) => void;

export interface Link {
  /** Arrays of so many bytes may go along with their head; larger ones are written straight to where they belong. */
  readonly eager: number;
  /** Other values, all parts together: they have no place there that waits for them. */
  readonly eagerValue: number;
  /** Eager messages of so many bytes may be on their way, and wait at the other end. */
  readonly window: number;
  /**
   * In order. `head.lengths` are those of the parts, which must not change until `written` is called, at once or later; never,
   * if they are `owned`. `written(false)`: the link was closed before.
   */
  send(head: Head, parts: readonly Uint8Array[], owned: boolean, written?: Written): void;
  /** Frames that have not left yet. */
  readonly waiting: number;
  close(): void;
}

/** The data of a frame that has arrived, before it has a place. */
export interface Incoming {
  /** Memory of its own for each part. */
  take(): Uint8Array[];
  /** Copies its only part. */
  into(place: Uint8Array): void;
}

/** Who gets what arrives on a link. `from` is the sender's rank in the world. */
export interface Receiver {
  /** `incoming` is used before this returns, or never. */
  frame(from: number, head: Head, incoming: Incoming): void;
  /** Data whose head says for whom: where it is to be written, one place a part. Undefined: nobody wants it any more. */
  place(from: number, head: Head): Uint8Array[] | undefined;
  /** It is there. */
  placed(from: number, head: Head): void;
}

/** Data that came as a whole. */
export function whole(parts: Uint8Array[]): Incoming {
  return {
    take: () => parts,
    into: (place) => place.set(parts[0]!),
  };
}

/** A frame that arrived as a whole. */
export function deliver(receiver: Receiver, from: number, head: Head, parts: Uint8Array[]): void {
  if (head.kind !== Kind.DATA) {
    receiver.frame(from, head, whole(parts));
    return;
  }
  const places = receiver.place(from, head);
  if (!places) return;
  places.forEach((place, i) => void place.set(parts[i]!));
  receiver.placed(from, head);
}

/** Not cleared, and nobody else's: it will be written at once. */
export function fresh(length: number): Uint8Array {
  return length < 4096 ? new Uint8Array(length) : new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
}
