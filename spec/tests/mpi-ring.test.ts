/** Rings between thread ranks: what a reader makes of a frame that is still being written. */
import { expect, test } from 'vitest';
import { Format, Head, Kind } from '../../paradigms/mpi/frame.ts';
import type { Incoming, Receiver } from '../../paradigms/mpi/link.ts';
import { NOTHING, RingReader, RingWriter, ringBytes, Sought } from '../../paradigms/mpi/ring.ts';
import { SharedLinks } from '../../paradigms/mpi/shared-links.ts';
import { SharedMemory } from '../../paradigms/mpi/shared-memory.ts';

const CAPACITY = 1 << 18;

function ring() {
  const memory = new SharedArrayBuffer(ringBytes(CAPACITY));
  const came: Uint8Array[][] = [];
  const receiver: Receiver = {
    frame: (_from: number, _head: Head, incoming: Incoming) => void came.push(incoming.take()),
    place: () => undefined,
    placed() {},
  };
  return { writer: new RingWriter(memory, 0, CAPACITY), reader: new RingReader(memory, 0, CAPACITY), receiver, came };
}

function frame(tag: number, ...lengths: number[]) {
  const head = new Head(Kind.EAGER);
  head.format = Format.OBJECT;
  head.tag = tag;
  head.lengths = lengths;
  return { head, parts: lengths.map((length, i) => new Uint8Array(length).map((_, at) => at * 31 + i + tag)) };
}

const sought = (tag: number): Sought => {
  const wanted = new Sought();
  wanted.message(0, tag, 0);
  wanted.anything();
  return wanted;
};

test('a frame is handled once it is wholly there, however its parts lie, also around the end of the ring', () => {
  const { writer, reader, receiver, came } = ring();
  let seen = 0;
  const shapes = [[20], [16_384], [16_385, 0], [40_000, 7, 50_000], [0, 100_000], [1, 32_768, 0], [65_536]];
  for (let i = 0; i < 40; i++) {
    const { head, parts } = frame(i, ...shapes[i % shapes.length]!);
    const begun = (): void => {
      seen++;
      expect(reader.empty).toBe(false);
      expect(reader.poll(0, receiver, 9)).toBe(false);
      expect(reader.stalled).toBe(true);
    };
    expect(writer.write(head, parts, begun)).toBe(true);
    expect(reader.stalled).toBe(false);
    expect(reader.poll(0, receiver, 9)).toBe(true);
    expect(came.splice(0)).toEqual([parts]);
    expect(reader.empty).toBe(true);
  }
  expect(seen).toBeGreaterThan(50);
});

test('who takes the next frame has all of it, or nothing where its writer has stopped in the middle', () => {
  const { writer, reader } = ring();
  for (let i = 0; i < 12; i++) {
    const { head, parts } = frame(i, 3, 50_000 + i, 20_000);
    const wanted = sought(i);
    let looked = 0;
    // Nobody goes on writing meanwhile: it gives up, and the frame stays.
    const begun = (): void => void (looked++ || expect(reader.takeNext(wanted, undefined)).toBe(NOTHING));
    expect(writer.write(head, parts, begun)).toBe(true);
    expect(looked).toBeGreaterThan(2);
    expect(reader.takeNext(wanted, undefined)).toBe(70_003 + i);
    expect(wanted.parts).toEqual(parts);
    expect(reader.empty).toBe(true);
  }
});

test('what was left half written keeps a thread awake as long as its writer may go on, and not after that', async () => {
  const { receiver } = ring();
  const memory = SharedMemory.create(2);
  const links = new SharedLinks(memory, [0, 1], 0, receiver);
  const back = links.linkTo(1);
  const other = new RingWriter(memory.memory, memory.ringAt(1, 0), memory.capacity);
  const { head, parts } = frame(1, 60_000);
  const stop = (): never => {
    throw new Error('stopped');
  };
  expect(() => other.write(head, parts, stop)).toThrow('stopped');
  let rung = 0;
  const turns = async (): Promise<number> => {
    const before = rung;
    for (let i = 0; i < 30; i++) await new Promise((resolve) => setImmediate(resolve));
    return rung - before;
  };
  links.listen(() => {
    rung++;
    links.poll();
  });
  expect(await turns()).toBeGreaterThan(10);
  back.close();
  await turns();
  expect(await turns()).toBe(0);
  links.close();
});
