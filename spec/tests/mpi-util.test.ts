/** What several ranks share: a counter, locks, turns, work. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Cluster, cluster } from '../../main.ts';
import { type Comm, mpi } from '../../paradigms/index.ts';
import { failureOf } from './support/mpi-suite.ts';

describe.each(['thread', 'process'] as const)('%s ranks', (kind) => {
  let client: Cluster;
  beforeAll(async () => {
    client = await cluster({ engines: 4, kind, output: 'ignore' });
  });
  afterAll(() => client.close());
  const run = <A extends unknown[], R>(ranks: number, main: (comm: Comm, ...args: A) => R, ...args: A) =>
    client.use(mpi).run(main, { ranks, args });

  test('a counter gives each number once, from its start, by its step, until it is freed', async () => {
    const results = await run(4, async (comm) => {
      const counter = await comm.counter({ start: 10, step: 5, home: 3 });
      const mine: number[] = [];
      for (let i = 0; i < 50; i++) mine.push(await counter.next());
      const all = (await comm.allgather(mine)).flat().sort((a, b) => a - b);
      const rest: number[] = [];
      for await (const n of counter) if (rest.push(n) === 2) break;
      const rising = mine.every((n, i) => i === 0 || n > mine[i - 1]!) && rest[1]! > rest[0]!;
      await counter.free();
      await counter.free();
      let after = '';
      try {
        await counter.next();
      } catch (error) {
        after = (error as Error).message;
      }
      return [all.length, all[0], all.at(-1), new Set(all).size, rising, after];
    });
    expect(results).toEqual(
      new Array(4).fill([200, 10, 10 + 199 * 5, 200, true, 'next: this counter was freed; make another one']),
    );
  });

  test('one rank at a time is in a mutex, also over a communicator of some', async () => {
    const results = await run(4, async (world) => {
      const comm = world.rank === 0 ? await world.split(undefined) : await world.split(0, -world.rank);
      if (!comm) return undefined;
      // Whoever is inside reads and writes in several steps.
      const cell = await comm.window(Int32Array, 1);
      await using mutex = await comm.mutex({ home: 1 });
      for (let i = 0; i < 30; i++) {
        await using _held = await mutex.acquire();
        const before = (await cell.get(0))[0]!;
        if (i % 5 === 0) await new Promise((resolve) => setImmediate(resolve));
        await cell.put(0, 0, Int32Array.of(before + 1));
      }
      await mutex.run(async () => cell.put(0, 0, Int32Array.of((await cell.get(0))[0]! + 1)));
      await cell.fence();
      return [(await cell.get(0))[0], mutex.held, await mutex.locked()];
    });
    expect(results).toEqual([undefined, ...new Array(3).fill([93, false, false])]);
  });

  test('a mutex is given to those who wait in the order in which they asked', async () => {
    const [order] = await run(4, async (comm) => {
      const mutex = await comm.mutex();
      const inside: number[] = [];
      if (comm.rank === 0) {
        await mutex.acquire();
        // One after the other asks: each says so before the next one may.
        for (const next of [2, 1, 3]) {
          await comm.send('ask', next);
          await comm.recv(next, 1);
        }
        await mutex.release();
        for (let i = 0; i < 3; i++) inside.push(await comm.recv(-1, 2));
      } else {
        await comm.recv(0);
        const asked = mutex.acquire();
        // In order behind the question, as all that goes to rank 0.
        await comm.send('asked', 0, 1);
        await asked;
        await comm.send(comm.rank, 0, 2);
        await mutex.release();
      }
      await mutex.free();
      return inside;
    });
    expect(order).toEqual([2, 1, 3]);
  });

  test('what is wrong with a mutex is told; a wait can be given up, and takes nothing then', async () => {
    const results = await run(2, async (comm) => {
      const said = (use: () => unknown) =>
        Promise.resolve()
          .then(use)
          .catch((e: Error) => e.message);
      const mutex = await comm.mutex();
      const wrong = [await said(() => mutex.release())];
      if (comm.rank === 1) {
        await mutex.acquire();
        wrong.push(await said(() => mutex.acquire()), await said(() => mutex.tryAcquire()));
        await comm.barrier();
        await comm.barrier();
        await mutex.release();
      } else {
        await comm.barrier();
        const stop = new AbortController();
        const aborted = said(() => mutex.acquire({ signal: stop.signal }));
        wrong.push(await said(() => mutex.acquire()));
        stop.abort(new Error('enough'));
        wrong.push(await aborted, await said(() => mutex.acquire({ timeout: 5 })), String(await mutex.tryAcquire()));
        await comm.barrier();
        await mutex.acquire();
        wrong.push(String(await mutex.locked()));
        await mutex.release();
      }
      const again = await comm.mutex({ recursive: true });
      const outer = await again.acquire();
      await again.run(() => wrong.push(String(again.depth)));
      await again.release();
      wrong.push(String(again.held));
      await outer[Symbol.asyncDispose](); // it was released before
      await again.free();
      await mutex.free();
      return [...wrong, await said(() => mutex.acquire())];
    });
    const freed = 'acquire: this mutex was freed; make another one';
    expect(results).toEqual([
      [
        'release: rank 0 does not hold this mutex; acquire it first',
        'acquire: rank 0 waits for this mutex already; await that first',
        'enough',
        'acquire was given up before its time had come',
        'false',
        'true',
        '2',
        'false',
        freed,
      ],
      [
        'release: rank 1 does not hold this mutex; acquire it first',
        'acquire: rank 1 holds this mutex already; release it first, or make it with { recursive: true }',
        'tryAcquire: rank 1 holds this mutex already; release it first, or make it with { recursive: true }',
        '2',
        'false',
        freed,
      ],
    ]);
  });

  test('conditions: a bounded buffer, in the order of those who wait; timeouts hold the mutex again', async () => {
    const results = await run(4, async (comm) => {
      const mutex = await comm.mutex();
      const filled = await comm.condition(mutex);
      const emptied = await comm.condition(mutex);
      const buffer = await comm.window(Int32Array, 3); // how many, first, next
      const took: number[] = [];
      if (comm.rank === 0) {
        for (let i = 1; i <= 30; i++) {
          await using _held = await mutex.acquire();
          await emptied.waitFor(async () => (await buffer.get(0))[0]! < 2);
          const [count, first, next] = [...(await buffer.get(0))];
          await buffer.put(0, 0, Int32Array.of(count! + 1, first!, next! + 1));
          await filled.notify();
        }
      } else {
        for (let i = 0; i < 10; i++) {
          await using _held = await mutex.acquire();
          while ((await buffer.get(0))[0] === 0) await filled.wait();
          const [count, first, next] = [...(await buffer.get(0))];
          took.push(first!);
          await buffer.put(0, 0, Int32Array.of(count! - 1, first! + 1, next!));
          await emptied.notify();
        }
      }
      const all = (await comm.allgather(took)).flat().sort((a, b) => a - b);
      const own = await comm.condition();
      await own.acquire();
      const late = await own.wait({ timeout: 5 });
      const held = own.mutex.held;
      const never = await own.waitFor(() => false, { timeout: 5 });
      await own.release();
      await comm.barrier();
      const nobody = await own.mutex.run(() => own.notifyAll());
      const without = await own.wait().catch((e: Error) => e.message);
      for (const one of [own, filled, emptied, mutex]) await one.free();
      return [all, late, held, never, nobody, without];
    });
    const each = Array.from({ length: 30 }, (_, i) => i);
    expect(results).toEqual(
      [0, 1, 2, 3].map((rank) => [
        each,
        false,
        true,
        false,
        0,
        `wait: rank ${rank} does not hold this mutex; acquire it first`,
      ]),
    );
  });

  test('notify lets one go on, in the order of those who wait; notifyAll all of them, one after the other', async () => {
    const [order] = await run(4, async (comm) => {
      const condition = await comm.condition();
      const went: number[] = [];
      if (comm.rank === 0) {
        for (const next of [3, 1, 2]) {
          await comm.send('wait', next);
          await comm.recv(next, 1);
        }
        // Who has the mutex after them: they wait.
        const first = await condition.mutex.run(() => condition.notify());
        went.push(await comm.recv(-1, 2));
        const others = await condition.mutex.run(() => condition.notifyAll());
        went.push(await comm.recv(-1, 2), await comm.recv(-1, 2), first, others);
      } else {
        await comm.recv(0);
        await condition.acquire();
        await comm.send('has it', 0, 1);
        await condition.wait();
        await comm.send(comm.rank, 0, 2);
        await condition.release();
      }
      await condition.free();
      return went;
    });
    expect(order).toEqual([3, 1, 2, 1, 2]);
  });

  test('so many at a time hold a semaphore', async () => {
    const results = await run(4, async (comm) => {
      const semaphore = await comm.semaphore(2);
      const inside = await comm.window(Int32Array, 1);
      let most = 0;
      for (let i = 0; i < 20; i++)
        await semaphore.run(async () => {
          most = Math.max(most, (await inside.fetchAdd(0, 0, 1)) + 1);
          await new Promise((resolve) => setImmediate(resolve));
          await inside.fetchAdd(0, 0, -1);
        });
      const largest = await comm.allreduce(most, 'MAX');
      const tooMany = comm.rank ? '' : String(await semaphore.release().catch((e: Error) => e.message));
      await comm.barrier();
      if (comm.rank < 2) await semaphore.acquire();
      await comm.barrier();
      const none = [await semaphore.value(), await semaphore.tryAcquire()];
      await comm.barrier();
      // Another one may release it.
      if (comm.rank >= 2) await semaphore.release();
      await comm.barrier();
      const loose = await comm.semaphore(0, { bounded: false });
      await loose.release();
      await loose.acquire();
      const free = await semaphore.value();
      await semaphore.free();
      await loose.free();
      return [largest <= 2, tooMany.slice(0, 37), none, free];
    });
    expect(results).toEqual(
      [0, 1, 2, 3].map((rank) => [true, rank ? '' : 'release: nobody holds this semaphore;', [0, false], 2]),
    );
  });

  test('a sequence is entered in rank order, round after round', async () => {
    const [order] = await run(4, async (comm) => {
      const sequence = await comm.sequential(2);
      const next = await comm.counter();
      const mine: number[] = [];
      for (let round = 0; round < 5; round++) await sequence.run(async () => mine.push(await next.next()));
      const wrong: unknown = await Promise.resolve()
        .then(() => sequence.end())
        .catch((e: Error) => e.message);
      await sequence.free();
      await next.free();
      return [await comm.allgather(mine), wrong];
    });
    expect(order).toEqual([
      [0, 1, 2, 3].map((rank) => [0, 1, 2, 3, 4].map((round) => 4 * round + rank)),
      'end: rank 0 is not in its turn; begin it first',
    ]);
  });

  test('when one goes that holds what others wait for, they are told; of others that go, nobody', async () => {
    const parts = await run(4, async (comm) => {
      const mutex = await comm.mutex();
      const semaphore = await comm.semaphore(1);
      const sequence = await comm.sequential();
      const spare = await comm.mutex({ home: 1 });
      if (comm.rank === 3) {
        await mutex.acquire();
        await semaphore.acquire();
        await comm.barrier();
        for (let i = 0; i < 3; i++) await comm.recv(i, 2); // all have asked before it goes
        throw new TypeError('boom');
      }
      await comm.barrier();
      const open = [mutex.acquire(), semaphore.acquire()];
      await comm.send('asked', 3, 2);
      const told = await Promise.all(open.map((one) => one.catch((e: any) => [e.code, e.rank])));
      const later = await mutex.acquire().catch((e: Error) => e.message);
      await sequence.run(() => {});
      const turn = comm.rank ? 'not 0' : await sequence.begin().catch((e: Error) => e.message);
      const fine = await spare.run(() => 'fine');
      for (const one of [mutex, semaphore, sequence, spare]) await one.free();
      const rest = await comm.shrink();
      await using anew = await rest.mutex();
      return [told, later, turn, fine, await anew.run(() => rest.size)];
    }).settled();
    const values = [...parts].sort((a, b) => a.engine - b.engine).map((part: any) => part.value ?? part.reason.message);
    expect(values).toEqual([
      ...[0, 1, 2].map((rank) => [
        [
          ['MPI_RANK_LOST', 3],
          ['MPI_RANK_LOST', 3],
        ],
        expect.stringMatching(/^Rank 3 is gone: its main threw TypeError: boom\..* It held the mutex/),
        rank ? 'not 0' : expect.stringMatching(/It was its turn in the sequence/),
        'fine',
        3,
      ]),
      'boom',
    ]);
  });

  test('who waits for ever in a mutex is told of it as of any deadlock', async () => {
    const error = await failureOf(
      run(2, async (comm) => {
        const mutex = await comm.mutex();
        if (comm.rank === 0) await mutex.acquire();
        await comm.barrier();
        if (comm.rank === 1) await mutex.acquire();
        await comm.barrier();
      }),
    );
    expect(error.code).toBe('MPI_DEADLOCK');
    expect(error.waits[1]).toContain('waits in acquire of a mutex');
  });

  test('a pool does what its root submits, with what functions have captured; errors come back', async () => {
    const results = await run(4, async (comm) => {
      const factor = 3;
      class Odd extends Error {}
      const pool = await comm.pool({ root: 1 });
      if (!pool) return 'served';
      const times = (x: number, more = 0): number => x * factor + more;
      const squares = await pool.map((x: number) => x * x, [1, 2, 3, 4, 5, 6, 7, 8, 9], { chunk: 2 });
      const one = await pool.submit(times, 5, 1);
      const waits = await pool.submit(async (ms: number) => {
        await new Promise((resolve) => setTimeout(resolve, ms));
        return typeof structuredClone;
      }, 1);
      const failed = await pool
        .submit((x: number) => {
          if (x) throw new RangeError(`not ${x}`);
        }, 4)
        .catch((e: Error) => `${e.name}: ${e.message}`);
      const stays = await pool.submit(() => Symbol('x')).catch((e: any) => e.code);
      const cannot = await pool.submit(() => comm.size).catch((e: any) => e.name);
      void Odd;
      const late = pool.map(
        (x: number) => x + 1,
        Array.from({ length: 20 }, (_, i) => i),
      );
      const size = pool.size;
      await pool.close();
      await pool.close();
      const after = await Promise.resolve()
        .then(() => pool.submit(times, 1))
        .catch((e: Error) => e.message);
      return [squares, one, waits, failed, stays, cannot, (await late).length, size, after];
    });
    expect(results).toEqual([
      'served',
      [
        [1, 4, 9, 16, 25, 36, 49, 64, 81],
        16,
        'function',
        'RangeError: not 4',
        'CANNOT_TRAVEL',
        'CannotTravelError',
        20,
        3,
        'submit: this pool was closed; open another one',
      ],
      'served',
      'served',
    ]);
    expect(await run(1, async (comm) => (await comm.pool())!.map((x: number) => -x, [1, 2]))).toEqual([[-1, -2]]);
  });

  test('a pool goes on without a rank that goes; what that had fails', async () => {
    const parts = await run(3, async (comm) => {
      const pool = await comm.pool();
      if (!pool) return 'served';
      const outcomes = await Promise.allSettled(
        [0, 1, 2, 3, 4, 5, 6, 7].map((n) =>
          pool.submit((x: number) => {
            if (x === 3) setTimeout(() => process.exit(4));
            return x === 3 ? new Promise(() => {}) : x;
          }, n),
        ),
      );
      await pool.close();
      return outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : outcome.reason.code));
    }).settled();
    const values = [...parts].sort((a, b) => a.engine - b.engine).map((part: any) => part.value ?? part.reason.code);
    expect(values[0]).toEqual([0, 1, 2, 'MPI_RANK_LOST', 4, 5, 6, 7]);
    expect(values.slice(1).sort()).toEqual(['MPI_EXIT', 'served']);
  });
});
