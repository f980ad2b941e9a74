/** Round the ring, a piece at a time: each byte crosses each link once, whatever the number of ranks. Best for what is large. */
import type { TypedArray } from '../arrays.ts';
import { Format } from '../frame.ts';
import type { Op } from '../op-names.ts';
import { combine } from '../ops.ts';
import { type Packet, packedArray } from '../packet.ts';
import type { Request } from '../request.ts';
import { on, onAll, type Round } from '../round.ts';

/** In place: every rank ends with the fold of all, each piece folded in the order of the ring from its owner on. */
export function* allreduce(round: Round, array: TypedArray, op: Op): Generator<Request, void> {
  const { rank, size } = round;
  const piece = (i: number): TypedArray => {
    const k = ((i % size) + size) % size;
    return array.subarray(Math.floor((array.length * k) / size), Math.floor((array.length * (k + 1)) / size));
  };
  const [left, right] = [(rank - 1 + size) % size, (rank + 1) % size];
  const room = array.slice(0, Math.ceil(array.length / size) + 1);
  for (let step = 0; step < size - 1; step++) {
    const target = piece(rank - step - 1);
    const came = round.receive(left, room.subarray(0, target.length));
    const told = round.send(right, packedArray(piece(rank - step)));
    yield* on(came);
    combine(op, room.subarray(0, target.length), target, target);
    yield* on(told);
  }
  for (let step = 0; step < size - 1; step++) {
    const came = round.receive(left, piece(rank - step));
    const told = round.send(right, packedArray(piece(rank - step + 1)));
    yield* on(came);
    yield* on(told);
  }
}

/** Everybody's packet, in rank order: each passes on what it has got. */
export function* allgather(round: Round, own: Packet): Generator<Request, Packet[]> {
  const { rank, size } = round;
  const all: Packet[] = [];
  all[rank] = own;
  for (let step = 0; step < size - 1; step++) {
    const told = round.send((rank + 1) % size, all[(rank - step + size) % size]!);
    all[(rank - step - 1 + size) % size] = yield* on(round.receive((rank - 1 + size) % size));
    yield* on(told);
  }
  return all;
}

const PIECE = 256 << 10;
/** Algorithms of bcast: the first message says which. */
export const TREE = 0;
export const CHAIN = 1;

/** From the root along the chain of all ranks, in pieces: while one is passed on, the next one comes. */
export function* sendChain(round: Round, packet: Packet): Generator<Request, void> {
  const next = (round.rank + 1) % round.size;
  const bytes = packet.parts[0]!;
  const size = new Float64Array([bytes.length, packet.type]);
  const sends = [round.send(next, packedArray(size), CHAIN)];
  for (let at = 0; at < bytes.length; at += PIECE)
    sends.push(round.send(next, packedArray(bytes.subarray(at, at + PIECE)), CHAIN));
  yield* onAll(sends);
}

/** The rest of a chain whose first message has come. */
export function* receiveChain(round: Round, root: number, first: Packet): Generator<Request, Packet> {
  const [length, type] = new Float64Array(first.parts[0]!.slice().buffer) as unknown as [number, number];
  const bytes = new Uint8Array(length);
  const from = (round.rank - 1 + round.size) % round.size;
  const next = (round.rank + 1) % round.size;
  const sends: Request[] = [];
  const passOn = next !== root;
  if (passOn) sends.push(round.send(next, packedArray(new Float64Array([length, type])), CHAIN));
  for (let at = 0; at < length; at += PIECE) {
    const piece = bytes.subarray(at, Math.min(at + PIECE, length));
    yield* on(round.receive(from, piece));
    if (passOn) sends.push(round.send(next, packedArray(piece), CHAIN));
  }
  yield* onAll(sends);
  return { format: Format.ARRAY, type, parts: [bytes], owned: true };
}
