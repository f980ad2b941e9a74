/** Worlds that ranks start. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AsyncResult, type Cluster, cluster } from '../../main.ts';
import { type Comm, mpi } from '../../paradigms/index.ts';
import { failureOf } from './support/mpi-suite.ts';
import { inFolder } from './support/shared.ts';

const ROOT = -3;
const PROC_NULL = -2;

describe.each(['thread', 'process'] as const)('%s ranks', (kind) => {
  let client: Cluster;
  beforeAll(async () => {
    client = await cluster({ engines: 2, kind, output: 'ignore' });
  });
  afterAll(() => client.close());
  const run = <A extends unknown[], R>(ranks: number, main: (comm: Comm, ...args: A) => R, ...args: A) =>
    client.use(mpi).run(main, { ranks, args });
  const left = () => expect.poll(() => client.engines.map(({ id }) => id)).toEqual([0, 1]);

  test('children talk to their parents, rank by rank, and their engines go with them', async () => {
    const word = 'captured';
    const results = await run(
      2,
      async (comm, more) => {
        const children = await comm.spawn(
          3,
          async (child: Comm, greeting: string) => {
            const parent = child.parent!;
            const { size, remoteSize, rank } = parent;
            const asked = parent.recv<string>();
            const text = `${greeting} ${await asked} ${word} from ${rank} of ${size} to ${remoteSize}`;
            await parent.send(text, asked.status.source, rank);
            await parent.sendBuffer(new Float64Array(300_000).fill(rank), 1, 9);
            return (await child.allgather(rank)).length;
          },
          { args: [more] },
        );
        const mine = comm.rank === 0 ? [0, 2] : [1];
        const got: unknown[] = [children.size, children.remoteSize, comm.parent];
        for (const rank of mine) await children.send(`asks ${rank}`, rank);
        for (const rank of mine) got.push(await children.recv(rank, rank));
        if (comm.rank === 1) {
          const into = new Float64Array(300_000);
          const sources = [];
          for (let i = 0; i < 3; i++) {
            const { source } = await children.recvBuffer(into, -1, 9);
            sources.push(into.every((x) => x === source) ? source : 'mixed');
          }
          got.push(sources.sort());
        }
        return got;
      },
      'hello',
    );
    expect(results).toEqual([
      [2, 3, undefined, 'hello asks 0 captured from 0 of 3 to 2', 'hello asks 2 captured from 2 of 3 to 2'],
      [2, 3, undefined, 'hello asks 1 captured from 1 of 3 to 2', [0, 1, 2]],
    ]);
    await left();
  });

  test('collectives between the groups, and a communicator of both', async () => {
    const [parents] = await run(2, async (comm) => {
      const children = await comm.spawn(2, async (child: Comm) => {
        const parent = child.parent!;
        const [root, nobody] = child.rank === 0 ? [-3, -2] : [-2, -2];
        const seen: unknown[] = [await parent.bcast(undefined, 1), await parent.scatter(undefined, 0)];
        await parent.gather(`child ${child.rank}`, 1);
        seen.push(await parent.gather(undefined, root), await parent.reduce(undefined, 'SUM', root));
        await parent.reduce(child.rank + 1, 'SUM', 0);
        seen.push(await parent.allgather(child.rank + 100), await parent.allreduce(child.rank + 1));
        seen.push(await parent.alltoall([`${child.rank}>0`, `${child.rank}>1`]));
        await parent.barrier();
        const both = await parent.merge(true);
        seen.push([both.rank, both.size, await both.allreduce(1)], nobody);
        await both.send(seen, 0);
        const again = await parent.merge();
        await again.barrier();
        await parent.disconnect();
        const wrong = await Promise.resolve()
          .then(() => parent.send(1, 0))
          .catch((e: Error) => e.message);
        return wrong;
      });
      const at = (rank: number) => (comm.rank === rank ? -3 : -2);
      const seen: unknown[] = [await children.bcast('told', at(1)), await children.scatter(['a', 'b'], at(0))];
      seen.push(await children.gather(undefined, at(1)));
      await children.gather(comm.rank * 7, 0);
      await children.reduce(comm.rank + 5, 'SUM', 0);
      seen.push(await children.reduce(undefined, 'SUM', at(0)));
      seen.push(await children.allgather(comm.rank), await children.allreduce(10 * (comm.rank + 1)));
      seen.push(await children.alltoall([`p${comm.rank}>0`, `p${comm.rank}>1`]));
      await children.barrier();
      const both = await children.merge();
      seen.push([both.rank, both.size, await both.allreduce(1)]);
      const theirs = comm.rank === 0 ? [await both.recv(2), await both.recv(3)] : [];
      const again = await children.merge(true);
      seen.push(again.rank);
      await again.barrier();
      await children.disconnect();
      await children.disconnect();
      return [await comm.allgather(seen), theirs];
    });
    const [[p0, p1], [c0, c1]] = parents as any;
    expect(p0).toEqual([undefined, undefined, undefined, 3, [100, 101], 3, ['0>0', '1>0'], [0, 4, 4], 2]);
    expect(p1).toEqual([
      'told',
      undefined,
      ['child 0', 'child 1'],
      undefined,
      [100, 101],
      3,
      ['0>1', '1>1'],
      [1, 4, 4],
      3,
    ]);
    expect(c0).toEqual(['told', 'a', [0, 7], 11, [0, 1], 30, ['p0>0', 'p1>0'], [2, 4, 4], -2]);
    expect(c1).toEqual(['told', 'b', undefined, undefined, [0, 1], 30, ['p0>1', 'p1>1'], [3, 4, 4], -2]);
    await left();
  });

  test('a module is a main, too; its engines may be of another kind; a world that was spawned can spawn', async () => {
    await inFolder(async (folder) => {
      const file = path.join(folder, 'child.ts');
      writeFileSync(
        file,
        `export default async function main(comm: any, depth: number): Promise<void> {
          if (depth > 1) {
            const deeper = await comm.spawn(1, ${JSON.stringify(file)}, { args: [depth - 1] });
            await comm.parent.send([process.pid, ...(await deeper.recv(0))], 0);
          } else await comm.parent.send([process.pid], 0);
        }\n`,
      );
      const spawned: AsyncResult<any>[] = [];
      const [pids] = await client.use(mpi).run(
        async (comm: Comm, url: string) => {
          await using children = await comm.spawn(1, new URL(url), { args: [2], kind: 'process' });
          return [process.pid, ...(await children.recv<number[]>(0))];
        },
        { ranks: 1, args: [pathToFileURL(file).href], onSpawn: (children) => void spawned.push(children) },
      );
      expect([pids!.length, spawned.map(({ targets }) => targets.length)]).toEqual([3, [1, 1]]);
      expect(pids![1]).not.toBe(pids![0]);
      await Promise.all(spawned);
      await left();
    });
  });

  test('why they could not be spawned is told of each, everywhere, and all is as before', async () => {
    const limited = await cluster({ engines: 2, kind, output: 'ignore', limits: { engines: 3 }, log: 'silent' });
    try {
      const results = await limited.use(mpi).run(async (comm: Comm) => {
        const said = (n: number, main: unknown, options = {}) =>
          Promise.resolve()
            .then(() => comm.spawn(n, main as () => unknown, options))
            .then(
              () => 'fine',
              (e: any) => [e.code, e.message, e.errors?.map((x: any) => x?.code)],
            );
        const beyond = await said(3, () => {});
        const never = await said(1, '/nowhere/child.ts');
        const wrong = await said(0, () => {});
        const neither = await said(1, 5);
        const root = await said(1, () => {}, { root: 2 });
        // What fails before its main does.
        const fine = await comm.spawn(1, (child: Comm) => child.parent!.send('come', 0));
        return [beyond, never, wrong, neither, root, comm.rank ? 'come' : await fine.recv(0), await comm.allreduce(1)];
      });
      for (const [beyond, never, wrong, neither, root, come, sum] of results as any[]) {
        expect(beyond[0]).toBe('MPI_SPAWN');
        expect(beyond[1]).toMatch(/2 of 3 ranks that were spawned found no engine; the cluster has \d/);
        expect(beyond[1]).toMatch(/child 2: .*The cluster would have 4 engines/);
        expect(beyond[2].filter((code: unknown) => code)).toEqual(['LIMIT', 'LIMIT']);
        expect(never[1]).toMatch(/nowhere\/child.ts/);
        expect(wrong[1]).toMatch(/spawn takes how many/);
        expect(neither[1]).toMatch(/spawn takes a function main/);
        expect(root[1]).toMatch(/there is no rank 2 to be the root/);
        expect([come, sum]).toEqual(['come', 2]);
      }
      await expect.poll(() => limited.engines.length).toBe(2);
    } finally {
      await limited.close();
    }
  });

  test('a child that dies is lost to its parents as any rank is, and fails them if nobody has noticed', async () => {
    const [told] = await run(2, async (comm) => {
      const children = await comm.spawn(2, async (child: Comm) => {
        const { rank, parent } = child;
        if (rank === 1) {
          await parent!.recv(0);
          throw new TypeError('boom');
        }
        await parent!.send(await child.recv(1).catch((e: any) => e.code), 0);
      });
      if (comm.rank) return [];
      const waits = children.recv(1).catch((e: any) => [e.code, e.rank, e.message]);
      await children.send('go', 1);
      const died = await waits;
      const anybody = await Promise.resolve()
        .then(() => children.recv())
        .catch((e: any) => e.code);
      const lost = children.acknowledge();
      return [died, anybody, lost, await children.recv()];
    });
    expect(told).toEqual([
      ['MPI_RANK_LOST', 1, expect.stringMatching(/Rank 1 is gone: its main threw TypeError: boom/)],
      'MPI_RANK_LOST',
      [1],
      'MPI_RANK_LOST',
    ]);
    const unnoticed = await failureOf(
      run(2, async (comm) => {
        await comm.spawn(2, (child: Comm) => {
          if (child.rank) throw new TypeError('boom');
        });
      }),
    );
    expect(unnoticed.code).toBe('MPI_SPAWN');
    expect(unnoticed.message).toMatch(/of 2 ranks that were spawned have failed:(\n.*)*child 1: .*boom/);
    await left();
  });

  test('who has returned sends nothing more, and takes nothing: that is told', async () => {
    const [told] = await run(2, async (comm) => {
      const children = await comm.spawn(2, (child: Comm) => child.parent!.send(`last of ${child.rank}`, 0));
      if (comm.rank) return [];
      const both = [await children.recv(), await children.recv()].sort();
      const none = await Promise.resolve()
        .then(() => children.recv())
        .catch((e: any) => [e.code, e.message]);
      const probed = await Promise.resolve()
        .then(() => children.probe())
        .catch((e: any) => e.code);
      return [both, none, probed, await children.send('late', 1).catch((e: any) => e.code)];
    });
    expect(told).toEqual([
      ['last of 0', 'last of 1'],
      ['MPI_RANK_LOST', expect.stringMatching(/its main has returned/)],
      'MPI_RANK_LOST',
      'MPI_RANK_LOST',
    ]);
    await left();
  });

  test('abort ends both sides; what is cancelled takes its children with it', async () => {
    const aborted = await failureOf(
      run(2, async (comm) => {
        const children = await comm.spawn(1, async (child: Comm) => {
          await child.parent!.recv(0);
          child.abort(5);
        });
        if (comm.rank === 0) await children.send('go', 0);
        await comm.recv(comm.rank);
      }),
    );
    expect(aborted).toMatchObject({ code: 'MPI_ABORTED', exitCode: 5 });
    await left();
    const spawned: AsyncResult<any>[] = [];
    const result = client.use(mpi).run(
      async (comm: Comm) => {
        await comm.spawn(1, (child: Comm) => child.recv(0));
        await comm.recv(comm.rank);
      },
      { onSpawn: (children) => void spawned.push(children) },
    );
    await expect.poll(() => spawned.length).toBe(1);
    await result.cancel('enough');
    await expect(result).rejects.toThrow(/enough/);
    await left();
  });

  test('a deadlock of both sides is told', async () => {
    const error = await failureOf(
      run(2, async (comm) => {
        const children = await comm.spawn(1, (child: Comm) => child.parent!.recv(0));
        await children.recv(0);
      }),
    );
    expect(error.code).toBe('MPI_DEADLOCK');
    expect(error.waits).toHaveLength(3);
    await left();
  });

  test('roots that make no sense', async () => {
    const [said] = await run(1, async (comm) => {
      const children = await comm.spawn(1, (child: Comm) => child.parent!.barrier());
      const tell = (use: () => unknown) =>
        Promise.resolve()
          .then(use)
          .catch((e: Error) => e.message);
      const told = [
        await tell(() => children.bcast(1, 5)),
        await tell(() => children.scatter([1, 2], -3)),
        await tell(() => children.send(1, 1)),
        await tell(() => comm.sync.wait(comm.bcast(1, 3))),
      ];
      await children.barrier();
      return told;
    });
    expect(said![0]).toMatch(/bcast: the root is ROOT at itself, PROC_NULL .* 0 to 0; got 5/);
    expect(said![1]).toMatch(
      /scatter takes a list with one value for each of the 1 ranks of the other group; got 2 values/,
    );
    expect(said![2]).toMatch(/send: there is no rank 1/);
    void ROOT;
    void PROC_NULL;
  });
});
