/** Everybody with whom it concerns, directly: one step, as many messages as there are pairs. */

import type { Op } from '../op-names.ts';
import { combine } from '../ops.ts';
import { type Packet, packed, unpacked } from '../packet.ts';
import type { Request } from '../request.ts';
import { on, onAll, type Round } from '../round.ts';
import { copyOf } from './tree.ts';

/** One value to each rank; the root's own comes to it as a copy, too. */
export function* scatter(
  round: Round,
  packets: readonly Packet[] | undefined,
  root: number,
): Generator<Request, Packet> {
  if (round.rank !== root) return yield* on(round.receive(root));
  const sends = packets!.flatMap((packet, rank) => (rank === root ? [] : [round.send(rank, packet)]));
  yield* onAll(sends);
  return packets![root]!;
}

/** At the root one packet of each rank, elsewhere undefined. */
export function* gather(round: Round, own: Packet, root: number): Generator<Request, Packet[] | undefined> {
  const { rank, size } = round;
  if (rank !== root) {
    yield* on(round.send(root, own));
    return undefined;
  }
  const receives = Array.from({ length: size }, (_, source) => (source === rank ? undefined : round.receive(source)));
  const all: Packet[] = [];
  for (const receive of receives) all.push(receive ? yield* on(receive) : own);
  return all;
}

export function* allgather(round: Round, own: Packet): Generator<Request, Packet[]> {
  return yield* alltoall(round, new Array<Packet>(round.size).fill(own));
}

/** Packet i goes to rank i. Nobody begins with the same receiver as another one does. */
export function* alltoall(round: Round, packets: readonly Packet[]): Generator<Request, Packet[]> {
  const { rank, size } = round;
  const receives = packets.map((_, source) => (source === rank ? undefined : round.receive(source)));
  const sends: Request[] = [];
  for (let i = 1; i < size; i++) {
    const to = (rank + i) % size;
    sends.push(round.send(to, packets[to]!));
  }
  const all: Packet[] = [];
  for (const receive of receives) all.push(receive ? yield* on(receive) : packets[rank]!);
  yield* onAll(sends);
  return all;
}

/** Value i of all ranks, folded in rank order, goes to rank i. */
export function* reduceScatter(round: Round, values: readonly unknown[], op: Op): Generator<Request, unknown> {
  const packets = yield* alltoall(round, values.map(packed));
  let sum = unpacked(packets[0]!);
  for (const packet of packets.slice(1)) sum = combine(op, sum, unpacked(packet));
  return copyOf(sum);
}
