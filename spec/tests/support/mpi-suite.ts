/** What ranks can do, whatever is between them: run for thread ranks and for process ranks. */
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Cluster, type ClusterOptions, cluster } from '../../../main.ts';
import { type Comm, mpi } from '../../../paradigms/index.ts';

/** The error that the first of those ranks failed with which says why itself. */
export async function failureOf(running: PromiseLike<unknown>): Promise<any> {
  try {
    await running;
  } catch (error) {
    const errors = (error as AggregateError).errors ?? [error];
    return errors.find(({ name }: Error) => name !== 'RankLostError') ?? errors[0];
  }
  throw new Error('It did not fail');
}

const USUAL: Elsewhere = { options: () => ({}), perHost: 4 };

export interface Elsewhere {
  options(): ClusterOptions;
  /** Ranks on one host, as far as they know. */
  readonly perHost: number;
}

/** @param elsewhere where engines of this kind are reached in another way than usual */
export function mpiSuite(kind: 'thread' | 'process', { options, perHost }: Elsewhere = USUAL): void {
  let client: Cluster;
  beforeAll(async () => {
    client = await cluster({ engines: 4, kind, output: 'ignore', ...options() });
  });
  afterAll(() => client.close());
  const run = <A extends unknown[], R>(ranks: number, main: (comm: Comm, ...args: A) => R, ...args: A) =>
    client.use(mpi).run(main, { ranks, args });

  test('rank, size, and what mains return', async () => {
    expect(await run(4, (comm, factor) => [comm.rank * factor, comm.size], 10)).toEqual([
      [0, 4],
      [10, 4],
      [20, 4],
      [30, 4],
    ]);
    expect(await run(1, (comm) => comm.size)).toEqual([1]);
    expect(await client.use(mpi).run((comm: Comm) => comm.rank, { kind })).toEqual([0, 1, 2, 3]);
  });

  test('programs that a rank starts know which one it is, and nobody does after the run', async () => {
    const told = await run(3, () =>
      execFileSync('sh', ['-c', 'echo $TUTTI_RANK of $TUTTI_SIZE, $TUTTI_LOCAL_RANK here'], { encoding: 'utf8' }),
    );
    expect(told.map((line) => line.slice(0, 7))).toEqual(['0 of 3,', '1 of 3,', '2 of 3,']);
    expect(told[0]).toBe('0 of 3, 0 here\n');
    expect(await client.engine(1).execute('typeof process.env.TUTTI_RANK')).toBe('undefined');
  });

  test('values and buffers of all sizes, with their status', async () => {
    const [, got] = await run(2, async (comm) => {
      const values = [1, 'text', null, undefined, { a: [1, { b: new Map([['k', 2n]]) }] }, new Date(5), -0];
      const sizes = [0, 1, 2_000, 50_000, 700_000];
      if (comm.rank === 0) {
        for (const value of values) await comm.send(value, 1, 7);
        for (const n of sizes) await comm.sendBuffer(new Float64Array(n).fill(n), 1, n);
        await comm.send(new Int16Array([1, 2, 3]), 1);
        await comm.send({ many: [new Uint8Array(300_000).fill(9), new Float32Array([1.5])] }, 1);
        return undefined;
      }
      const came: unknown[] = [];
      for (const _ of values) {
        const request = comm.recv(0, 7);
        came.push(await request, request.status.source, request.status.tag);
      }
      for (const n of sizes) {
        const into = new Float64Array(n + 2);
        const { source, tag, count } = await comm.recvBuffer(into, -1, -1);
        came.push([source, tag === n, count === n, into[0] === n || n === 0, into[n] === 0]);
      }
      const three = await comm.recv();
      const { many } = await comm.recv();
      return [...came, three, many[0].length, many[0][299_999], many[1]];
    });
    const statuses = [1, 'text', null, undefined, { a: [1, { b: new Map([['k', 2n]]) }] }, new Date(5), -0];
    expect(got).toEqual([
      ...statuses.flatMap((value) => [value, 0, 7]),
      ...Array.from({ length: 5 }, () => [0, true, true, true, true]),
      new Int16Array([1, 2, 3]),
      300_000,
      9,
      new Float32Array([1.5]),
    ]);
  });

  test('what is received is a copy, whoever it comes from, and whatever becomes of what was sent', async () => {
    const results = await run(3, async (comm) => {
      const value = { data: new Float64Array(5_000).fill(comm.rank), tail: [new Uint8Array(300_000).fill(comm.rank)] };
      const mine = [comm.isend(value, comm.rank, 1), comm.ssend(value, comm.rank, 2)];
      const gathered = await comm.gather(value, 1);
      const all = await comm.allgather(value);
      const everywhere = await comm.bcast(comm.rank === 2 ? value : undefined, 2);
      const swapped = await comm.alltoall([value, value, value]);
      const scattered = await comm.scatter(comm.rank === 0 ? [value, value, value] : undefined);
      const own = [await comm.recv(comm.rank, 1), await comm.recv(comm.rank, 2)];
      await comm.waitAll(mine);
      const next = comm.isend(value, (comm.rank + 1) % 3, 3);
      const came = await comm.recv(-1, 3);
      await next;
      value.data.fill(9);
      value.tail[0]!.fill(9);
      await comm.barrier();
      const seen = [...(gathered ?? []), ...all, everywhere, ...swapped, scattered, ...own, came];
      return seen.map(({ data, tail }) => (data.at(-1) === tail[0].at(-1) ? data[0] : 'mixed'));
    });
    expect(results).toEqual(
      [0, 1, 2].map((rank) => [
        ...(rank === 1 ? [0, 1, 2] : []),
        ...[0, 1, 2, 2, 0, 1, 2, 0, rank, rank, (rank + 2) % 3],
      ]),
    );
  });

  test('PROC_NULL, oneself, sendrecv, and receives that are taken back', async () => {
    const [got] = await run(2, async (comm) => {
      const nobody = comm.recv(-2);
      await comm.send('to nobody', -2);
      const null1 = [await nobody, nobody.status];
      const probed = await comm.probe(-2, 3);
      // To itself: a synchronous send waits for its receive.
      const synchronous = comm.ssend('me', comm.rank, 5);
      const before = synchronous.settled;
      const me = await comm.recv(comm.rank, 5);
      await synchronous;
      const other = 1 - comm.rank;
      const swapped = await comm.sendrecv(`from ${comm.rank}`, other, other);
      const array = new Int32Array([comm.rank, comm.rank]);
      await comm.sendrecvReplace(array, other, other);
      const cancelled = comm.irecv(other, 99);
      const took = cancelled.cancel();
      const again = cancelled.cancel();
      const late = await comm.recv(other, 99, { timeout: 5 }).catch((e) => e.code);
      const stop = new AbortController();
      const aborted = comm.recv(other, 99, { signal: stop.signal });
      stop.abort(new Error('enough'));
      const why = await aborted.catch((e) => e.message);
      // One that has been matched cannot be taken back.
      await comm.send(1, comm.rank, 98);
      const matched = comm.recv(comm.rank, 98);
      return [
        null1,
        probed.source,
        before,
        me,
        swapped,
        [...array],
        took,
        again,
        late,
        why,
        matched.cancel(),
        await matched,
      ];
    });
    expect(got).toEqual([
      [null, { source: -2, tag: -1, count: 0 }],
      -2,
      false,
      'me',
      'from 1',
      [1, 1],
      true,
      false,
      'MPI_REQUEST_CANCELLED',
      'enough',
      false,
      1,
    ]);
  });

  test('synchronous sends are done when their receive has begun, of any size', async () => {
    const [got] = await run(2, async (comm) => {
      const seen: unknown[] = [];
      for (const size of [0, 100, 60_000, 5_000_000]) {
        if (comm.rank === 0) {
          const request = comm.ssendBuffer(new Uint8Array(size), 1, 1);
          await comm.recv(1, 2); // it has not begun to receive
          seen.push(request.settled);
          await comm.send('go', 1, 3);
          await request;
        } else {
          await comm.send('not yet', 0, 2);
          await comm.recv(0, 3);
          await comm.recv(0, 1);
        }
      }
      return seen;
    });
    expect(got).toEqual([false, false, false, false]);
  });

  test('probe, mprobe, and messages that are matched', async () => {
    const [, got] = await run(2, async (comm) => {
      if (comm.rank === 0) {
        // Large ones are done when they are received: waiting for each here would be a deadlock.
        const sends = [
          comm.isend('a', 1, 1),
          comm.isendBuffer(new Float64Array(100_000).fill(3), 1, 2),
          comm.isend('c', 1, 1),
        ];
        await comm.waitAll(sends);
        for (let i = 0; i < 5; i++) await comm.send(i, 1, 10);
        return undefined;
      }
      const status = await comm.probe(0, 2);
      const again = comm.iprobe(0, 2);
      const matched = await comm.mprobe(0, 1);
      const c = await comm.recv(0, 1);
      const a = await matched.recv();
      const twice = (() => {
        try {
          matched.recv();
          return '';
        } catch (e) {
          return (e as Error).message;
        }
      })();
      const into = new Float64Array(status.count);
      await (await comm.mprobe(-1, 2)).recvBuffer(into);
      const rest: unknown[] = [];
      for await (const { value, status: s } of comm.messages(0, 10)) {
        rest.push([value, s.tag]);
        if (rest.length === 5) break;
      }
      return [status, again, c, a, twice, into[99_999], rest, comm.iprobe(), comm.improbe()];
    });
    expect(got).toEqual([
      { source: 0, tag: 2, count: 100_000 },
      { source: 0, tag: 2, count: 100_000 },
      'c',
      'a',
      expect.stringContaining('received already'),
      3,
      [0, 1, 2, 3, 4].map((i) => [i, 10]),
      undefined,
      undefined,
    ]);
  });

  test('a message that is too long, or of another type, fails at its receiver alone, before and after it came', async () => {
    const [sent, got] = await run(2, async (comm) => {
      const codes: unknown[] = [];
      for (const size of [10, 5_000, 900_000])
        for (const early of [true, false]) {
          if (comm.rank === 0) {
            if (early) await comm.recv(1, 9);
            const first = comm.sendBuffer(new Float64Array(size), 1, 1);
            await comm.send('after', 1, 2);
            await first;
            await comm.sendBuffer(new Float64Array(size), 1, 3);
            codes.push('sent');
            await comm.barrier();
            continue;
          }
          const into = new Float64Array(size - 1);
          let request = early ? comm.recvBuffer(into, 0, 1) : undefined;
          if (early) await comm.send('posted', 0, 9);
          else await comm.probe(0, 2).catch(() => {});
          request ??= comm.recvBuffer(into, 0, 1);
          codes.push(await request.catch((e) => e.code), await comm.recv(0, 2));
          codes.push(await comm.recvBuffer(new Float32Array(size * 2), 0, 3).catch((e) => e.code));
          await comm.barrier();
        }
      return codes;
    });
    expect(sent).toEqual(new Array(6).fill('sent'));
    expect(got).toEqual(new Array(6).fill(['MPI_TRUNCATE', 'after', 'MPI_TYPE']).flat());
  });

  test('wait and test: all, any, some, with inactive ones', async () => {
    const [got] = await run(2, async (comm) => {
      const other = 1 - comm.rank;
      const receives = [1, 2, 3].map((tag) => comm.irecv(other, tag));
      const none = [comm.testAll(receives), comm.testAny(receives), comm.testSome(receives)];
      await comm.barrier();
      await comm.send('two', other, 2);
      const first = await comm.waitAny([undefined, ...receives]);
      const some = await comm.waitSome(receives);
      await comm.barrier();
      await comm.send('one', other, 1);
      await comm.send('three', other, 3);
      const all = await comm.waitAll([...receives, undefined]);
      const inactive = [await comm.waitAny([]), await comm.waitSome([undefined]), comm.testAll([]), comm.testAny([])];
      const short = comm.recvBuffer(new Uint8Array(1), other, 4);
      await comm.sendBuffer(new Uint8Array(2), other, 4);
      const failed = await comm
        .waitAll([receives[0]!, short])
        .catch((e) => [e.code, e.errors.map((x: any) => x?.code)]);
      return [none, first, some, all, inactive, failed, receives[0]!.test()];
    });
    expect(got).toEqual([
      [false, undefined, []],
      2,
      [1],
      ['one', 'two', 'three', undefined],
      [-1, undefined, true, -1],
      ['MPI_IN_STATUS', [undefined, 'MPI_TRUNCATE']],
      { done: true, value: 'one', status: { source: 1, tag: 1, count: 4 } },
    ]);
  });

  test('operations that are set up once and started again and again', async () => {
    const results = await run(2, async (comm) => {
      const other = 1 - comm.rank;
      const out = new Int32Array(2);
      const into = new Int32Array(2);
      const halo = [comm.recvBufferInit(into, other, 1), comm.sendBufferInit(out, other, 1)];
      const inactive = [await halo[0], halo[0]!.active, await comm.waitAll(halo.map(({ request }) => request))];
      const seen: number[][] = [];
      for (let step = 0; step < 3; step++) {
        out.fill(10 * comm.rank + step); // what is sent is read at each start
        await comm.waitAll(comm.startAll(halo));
        seen.push([...into]);
      }
      const text = comm.recvInit<string>(other, 2);
      text.start();
      const twice = await Promise.resolve()
        .then(() => text.start())
        .catch((e: Error) => e.message);
      await comm.barrier(); // nothing has come before that
      await comm.sendInit('again', other, 2).start();
      return [inactive, seen, twice, await text, text.active];
    });
    expect(results).toEqual(
      [1, 0].map((other) => [
        [undefined, false, [undefined, undefined]],
        [0, 1, 2].map((step) => [10 * other + step, 10 * other + step]),
        expect.stringContaining('is not done yet'),
        'again',
        false,
      ]),
    );
  });

  test('elements that do not lie together are one buffer', async () => {
    const [, got] = await run(2, async (comm) => {
      const matrix = Float64Array.from({ length: 12 }, (_, i) => (comm.rank ? -1 : i));
      const column = (start: number) => ({ array: matrix, start, count: 3, stride: 4 });
      if (comm.rank === 0) {
        await comm.sendBuffer(column(1), 1);
        await comm.sendBuffer({ array: matrix, count: 3, block: 2, stride: 4 }, 1);
        await comm.sendBuffer(Float64Array.of(7, 8), 1);
        return undefined;
      }
      await comm.recvBuffer(column(3));
      const flat = new Float64Array(6);
      const { count } = await comm.recvBuffer(flat);
      // Fewer than there is room for.
      const short = await comm.recvBuffer(column(0));
      const wrong = await Promise.resolve()
        .then(() => comm.recvBuffer(column(4)))
        .catch((e: Error) => e.message);
      return [[...matrix], [...flat], count, short.count, wrong];
    });
    expect(got).toEqual([
      [7, -1, -1, 1, 8, -1, -1, 5, -1, -1, -1, 9],
      [0, 1, 4, 5, 8, 9],
      6,
      2,
      expect.stringContaining('3 blocks of 1, 4 apart, from element 4 on do not lie in an array of 12'),
    ]);
  });

  test('the members of a group make a communicator by themselves, several at a time', async () => {
    const results = await run(4, async (world) => {
      const group = world.group();
      const wrong = await Promise.resolve()
        .then(() => world.createGroup(group.excl([world.rank])))
        .catch((e: Error) => e.message);
      if (world.rank === 0) return [wrong, await world.recv(3, 9)]; // and takes no part
      const all = group.incl([3, 2, 1]);
      const [three, again] = await Promise.all([world.createGroup(all), world.createGroup(all, 7)]);
      const sums = [three.rank, await three.allreduce(world.rank), await again.allgather(world.rank)];
      const pair = world.rank > 1 ? await three.createGroup(group.incl([3, 2])) : undefined;
      const both = pair && (await pair.allgather(pair.rank));
      if (world.rank === 3) await world.send('done', 0, 9);
      return [wrong, ...sums, both, three.compare(again)];
    });
    const wrong = 'createGroup is called by the members of the group alone, and this rank is none';
    expect(results).toEqual([
      [wrong, 'done'],
      ...[1, 2, 3].map((rank) => [wrong, 3 - rank, 6, [3, 2, 1], rank > 1 ? [0, 1] : undefined, 'CONGRUENT']),
    ]);
  });

  test('oneself is a communicator, for all that communicators can do; a promise is a request', async () => {
    const results = await run(2, async (world) => {
      const { self } = world;
      const synchronous = self.ssend('me', 0, 1);
      const before = synchronous.settled;
      const got = [await self.recv(0, 1), before, self.size, self.compare(world.self), world.self.rank];
      const sums = [
        await self.allreduce(3),
        await self.reduce([1, 2]),
        await self.exscan(1),
        await self.alltoall(['x']),
      ];
      const window = await self.window(Int32Array, 2);
      await window.put(0, 0, Int32Array.of(4, 5));
      const pieces = await self.allgatherv(new Uint8Array([world.rank]));
      const timer = world.request(new Promise((resolve) => setTimeout(resolve, 1, 'late')));
      const failed = world.request(Promise.reject(new RangeError('no')));
      const receive = world.recv(-1, 77);
      const first = await world.waitAny([receive, timer]);
      receive.cancel();
      const all = await world.waitAll([timer, failed]).catch((e) => e.errors.map((x: any) => x?.message));
      const next = await self.dup();
      await next.free();
      await self.barrier();
      return [...got, ...sums, [...(await window.get(0))], pieces[0], first, all, await world.allreduce(1)];
    });
    expect(results).toEqual(
      [0, 1].map((rank) => [
        ...['me', false, 1, 'IDENT', 0, 3, [1, 2], undefined, ['x'], [4, 5], rank, 1],
        [undefined, 'no'],
        2,
      ]),
    );
  });

  test('a communicator ends with its run', async () => {
    await run(2, (comm) => {
      (globalThis as any).kept = comm;
      if (comm.finalized) throw new Error('finalized before its end');
    });
    const told = await client.engine(0).execute(`let said = [String(kept.finalized)]
      for (const use of [() => kept.send(1, 1), () => kept.barrier(), () => kept.dup()]) try { use() } catch (e) { said.push(e.message) }
      delete globalThis.kept
      said`);
    const ended = 'This run has ended; its communicators end with it';
    expect(told).toEqual(['true', ended, ended, ended]);
  });

  test('nothing that ranks tell each other passes through the controller', async () => {
    const before = (await client.status()).traffic.engines.bytesReceived;
    await run(4, async (comm) => {
      await comm.alltoall(new Array(4).fill(new Uint8Array(1_000_000)));
      for (let i = 0; i < 200; i++) await comm.sendrecv(new Uint8Array(1_000), (comm.rank + 1) % 4);
    });
    const { bytesReceived } = (await client.status()).traffic.engines;
    expect(bytesReceived - before).toBeLessThan(100_000);
  });

  test('collectives give what a serial program gives, with 1 to 4 ranks', async () => {
    const results = await run(4, async (world) => {
      const wrong: string[] = [];
      const check = (what: string, got: unknown, want: unknown): void => {
        const text = (v: unknown): string =>
          JSON.stringify(v, (_, x) => (ArrayBuffer.isView(x) ? [x.constructor.name, ...(x as Uint8Array)] : x)) ??
          'undefined';
        if (text(got) !== text(want))
          wrong.push(`${what}: ${text(got).slice(0, 200)} instead of ${text(want).slice(0, 200)}`);
      };
      for (let size = 1; size <= 4; size++) {
        const comm = await world.split(world.rank < size ? 0 : undefined);
        if (!comm) continue;
        const { rank } = comm;
        const ranks = Array.from({ length: size }, (_, i) => i);
        const at = `of ${size}`;
        for (const root of ranks) {
          const mine = <T>(value: T): T | undefined => (rank === root ? value : undefined);
          check(`bcast ${at}`, await comm.bcast(mine({ from: root, big: 'x'.repeat(70_000) }), root), {
            from: root,
            big: 'x'.repeat(70_000),
          });
          for (const n of [0, 3, 200_000]) {
            const array = new Float64Array(n).fill(rank === root ? root + 0.5 : -1);
            await comm.bcastBuffer(array, root);
            check(
              `bcastBuffer ${at}`,
              array.every((x) => x === root + 0.5),
              true,
            );
            const got = (await comm.bcast(mine(new Float32Array(n).fill(7)), root)) as Float32Array;
            check(`bcast array ${at}`, [got.length, got.every((x) => x === 7)], [n, true]);
          }
          check(`scatter ${at}`, await comm.scatter(mine(ranks.map((r) => `to ${r}`)), root), `to ${rank}`);
          check(`gather ${at}`, await comm.gather([rank], root), mine(ranks.map((r) => [r])));
          check(`reduce ${at}`, await comm.reduce(rank + 1, 'SUM', root), mine((size * (size + 1)) / 2));
          const text = await comm.reduce(
            String(rank),
            { fn: (a: string, b: string) => a + b, commutative: false },
            root,
          );
          check(`ordered reduce ${at}`, text, mine(ranks.join('')));
          const pieces = ranks.map((r) => r + 1);
          const array = Int32Array.from(ranks.flatMap((r) => new Array(r + 1).fill(r)));
          const piece = await comm.scatterv(mine(array), mine(pieces), root);
          check(`scatterv ${at}`, piece, new Int32Array(rank + 1).fill(rank));
          check(`gatherv ${at}`, await comm.gatherv(piece, root), mine(array));
          const into = new Int32Array(2 * array.length + 1).fill(-1);
          let next = 1;
          const displs = pieces.map((n) => (next += n + 1) - n - 1);
          if (displs.at(-1)! + size <= into.length) {
            await comm.gatherv(piece, root, { counts: pieces, displs, into });
            if (rank === root) check(`gatherv with gaps ${at}`, [into[0], into[1]], [-1, 0]);
          }
        }
        check(
          `allgather ${at}`,
          await comm.allgather({ r: rank }),
          ranks.map((r) => ({ r })),
        );
        check(
          `alltoall ${at}`,
          await comm.alltoall(ranks.map((r) => `${rank}-${r}`)),
          ranks.map((r) => `${r}-${rank}`),
        );
        check(
          `allgatherv ${at}`,
          await comm.allgatherv(new Uint8Array(rank).fill(rank)),
          Uint8Array.from(ranks.flatMap((r) => new Array(r).fill(r))),
        );
        const counts = ranks.map((r) => (r + rank) % 3);
        const flat = Float64Array.from(ranks.flatMap((r) => new Array((r + rank) % 3).fill(rank * 10 + r)));
        const want = Float64Array.from(ranks.flatMap((r) => new Array((r + rank) % 3).fill(r * 10 + rank)));
        check(`alltoallv ${at}`, await comm.alltoallv(flat, counts), want);
        for (const [op, value, result] of [
          ['SUM', [rank, 1], [(size * (size - 1)) / 2, size]],
          ['PROD', BigInt(rank + 1), undefined],
          ['MIN', 5 - rank, 5 - (size - 1)],
          ['MAX', rank, size - 1],
          ['LAND', rank > 0, size === 0],
          ['LOR', rank === size - 1, true],
          ['LXOR', 1, size % 2],
          ['BAND', 6 | rank, ranks.reduce((a, r) => a & (6 | r), -1)],
          ['BOR', 2 ** rank, 2 ** size - 1],
          ['BXOR', 2 ** 40 + rank, undefined],
          ['MINLOC', [3, rank], [3, 0]],
          ['MAXLOC', [rank % 2, rank], [size > 1 ? 1 : 0, size > 1 ? 1 : 0]],
          ['REPLACE', rank, size - 1],
          ['NO_OP', rank, 0],
        ] as [any, any, any][]) {
          const got = await comm.allreduce(value, op);
          if (op === 'PROD') check(`PROD ${at}`, String(got), String(ranks.reduce((a, r) => a * BigInt(r + 1), 1n)));
          else if (op === 'BXOR') check(`BXOR ${at}`, got, Number(ranks.reduce((a, r) => a ^ BigInt(2 ** 40 + r), 0n)));
          else check(`${op} ${at}`, got, result);
        }
        const prefix = { fn: (a: string, b: string) => a + b, commutative: false };
        check(`ordered allreduce ${at}`, await comm.allreduce(String(rank), prefix), ranks.join(''));
        check(`scan ${at}`, await comm.scan(String(rank), prefix), ranks.slice(0, rank + 1).join(''));
        check(
          `exscan ${at}`,
          await comm.exscan(String(rank), prefix),
          rank ? ranks.slice(0, rank).join('') : undefined,
        );
        check(
          `reduceScatter ${at}`,
          await comm.reduceScatter(ranks.map((r) => r * 10 + rank)),
          rank * 10 * size + (size * (size - 1)) / 2,
        );
        check(
          `reduceScatter of an array ${at}`,
          await comm.reduceScatter(new Int32Array(size * 2).fill(1)),
          new Int32Array(2).fill(size),
        );
        for (const deterministic of [false, true])
          for (const n of [5, 30_001]) {
            const array = Float64Array.from({ length: n }, (_, i) => i + rank);
            const before = array.slice();
            const sum = await comm.allreduce(array, 'SUM', { deterministic });
            const right = sum.every((x, i) => x === size * i + (size * (size - 1)) / 2);
            check(`allreduce of ${n} ${at}`, [right, array.every((x, i) => x === before[i])], [true, true]);
            await comm.allreduceBuffer(array, 'MAX');
            check(
              `allreduceBuffer of ${n} ${at}`,
              array.every((x, i) => x === i + size - 1),
              true,
            );
          }
        await comm.free();
      }
      return wrong;
    });
    expect(results.flat()).toEqual([]);
  });

  test('many collectives at once, on several communicators, in the order of their calls', async () => {
    const results = await run(4, async (world) => {
      const other = await world.dup();
      const pending: PromiseLike<unknown>[] = [];
      for (let i = 0; i < 50; i++) {
        pending.push(world.allreduce(i + world.rank), other.bcast(world.rank === i % 4 ? i : undefined, i % 4));
        // A message with any tag from anybody never meets the traffic of a collective.
        if (i === 20) pending.push(world.recv());
      }
      await world.send('p2p', (world.rank + 1) % 4, 3);
      // Somebody is slow, and others wait.
      if (world.rank === 2) await new Promise((resolve) => setTimeout(resolve, 20));
      const got = await Promise.all(pending);
      await other.free();
      return got;
    });
    const want = Array.from({ length: 50 }, (_, i) => [4 * i + 6, i, ...(i === 20 ? ['p2p'] : [])]).flat();
    expect(results).toEqual(new Array(4).fill(want));
  });

  test('communicators: dup, split, create, compare, groups, and contexts that are given back', async () => {
    const results = await run(4, async (world) => {
      const dup = await world.dup();
      // The same message on two communicators.
      const there = dup.irecv((world.rank + 1) % 4, 0);
      const here = world.irecv((world.rank + 1) % 4, 0);
      await world.send('world', (world.rank + 3) % 4);
      const first = await here;
      await dup.send('dup', (world.rank + 3) % 4);
      const second = await there;
      const odd = (await world.split(world.rank % 2, -world.rank))!;
      const none = await world.split(world.rank ? undefined : 3);
      const host = await world.splitType('host');
      const created = await world.create(world.group().incl([3, 1]));
      const compared = [world.compare(world), world.compare(dup), world.compare(odd), created && created.compare(dup)];
      const translated = odd.group().translateRanks([0, 1, -2], world.group());
      await dup.free();
      const after = await Promise.resolve()
        .then(() => dup.send(1, 0))
        .catch((e: Error) => e.message);
      const before = world.core.world.communicators.size;
      for (let i = 0; i < 200; i++) await (await world.dup()).free();
      const grown = world.core.world.communicators.size - before + world.core.messenger.matching.contexts;
      return [
        first,
        second,
        odd.rank,
        odd.size,
        none?.size,
        host.size,
        created && [created.rank, created.size],
        compared,
        translated,
        after,
        grown < 20,
      ];
    });
    expect(results).toEqual(
      [0, 1, 2, 3].map((rank) => [
        'world',
        'dup',
        rank < 2 ? 1 : 0,
        2,
        rank ? undefined : 1,
        perHost,
        rank % 2 ? [rank === 3 ? 0 : 1, 2] : null,
        ['IDENT', 'CONGRUENT', 'UNEQUAL', rank % 2 ? 'UNEQUAL' : null],
        [rank % 2 ? 3 : 2, rank % 2, -2],
        expect.stringContaining('freed'),
        true,
      ]),
    );
  });

  test('grids: places, shifts, neighbours, and grids of fewer dimensions', async () => {
    const results = await run(4, async (world) => {
      const grid = (await world.cart([2, 2], [true, false]))!;
      const row = await grid.sub([false, true]);
      const three = await world.cart([3]);
      return [
        grid.coords,
        grid.rankAt([-1, 1]),
        grid.shift(0),
        grid.shift(1),
        await grid.neighborAllgather(grid.rank),
        await grid.neighborAlltoall([0, 1, 2, 3].map((i) => `${grid.rank}>${i}`)),
        [row.dims, await row.allgather(grid.rank)],
        three && three.shift(0),
      ];
    });
    expect(results[1]).toEqual([
      [0, 1],
      3,
      { source: 3, dest: 3 },
      { source: 0, dest: -2 },
      [3, 3, 0, undefined],
      ['3>1', '3>0', '0>3', undefined],
      [[2], [0, 1]],
      { source: 0, dest: 2 },
    ]);
    expect(results[3]![7]).toBe(null);
  });

  test('windows: get, put, accumulate, fetchAdd, compareAndSwap, fence', async () => {
    const results = await run(4, async (comm) => {
      await using ints = await comm.window(Int32Array, 4);
      await using floats = await comm.window(Float64Array, 8);
      for (let i = 0; i < 100; i++) await ints.fetchAdd(0, 0, 1);
      const won = (await ints.compareAndSwap(1, 1, 0, comm.rank + 1)) === 0;
      await floats.put((comm.rank + 1) % 4, comm.rank, new Float64Array([comm.rank + 0.5]));
      await floats.accumulate(2, 5, new Float64Array([1.25, 1]));
      await ints.fence();
      await floats.fence();
      const count = (await ints.get(0, 0, 1))[0];
      const left = (await floats.get(comm.rank, (comm.rank + 3) % 4, 1))[0];
      const sums = [...(await floats.get(2, 5, 2))];
      const wrong = await Promise.resolve()
        .then(() => ints.get(0, 3, 2))
        .catch((e: Error) => e.message);
      const type = await Promise.resolve()
        .then(() => ints.put(0, 0, new Float64Array(1) as never))
        .catch((e: any) => e.code);
      await comm.barrier();
      return [count, left, sums, won, wrong, type];
    });
    results.forEach(([count, left, sums, , wrong, type], rank) => {
      expect([count, left, sums, type]).toEqual([400, ((rank + 3) % 4) + 0.5, [5, 4], 'MPI_TYPE']);
      expect(wrong).toContain('elements 3 to 5 of rank 0');
    });
    expect(results.filter(([, , , won]) => won)).toHaveLength(1);
  });
}
