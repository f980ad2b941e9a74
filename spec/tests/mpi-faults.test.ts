/** Ranks that go, wait for each other for ever, or do not agree on what they do. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Cluster, cluster } from '../../main.ts';
import { type Comm, mpi } from '../../paradigms/index.ts';
import { failureOf } from './support/mpi-suite.ts';

/** What each rank came to: its value, or its error. */
async function settled(result: PromiseLike<unknown> & { settled(): PromiseLike<any[]> }): Promise<any[]> {
  const parts = await result.settled();
  return [...parts]
    .sort((a, b) => a.engine - b.engine)
    .map((part) => (part.status === 'fulfilled' ? part.value : part.reason));
}

describe.each(['thread', 'process'] as const)('%s ranks', (kind) => {
  let client: Cluster;
  beforeAll(async () => {
    client = await cluster({ engines: 4, kind, output: 'ignore' });
  });
  afterAll(() => client.close());
  const run = <A extends unknown[], R>(ranks: number, main: (comm: Comm, ...args: A) => R, ...args: A) =>
    client.use(mpi).run(main, { ranks, args });

  test('when one throws, the others reject with its rank and reason, and can shrink and go on', async () => {
    const parts = await settled(
      run(4, async (comm) => {
        if (comm.rank === 2) throw new TypeError('boom');
        const error = await comm.allreduce(1).then(
          () => undefined,
          (e) => e,
        );
        const again = await comm.send(1, 2).catch((e) => e.code);
        const anybody = await Promise.resolve()
          .then(() => comm.recv())
          .catch((e) => e.code);
        const rest = await comm.shrink();
        const agreed = await rest.agree(7 - rest.rank);
        comm.acknowledge();
        if (comm.rank === 0) await comm.send('still here', 3, 1);
        const late = comm.rank === 3 ? await comm.recv(-1, 1) : undefined;
        return [
          error.rank,
          error.message,
          again,
          anybody,
          comm.lost,
          rest.size,
          await rest.allreduce(rest.rank),
          agreed,
          late,
        ];
      }),
    );
    expect(parts[2]).toMatchObject({ name: 'TypeError', message: 'boom' });
    for (const rank of [0, 1, 3])
      expect(parts[rank]).toEqual([
        2,
        expect.stringContaining('its main threw TypeError: boom'),
        'MPI_RANK_LOST',
        'MPI_RANK_LOST',
        [2],
        3,
        3,
        7 & 6 & 5,
        rank === 3 ? 'still here' : undefined,
      ]);
  });

  test('process.exit ends the rank alone; abort ends all', async () => {
    const exits = await settled(
      run(3, async (comm) => {
        if (comm.rank === 1) process.exit(0);
        if (comm.rank === 2) setTimeout(() => process.exit(4), 1);
        return comm.rank === 2 ? await new Promise(() => {}) : comm.rank;
      }),
    );
    expect(exits.slice(0, 2)).toEqual([0, undefined]);
    expect(exits[2]).toMatchObject({ code: 'MPI_EXIT', exitCode: 4 });
    const aborted = await settled(
      run(3, async (comm) => {
        if (comm.rank === 1) comm.abort(5);
        await comm.recv(0);
      }),
    );
    for (const error of aborted) expect(error).toMatchObject({ code: 'MPI_ABORTED', exitCode: 5 });
    expect(await run(3, (comm) => comm.rank)).toEqual([0, 1, 2]); // the engines are as they were
  });

  test('revoke wakes all members, whatever they wait for', async () => {
    const codes = await run(4, async (world) => {
      const comm = await world.dup();
      if (comm.rank === 3) {
        await world.recv(0);
        comm.revoke();
      }
      if (comm.rank === 0) await world.send('now', 3);
      const first = await Promise.resolve()
        .then(() => (comm.rank === 1 ? comm.barrier() : comm.recv(2)))
        .catch((e) => e.code);
      const later = await Promise.resolve()
        .then(() => comm.send(1, 0))
        .catch((e) => e.code);
      const next = await comm.shrink();
      return [first, later, await next.allreduce(1), comm.revoked, await world.allreduce(1)];
    });
    expect(codes).toEqual(new Array(4).fill(['MPI_REVOKED', 'MPI_REVOKED', 4, true, 4]));
  });

  test('a deadlock is told, with who waits for whom', async () => {
    const errors = await settled(
      run(3, async (comm) => {
        if (comm.rank === 0) await comm.recv(1, 7);
        else if (comm.rank === 1) await comm.ssend('x', 2, 3);
        else await comm.barrier();
      }),
    );
    for (const error of errors) {
      expect(error.code).toBe('MPI_DEADLOCK');
      expect(error.waits).toEqual([
        expect.stringContaining('rank 0 waits in recv from rank 1, tag 7'),
        expect.stringContaining('rank 1 waits in ssend to rank 2, tag 3'),
        expect.stringContaining('rank 2 waits in barrier()'),
      ]);
    }
  });

  test('who waits for something else is not in a deadlock, however often that is looked for', async () => {
    const got = await run(2, async (comm) => {
      if (comm.rank === 0) return comm.recv(1);
      const { lookout } = comm.core.world;
      // Two looks in a row are enough to find a deadlock.
      while (lookout.looks < 4) await new Promise((resolve) => setTimeout(resolve, 10));
      await comm.send('late', 0);
      return undefined;
    });
    expect(got).toEqual(['late', undefined]);
  });

  test('one that has ended will not send any more', async () => {
    const error = await failureOf(run(2, (comm) => (comm.rank ? comm.recv(0) : 'done')));
    expect(error.code).toBe('MPI_DEADLOCK');
    expect(error.waits).toEqual(['rank 0 has ended', expect.stringContaining('rank 1 waits in recv from rank 0')]);
  });

  test('collectives that do not fit are named on both sides', async () => {
    for (const ranks of [2, 3]) {
      const errors = await settled(
        run(ranks, async (comm) => {
          await comm.barrier();
          const failed = await (comm.rank === 1 ? comm.allreduce(1, 'MAX') : comm.allreduce(1)).catch((e) => e);
          return [failed.code, failed.message, await comm.barrier().catch((e) => e.code)];
        }),
      );
      expect(errors.filter((error) => !Array.isArray(error))).toEqual([]);
      for (const [code, message, next] of errors.slice(0, 2)) {
        expect([code, next]).toEqual(['MPI_COLLECTIVE_MISMATCH', 'MPI_COLLECTIVE_MISMATCH']);
        expect(message).toMatch(
          /Collective number 2 on the world: rank \d called allreduce\((SUM|MAX)\) and rank \d called allreduce\((SUM|MAX)\)/,
        );
      }
    }
    const roots = await settled(
      run(2, async (comm) => {
        await comm.bcast('mine', comm.rank);
        await comm.barrier();
      }),
    );
    for (const { code, message } of roots) {
      expect(code).toBe('MPI_COLLECTIVE_MISMATCH');
      expect(message).toMatch(/bcast\(root 0\).*bcast\(root 1\)|bcast\(root 1\).*bcast\(root 0\)/);
    }
  });

  test('an operation that throws at one rank ends the collective at all', async () => {
    const errors = await settled(
      run(3, async (comm) => {
        const own = {
          fn: () => {
            throw new RangeError('not this');
          },
          commutative: true,
        };
        return [
          await comm.allreduce(1, own).catch((e) => e.message),
          await comm.reduce([1, 2].slice(comm.rank === 2 ? 1 : 0)).catch((e) => e.code),
        ];
      }),
    );
    expect(errors.map(([first]) => first)).toEqual(new Array(3).fill('not this'));
  });

  test('requests that are open at the end are told', async () => {
    const error = await failureOf(
      run(2, (comm) => {
        if (comm.rank === 1) comm.irecv(0, 5);
      }),
    );
    expect(error).toMatchObject({ code: 'MPI_LEAKED_REQUESTS' });
    expect(error.message).toMatch(/Rank 1 has ended with 1 open request.*recv from rank 0, tag 5/s);
  });

  test('a run that is cancelled ends everywhere', async () => {
    const result = run(3, (comm) => comm.recv());
    await client.engine(3).execute('1');
    await result.cancel('enough');
    await expect(async () => result).rejects.toMatchObject({ code: expect.any(String) });
    expect(await run(3, (comm) => comm.allreduce(1))).toEqual([3, 3, 3]);
  });

  test('mistakes are told at once', async () => {
    const messages = (
      await run(2, async (comm) => {
        const told: string[] = [];
        const attempt = async (what: () => unknown): Promise<void> => {
          try {
            await what();
            told.push('nothing');
          } catch (e) {
            told.push(`${(e as Error).name}: ${(e as Error).message}`);
          }
        };
        await attempt(() => comm.send(1, 2));
        await attempt(() => comm.send(1, 1, -5));
        await attempt(() => comm.recv(0.5));
        await attempt(() => comm.bcast(1, 9));
        await attempt(() => comm.send(Symbol('no'), 1));
        await attempt(() => comm.send({ deep: [() => 1] }, 1));
        await attempt(() => comm.sendBuffer([1] as never, 1));
        await attempt(() => comm.recvBuffer({} as never));
        await attempt(() => comm.allreduce('text'));
        await attempt(() => comm.allreduce(new Float64Array(1), 'BAND'));
        await attempt(() => comm.allreduce(1, 'PLUS' as never));
        await attempt(() => comm.scatter([1], comm.rank));
        await attempt(() => comm.scatterv(new Int8Array(3), [1, 3], comm.rank));
        await attempt(() => comm.alltoallv(new Int8Array(3), [1, -1]));
        await attempt(() => comm.cart([5]));
        await attempt(() => comm.split(-1));
        await attempt(() => comm.free());
        await attempt(() => comm.window(Array as never, 1));
        return told;
      })
    )[0];
    expect(messages).toEqual(
      [
        'MpiError: send: there is no rank 2; the world has ranks 0 to 1',
        'MpiError: send: a tag is an integer from 0 to 2147483647; got -5',
        'MpiError: recv: there is no rank 0.5',
        'MpiError: bcast: there is no rank 9 to be the root',
        'CannotTravelError: value',
        'CannotTravelError: value.deep[0]',
        'TypeMismatchError: A buffer is a typed array',
        'TypeMismatchError: recvBuffer takes a typed array',
        'OpError: SUM takes numbers',
        'OpError: BAND takes integers',
        'OpError: There is no operation PLUS',
        'MpiError: scatter takes a list with one value for each of the 2 ranks; got 1 values',
        'MpiError: scatterv: rank 1 gets elements 1 to 4 of an array of 3',
        'MpiError: alltoallv takes one count for each of the 2 ranks, 0 or more; got [1,-1]',
        'MpiError: cart: a grid of 5 has 5 places',
        'MpiError: split: a colour is an integer from 0 on',
        'MpiError: The world cannot be freed',
        'TypeMismatchError: window takes a class of typed arrays',
      ].map((text) => expect.stringContaining(text)),
    );
    expect(() => run(5, () => 1)).toThrow('5 ranks need as many engines, one each, and the cluster has 4');
    expect(() => run(0, () => 1)).toThrow('The number of ranks is 1 or more');
    expect(() => client.use(mpi).run('main' as never)).toThrow('run takes a function main(comm, …args)');
    const other = kind === 'thread' ? 'process' : 'thread';
    expect(() => client.use(mpi).run(() => 1, { kind: other })).toThrow(
      `engines of kind '${other}', and the cluster has none`,
    );
  });
});

