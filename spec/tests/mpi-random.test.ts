/** Thousands of random messages between real ranks, checked against the rules of the standard. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Cluster, cluster } from '../../main.ts';
import { type Comm, mpi } from '../../paradigms/index.ts';

interface Plan {
  /** For each sender, in order: to whom, on which communicator, with which tag, how large, and how. */
  sends: [to: number, comm: number, tag: number, size: number, synchronous: boolean][][];
}

function planOf(ranks: number, count: number, seed: number): Plan {
  let state = seed;
  const random = (n: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
  const sizes = [0, 1, 10, 100, 1_000, 10_000, 20_000, 70_000];
  const sends = Array.from({ length: ranks }, () =>
    Array.from({ length: count }, (_, i): Plan['sends'][0][0] => {
      // Now and then one that is larger than any ring, or than what goes along with its head.
      const size = i % 97 === 0 ? (random(2) ? 4 << 20 : (4 << 20) - 7) : sizes[random(sizes.length)]!;
      return [random(ranks), random(2), random(3), size, random(10) === 0];
    }),
  );
  return { sends };
}

/** One rank: posts receives, all of them or with wildcards, while it sends; then checks who got what. */
async function main(world: Comm, plan: { sends: [number, number, number, number, boolean][][] }): Promise<string[]> {
  const comms = [world, await world.dup()];
  const { rank, size } = world;
  const wrong: string[] = [];
  let state = rank + 1;
  const random = (n: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
  for (const [c, comm] of comms.entries()) {
    const mine = plan.sends.map((list) =>
      list.map((send, i) => ({ send, i })).filter(({ send }) => send[0] === rank && send[1] === c),
    );
    const total = mine.reduce((sum, list) => sum + list.length, 0);
    const sending = plan.sends[rank]!.map((send, i) => ({ send, i })).filter(({ send }) => send[1] === c);
    const pending: PromiseLike<unknown>[] = [];
    const posted: { source: number; tag: number; request: any }[] = [];
    const post = (source: number, tag: number): void =>
      void posted.push({ source, tag, request: comm.irecv(source, tag) });
    // Receives that surely find a message: as many as there are for the pair; some of them take from anybody, with any tag.
    let left = total;
    for (const { send, i } of sending) {
      const [to, , tag, bytes, synchronous] = send;
      const value = [rank, i, tag, new Uint8Array(bytes).fill(i)];
      pending.push(synchronous ? comm.ssend(value, to, tag) : comm.isend(value, to, tag));
      if (random(2))
        while (left > 0 && random(3)) {
          left--;
          post(-1, -1);
        }
      if (random(20) === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    while (left-- > 0) post(-1, -1);
    await Promise.all([...pending, ...posted.map(({ request }) => request)]);
    // All of them came once and whole; of one sender, in the order in which they were sent.
    const last = new Array<number>(size).fill(-1);
    for (const { request } of posted) {
      const [from, i, tag, bytes] = request.take() as [number, number, number, Uint8Array];
      const [to, , sentTag, sentBytes] = plan.sends[from]![i]!;
      if (to !== rank || tag !== sentTag || bytes.length !== sentBytes) wrong.push(`${from}.${i} is not what was sent`);
      if (Buffer.compare(bytes, Buffer.alloc(bytes.length, i % 256))) wrong.push(`${from}.${i} is damaged`);
      if (request.status.source !== from || request.status.tag !== tag) wrong.push(`${from}.${i} has a wrong status`);
      if (i <= last[from]!) wrong.push(`${from}.${i} came after ${from}.${last[from]}`);
      last[from] = i;
    }
    await comm.barrier();
  }
  // Then with tags and sources: the model decides which receive gets which message.
  const [comm] = comms as [Comm];
  const queue: { from: number; i: number; tag: number }[][] = plan.sends.map((list, from) =>
    list.flatMap(([to, , tag], i) => (to === rank ? [{ from, i, tag }] : [])),
  );
  const sends = plan.sends[rank]!.map(([to, , tag, bytes], i) =>
    comm.isend([rank, i, new Uint8Array(bytes % 20_001)], to, tag),
  );
  const expected: { from: number; i: number }[] = [];
  const requests: any[] = [];
  while (queue.some((list) => list.length)) {
    const from = random(size);
    const list = queue[from]!;
    if (!list.length) continue;
    // With a tag of one that is left, or any.
    const tag = random(2) ? list[random(list.length)]!.tag : -1;
    const at = tag < 0 ? 0 : list.findIndex((message) => message.tag === tag);
    expected.push(list.splice(at, 1)[0]!);
    requests.push(comm.irecv(from, tag));
    if (random(30) === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  for (const [n, request] of requests.entries()) {
    const [from, i] = (await request) as [number, number];
    if (from !== expected[n]!.from || i !== expected[n]!.i)
      wrong.push(`receive ${n} got ${from}.${i} instead of ${expected[n]!.from}.${expected[n]!.i}`);
  }
  await Promise.all(sends);
  await comms[1]!.free();
  return wrong;
}

describe.each(['thread', 'process'] as const)('between %s ranks', (kind) => {
  let client: Cluster;
  beforeAll(async () => {
    client = await cluster({ engines: 3, kind, output: 'ignore' });
  });
  afterAll(() => client.close());

  test('every message comes once, whole, in order, to the receive that the standard says', async () => {
    const wrong = await client.use(mpi).run(main, { args: [planOf(3, 450, 7)] });
    expect(wrong.flat().slice(0, 10)).toEqual([]);
  });
});
