/** Binomial trees: log₂ n steps. */

import type { TypedArray } from '../arrays.ts';
import { isTypedArray } from '../arrays.ts';
import type { Op } from '../op-names.ts';
import { combine, isCommutative } from '../ops.ts';
import { type Packet, packed, unpacked } from '../packet.ts';
import type { Request } from '../request.ts';
import { on, type Round } from '../round.ts';

/** Passes a packet on to those below in the tree around the root: the largest subtree first. */
export function* sendDown(round: Round, root: number, packet: Packet): Generator<Request, void> {
  const { rank, size } = round;
  const place = (rank - root + size) % size;
  const sends: Request[] = [];
  let mask = 1;
  while (mask < size && !(place & mask)) mask <<= 1;
  for (mask >>= 1; mask > 0; mask >>= 1)
    if (place + mask < size) sends.push(round.send((place + mask + root) % size, packet));
  for (const send of sends) yield* on(send);
}

/** Folds the values of all in rank order, from `first` on; the whole is at `first`, the others get undefined. */
export function* foldUp(round: Round, value: unknown, op: Op, first: number): Generator<Request, unknown> {
  const { rank, size } = round;
  const place = (rank - first + size) % size;
  let sum = value;
  // What was received is ours to write into; what the caller gave is not.
  let mine = false;
  for (let mask = 1; mask < size; mask <<= 1) {
    if (place & mask) {
      yield* on(round.send((place - mask + first) % size, packed(sum)));
      return undefined;
    }
    if (place + mask >= size) continue;
    const other = unpacked(yield* on(round.receive((place + mask + first) % size)));
    sum =
      mine || isTypedArray(other)
        ? combine(op, sum, other, isTypedArray(other) ? (other as TypedArray) : undefined)
        : combine(op, sum, other);
    mine = true;
  }
  return mine ? sum : copyOf(sum);
}

/** In rank order from 0 on where the order matters, and wherever the root is. */
export function* reduce(
  round: Round,
  value: unknown,
  op: Op,
  root: number,
  ordered: boolean,
): Generator<Request, unknown> {
  const first = ordered || !isCommutative(op) ? 0 : root;
  const sum = yield* foldUp(round, value, op, first);
  if (first === root) return sum;
  if (round.rank === first) yield* on(round.send(root, packed(sum)));
  else if (round.rank === root) return unpacked(yield* on(round.receive(first)));
  return undefined;
}

/** What a rank gets back is its own, also where there was nothing to combine it with. */
export function copyOf<T>(value: T): T {
  return isTypedArray(value) ? (value.slice() as T) : value;
}