describe('a process that is killed', () => {
  let client: Cluster;
  beforeAll(async () => {
    client = await cluster({ engines: 4, output: 'ignore' });
  });
  afterAll(() => client.close());

  test('rank 2 of 4, during allreduce: the others say who, and go on as three', async () => {
    const result = client.use(mpi).run(async (comm: Comm) => {
      let rounds = 0;
      const error: any = await (async () => {
        for (;;) {
          await comm.allreduce(new Float64Array(50_000));
          if (++rounds === 3) console.log('going');
        }
      })().catch((e) => e);
      const three = await comm.shrink();
      const sum = await three.allreduce(comm.rank);
      const array = await three.allreduce(new Float64Array(50_000).fill(1));
      return [error.code, error.rank, three.rank, three.size, sum, array[0]];
    });
    const going = new Set<number>();
    await new Promise<void>((resolve) => {
      result.stdout$.subscribe(({ engine }) => {
        if (going.add(engine).size === 4) resolve();
      });
    });
    process.kill(client.engines[2]!.pid, 'SIGKILL');
    const parts = await settled(result);
    expect(parts[2]).toMatchObject({ name: 'EngineLostError' });
    expect([parts[0], parts[1], parts[3]]).toEqual([0, 1, 2].map((rank) => ['MPI_RANK_LOST', 2, rank, 3, 4, 3]));
    await client.restart([2]);
  });

  test('the one that leads an agreement: the next one does', async () => {
    const result = client.use(mpi).run(async (comm: Comm) => {
      console.log('going');
      if (comm.rank === 0) await new Promise(() => setInterval(() => {}, 1_000));
      const rest = await comm.shrink();
      return [rest.rank, rest.size, await rest.agree(3)];
    });
    const going = new Set<number>();
    await new Promise<void>((resolve) => {
      result.stdout$.subscribe(({ engine }) => {
        if (going.add(engine).size === 4) resolve();
      });
    });
    process.kill(client.engines[0]!.pid, 'SIGKILL');
    expect((await settled(result)).slice(1)).toEqual([0, 1, 2].map((rank) => [rank, 3, 3]));
    await client.restart([0]);
  });
});
