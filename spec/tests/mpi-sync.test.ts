/** Thread ranks that block, as in C. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Cluster, cluster } from '../../main.ts';
import { type Comm, mpi } from '../../paradigms/index.ts';
import { failureOf } from './support/mpi-suite.ts';

let client: Cluster;
beforeAll(async () => {
  client = await cluster({ engines: 4, kind: 'thread', output: 'ignore' });
});
afterAll(() => client.close());
const run = <R>(ranks: number, main: (comm: Comm) => R) => client.use(mpi).run(main, { ranks });

test('a program without any await: messages of all sizes, collectives, communicators', async () => {
  const results = await run(4, (comm) => {
    const { rank, size, sync } = comm;
    const [next, before] = [(rank + 1) % size, (rank + size - 1) % size];
    const seen: unknown[] = [];
    for (const bytes of [0, 8, 20_000, 3_000_000]) {
      const into = new Uint8Array(bytes);
      const { count } = sync.sendrecvBuffer(new Uint8Array(bytes).fill(rank), next, into, before);
      seen.push(count === bytes && into.every((b) => b === before));
    }
    // All send at once to all: nobody waits for a receive that comes later.
    for (let to = 0; to < size; to++) sync.send({ from: rank, data: [1, 'two', new Float32Array(9)] }, to, 3);
    const froms = Array.from({ length: size }, () => sync.recv(-1, 3).from).sort();
    const request = comm.irecv(before, 4);
    sync.send('late', next, 4);
    const late = sync.wait(request);
    sync.barrier();
    const sum = sync.allreduce(new Float64Array(20_000).fill(rank));
    const half = sync.split(rank % 2)!;
    const parts = [
      half.sync.allgather(rank),
      sync.scan(1),
      sync.bcast(rank === 2 ? 'b' : undefined, 2),
      sync.gather(rank, 3),
    ];
    return [seen, froms, late, sum[19_999], parts, sync.reduce(rank, 'MAX', 1)];
  });
  expect(results).toEqual(
    [0, 1, 2, 3].map((rank) => [
      [true, true, true, true],
      [0, 1, 2, 3],
      'late',
      6,
      [rank % 2 ? [1, 3] : [0, 2], rank + 1, 'b', rank === 3 ? [0, 1, 2, 3] : undefined],
      rank === 1 ? 3 : undefined,
    ]),
  );
});

test('blocking and awaiting ranks talk to each other, in turns too', async () => {
  const results = await run(2, async (comm) => {
    const got: unknown[] = [];
    for (let i = 0; i < 40; i++) {
      const block = (i + comm.rank) % 3 === 0;
      const value = [i, new Uint8Array((i % 4) * 9_000)];
      const other = 1 - comm.rank;
      if (block) {
        const request = comm.isend(value, other, i);
        got.push((comm.sync.recv(other, i) as [number])[0]);
        comm.sync.wait(request);
      } else {
        const request = comm.isend(value, other, i);
        got.push(((await comm.recv(other, i)) as [number])[0]);
        await request;
      }
    }
    return got;
  });
  expect(results).toEqual([0, 1].map(() => Array.from({ length: 40 }, (_, i) => i)));
});

test('collectives of ranks of which some block and some await, of any number of them', async () => {
  const wrong = await run(4, async (world) => {
    const told: string[] = [];
    for (let size = 1; size <= 4; size++) {
      const comm = await world.split(world.rank < size ? 0 : undefined);
      if (!comm) continue;
      const { rank, sync } = comm;
      const joined = { fn: (a: number, b: number) => Number(`${a}${b}`), commutative: false };
      for (let i = 0; i < 24; i++) {
        const blocks = i % 3 === 0 || (i + rank) % 2 === 0;
        const array = Float64Array.of(i % 2 ? rank + 1 : rank + i, 9);
        const before = array[0];
        const into = i % 4 ? array : new Float64Array(2);
        const op = i % 2 ? joined : 'SUM';
        if (blocks) sync.allreduceBuffer(array, op, into);
        else await comm.allreduceBuffer(array, op, into);
        const want = i % 2 ? Number('1234'.slice(0, size)) : (size * (size - 1)) / 2 + size * i;
        if (into[0] !== want) told.push(`${i} of ${size}: ${into[0]} instead of ${want}`);
        if (into !== array && array[0] !== before) told.push(`${i} of ${size}: what was given has changed`);
        if (blocks) sync.barrier();
        else await comm.barrier();
      }
      await comm.free();
    }
    return told;
  });
  expect(wrong.flat()).toEqual([]);
});

test('messages between ranks that block go to the receives that the standard says', async () => {
  const [, wrong] = await run(2, async (comm) => {
    const { sync } = comm;
    const sizes = [0, 8, 2_000, 8, 30_000, 16, 200_000];
    const sent = Array.from({ length: 700 }, (_, i) => ({ i, tag: (i * 7 + (i >> 3)) % 3, size: sizes[i % 7]! }));
    if (comm.rank === 0) {
      const large = sent.map(({ i, tag, size }) => {
        const array = new Uint16Array(size / 2).fill(i);
        if (size > 16_000) return comm.isendBuffer(array, 1, tag);
        if (i % 5 === 0) sync.send(array, 1, tag);
        else sync.sendBuffer(array, 1, tag);
        return undefined;
      });
      sync.waitAll(large);
      return [];
    }
    const told: string[] = [];
    const into = new Uint16Array(100_000);
    for (let n = 0; sent.length; n++) {
      // The first one, whatever it is; or the first one with the tag of another one.
      const tag = n % 4 ? -1 : sent[(n * 13) % Math.min(sent.length, 20)]!.tag;
      const at = sent.findIndex((message) => tag < 0 || message.tag === tag);
      const { i, tag: theirs, size } = sent.splice(at, 1)[0]!;
      let status = { tag: theirs, count: size / 2 };
      let got: Uint16Array = into;
      if (n % 3) status = sync.recvBuffer(into, 0, tag);
      else got = sync.recv(0, tag);
      if (status.tag !== theirs || status.count !== size / 2)
        told.push(`${i} has the status ${JSON.stringify(status)}`);
      if (size && (got[0] !== i || got[size / 2 - 1] !== i)) told.push(`${got[0]} came instead of ${i}`);
    }
    return told;
  });
  expect(wrong).toEqual([]);
});

test('values that hold several arrays, of all sizes, come whole and in order, also into a ring that is full', async () => {
  const [, wrong] = await run(2, (comm) => {
    const { sync, rank } = comm;
    const sizes = [0, 8, 1_000, 9_000, 64_000, 300_000];
    const told: string[] = [];
    const value = (i: number): unknown => {
      const [one, two] = [sizes[i % 6]!, sizes[(i * 5 + (i >> 2)) % 6]!];
      if (i % 7 === 0) return new Float64Array(one / 8).fill(i);
      return { i, one: new Uint8Array(one).fill(i), two: [new Float64Array(two / 8).fill(i), { i }] };
    };
    const same = (got: any, wanted: any): boolean =>
      ArrayBuffer.isView(wanted)
        ? got.constructor === wanted.constructor &&
          got.length === (wanted as Uint8Array).length &&
          got.every((element: number, i: number) => element === (wanted as Uint8Array)[i])
        : typeof wanted === 'object'
          ? Object.keys(wanted).every((key) => same(got[key], wanted[key]))
          : got === wanted;
    for (let i = 0; i < 300; i++) {
      if (rank === 0) sync.send(value(i), 1, i % 3);
      else if (!same(sync.recv(0, i % 2 ? i % 3 : undefined), value(i))) told.push(`${i} came as something else`);
      // So that there is much under way for some time, and then nothing.
      if (i % 40 === 39) sync.barrier();
    }
    return told;
  });
  expect(wrong).toEqual([]);
});

test('what goes wrong in a collective of ranks that block ends it at all of them', async () => {
  const codes = await run(4, async (world) => {
    const attempt = async (what: (comm: Comm) => unknown): Promise<string> => {
      const comm = await world.dup();
      try {
        what(comm);
        return 'nothing';
      } catch (error) {
        return (error as { code?: string }).code ?? (error as Error).message;
      }
    };
    const two = Float64Array.of(1, 2);
    const throwing = {
      fn: () => {
        throw new RangeError('not this');
      },
      commutative: true,
    };
    const codes = [
      await attempt(({ sync, rank }) => (rank === 1 ? sync.barrier() : sync.allreduceBuffer(two))),
      await attempt(({ sync, rank }) => sync.allreduceBuffer(two.slice(rank === 3 ? 1 : 0))),
      await attempt(({ sync, rank }) => sync.allreduceBuffer(rank === 2 ? new Float32Array(2) : two)),
      await attempt(({ sync }) => sync.allreduceBuffer(two, throwing)),
      await attempt(({ sync }) => sync.allreduceBuffer(two, 'BAND')),
      await attempt(({ sync }) => sync.sendBuffer(two, 4)),
      await attempt(({ sync }) => sync.recvBuffer(two, 0, -5)),
      await attempt(({ sync }) => sync.send(1, 0, 0.5)),
    ];
    world.sync.barrier();
    return codes;
  });
  const each = ['MPI_COLLECTIVE_MISMATCH', 'MPI_OP', 'MPI_OP', 'not this', 'MPI_OP', 'MPI', 'MPI', 'MPI'];
  expect(codes).toEqual(new Array(4).fill(each));
});

test('windows are the memory itself', async () => {
  const results = await run(3, async (comm) => {
    const window = await comm.window(BigInt64Array, 2);
    for (let i = 0; i < 1_000; i++) comm.sync.wait(window.fetchAdd(0, 1, 1n));
    comm.sync.barrier();
    const direct = window.shared(0)![1];
    await window.free();
    return direct;
  });
  expect(results).toEqual([3_000n, 3_000n, 3_000n]);
});

test('blocked ranks see a deadlock, an abort, and a rank that has thrown', async () => {
  const dead = await failureOf(run(3, (comm) => comm.sync.recv((comm.rank + 1) % 3)));
  expect(dead.code).toBe('MPI_DEADLOCK');
  expect(dead.waits[2]).toContain('rank 2 waits in recv from rank 0');
  const aborted = await failureOf(run(3, (comm) => (comm.rank === 2 ? comm.abort(3) : comm.sync.barrier())));
  expect(aborted).toMatchObject({ code: 'MPI_ABORTED', exitCode: 3 });
  const codes = await client
    .use(mpi)
    .run(
      (comm: Comm) => {
        if (comm.rank === 1) throw new Error('not me');
        try {
          return comm.sync.allreduce(1);
        } catch (error) {
          return (error as { code: string }).code;
        }
      },
      { ranks: 3 },
    )
    .settled();
  expect([...codes].sort((a, b) => a.engine - b.engine).map((part) => (part as { value?: string }).value)).toEqual([
    'MPI_RANK_LOST',
    undefined,
    'MPI_RANK_LOST',
  ]);
});

test('ranks that are processes cannot block', async () => {
  const processes = await cluster({ engines: 2, output: 'ignore' });
  try {
    const error = await failureOf(processes.use(mpi).run((comm: Comm) => comm.sync.barrier()));
    expect(error.message).toContain("run with kind: 'thread', or await");
    expect(() => processes.use(mpi).run(() => 1, { kind: 'thread' })).toThrow(
      "engines of kind 'thread', and the cluster has none",
    );
  } finally {
    await processes.close();
  }
});
