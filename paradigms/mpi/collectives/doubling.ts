/** Recursive doubling: log₂ n exchanges, after each of which twice as many know twice as much. Best for what is small. */
import { isTypedArray } from '../arrays.ts';
import { on, type Round } from '../core.ts';
import type { Op } from '../op-names.ts';
import { combine } from '../ops.ts';
import { packed, unpacked } from '../packet.ts';
import type { Request } from '../request.ts';
import { copyOf } from './tree.ts';

const NOTHING = packed(undefined);

export function* barrier(round: Round): Generator<Request, void> {
  const { rank, size } = round;
  for (let distance = 1; distance < size; distance <<= 1) {
    const told = round.send((rank + distance) % size, NOTHING);
    yield* on(round.receive((rank - distance + size) % size));
    yield* on(told);
  }
}

/** The same fold, in rank order, at every rank: of neighbours, then of neighbouring pairs, and so on. */
export function* allreduce(round: Round, value: unknown, op: Op): Generator<Request, unknown> {
  const { rank, size } = round;
  if (size === 1) return copyOf(value);
  let power = 1;
  while (power * 2 <= size) power *= 2;
  const extra = size - power;
  let sum = value;
  // Those beyond a power of two: of the first pairs, the left one gives its value to the right one, and waits.
  if (rank < 2 * extra) {
    if (rank % 2 === 0) {
      yield* on(round.send(rank + 1, packed(sum)));
      return unpacked(yield* on(round.receive(rank + 1)));
    }
    sum = join(op, unpacked(yield* on(round.receive(rank - 1))), sum, true);
  }
  const place = rank < 2 * extra ? rank >> 1 : rank - extra;
  for (let mask = 1; mask < power; mask <<= 1) {
    const place2 = place ^ mask;
    const partner = place2 < extra ? place2 * 2 + 1 : place2 + extra;
    const told = round.send(partner, packed(sum));
    const other = unpacked(yield* on(round.receive(partner)));
    yield* on(told);
    sum = partner < rank ? join(op, other, sum, true) : join(op, sum, other, false);
  }
  if (rank < 2 * extra) yield* on(round.send(rank - 1, packed(sum)));
  return sum;
}

/** The fold of ranks 0 to here; `exclusive`: without this one, so undefined at rank 0. */
export function* scan(round: Round, value: unknown, op: Op, exclusive: boolean): Generator<Request, unknown> {
  const { rank, size } = round;
  let result: unknown = exclusive ? undefined : copyOf(value);
  let there = !exclusive;
  let sum = value;
  for (let mask = 1; mask < size; mask <<= 1) {
    const partner = rank ^ mask;
    if (partner >= size) continue;
    const told = round.send(partner, packed(sum));
    const other = unpacked(yield* on(round.receive(partner)));
    yield* on(told);
    if (partner < rank) {
      result = there ? combine(op, other, result) : copyOf(other);
      there = true;
      sum = combine(op, other, sum);
    } else sum = combine(op, sum, other);
  }
  return result;
}

/** Into the array that was received, which is ours. */
function join(op: Op, left: unknown, right: unknown, leftIsOurs: boolean): unknown {
  const ours = leftIsOurs ? left : right;
  return isTypedArray(ours) ? combine(op, left, right, ours) : combine(op, left, right);
}
