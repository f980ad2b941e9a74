/** Recursive doubling: log₂ n exchanges, after each of which twice as many know twice as much. Best for what is small. */
import { isTypedArray, type TypedArray } from '../arrays.ts';
import type { BlockedRound } from '../blocked-round.ts';
import type { Op } from '../op-names.ts';
import { combine } from '../ops.ts';
import { packed, packedArray, unpacked } from '../packet.ts';
import type { Request } from '../request.ts';
import { on, type Round } from '../round.ts';
import { copyOf } from './tree.ts';

interface Place {
  readonly rank: number;
  readonly size: number;
}

interface Step {
  /** Who is told what is known here, and who tells what is known there; -1: nobody. */
  readonly to: number;
  readonly from: number;
  /** What was told is put before what was known, after it, or in its place. */
  readonly put: 'before' | 'after' | 'instead';
}

const NOTHING = new Uint8Array(0);

export function* barrier(round: Round): Generator<Request, void> {
  for (const { to, from } of barrierPlan(round)) {
    const told = round.send(to, packedArray(NOTHING));
    yield* on(round.receive(from));
    yield* on(told);
  }
}

export function barrierBlocked(round: BlockedRound): void {
  for (const { to, from } of barrierPlan(round)) round.exchange(to, NOTHING, from, NOTHING);
}

/** The same fold, in rank order, at every rank: of neighbours, then of neighbouring pairs, and so on. */
export function* allreduce(round: Round, value: unknown, op: Op): Generator<Request, unknown> {
  let sum = round.size === 1 ? copyOf(value) : value;
  for (const { to, from, put } of foldPlan(round)) {
    const told = to < 0 ? undefined : round.send(to, packed(sum));
    const came = from < 0 ? undefined : unpacked(yield* on(round.receive(from)));
    if (told) yield* on(told);
    if (from < 0) continue;
    if (put === 'instead') sum = came;
    else sum = put === 'before' ? join(op, came, sum, true) : join(op, sum, came, false);
  }
  return sum;
}

/** In place, of an array that is short. @param room for what comes, as long */
export function allreduceBlocked(round: BlockedRound, array: TypedArray, room: TypedArray, op: Op): void {
  for (const { to, from, put } of foldPlan(round)) {
    const came = round.exchange(to, array, from, room);
    if (from < 0) continue;
    if (put === 'instead') (array as Uint8Array).set(came as Uint8Array);
    else if (put === 'before') combine(op, came, array, array);
    else combine(op, array, came, array);
  }
}

const barrierPlan = planned(({ rank, size }) => {
  const steps: Step[] = [];
  for (let distance = 1; distance < size; distance <<= 1)
    steps.push({ to: (rank + distance) % size, from: (rank - distance + size) % size, put: 'instead' });
  return steps;
});

const foldPlan = planned(({ rank, size }) => {
  let power = 1;
  while (power * 2 <= size) power *= 2;
  const extra = size - power;
  // Those beyond a power of two: of the first pairs, the left one gives its value to the right one, and waits.
  const paired = rank < 2 * extra;
  if (paired && rank % 2 === 0) return [{ to: rank + 1, from: rank + 1, put: 'instead' }];
  const steps: Step[] = paired ? [{ to: -1, from: rank - 1, put: 'before' }] : [];
  const place = paired ? rank >> 1 : rank - extra;
  for (let mask = 1; mask < power; mask <<= 1) {
    const other = place ^ mask;
    const partner = other < extra ? other * 2 + 1 : other + extra;
    steps.push({ to: partner, from: partner, put: partner < rank ? 'before' : 'after' });
  }
  if (paired) steps.push({ to: rank - 1, from: -1, put: 'instead' });
  return steps;
});

/** Made once for each place. */
function planned(make: (place: Place) => readonly Step[]): (place: Place) => readonly Step[] {
  const plans = new Map<number, readonly Step[]>();
  return ({ rank, size }) => {
    const key = rank + size * 65_536;
    let plan = plans.get(key);
    if (!plan) plans.set(key, (plan = make({ rank, size })));
    return plan;
  };
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
