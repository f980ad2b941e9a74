/** What a space does, from wherever it is used: one suite for clients near and far, and for code on engines. */

import { ANY, type SpaceOptions, type TupleSpace, t } from 'tutti/paradigms';
import { describe, expect, test } from 'vitest';

export interface Door {
  /** A space that this program alone uses, unless another door gives it by the same name. */
  space(name: string, options?: Omit<SpaceOptions, 'name'>): Promise<TupleSpace>;
  /** What comes back is what was made: entries, iterables. Not so where all goes through a function on an engine. */
  readonly near: boolean;
}

let made = 0;

export function spaceSuite(door: Door): void {
  const fresh = (options?: Omit<SpaceOptions, 'name'>): Promise<TupleSpace> =>
    door.space(`suite-${process.pid}-${++made}`, options);

  describe('matching', () => {
    test('out, take, read: oldest first, and each tuple to one taker', async () => {
      const space = await fresh();
      await space.out(['a', 1]);
      await space.out(['a', 2]);
      expect(await space.read(['a', ANY])).toEqual(['a', 1]);
      expect(await space.take(['a', ANY])).toEqual(['a', 1]);
      expect(await space.take([ANY, ANY])).toEqual(['a', 2]);
      expect(await space.tryTake(['a', ANY])).toBeUndefined();
      expect(await space.tryRead(['a', ANY])).toBeUndefined();
    });

    test('the number of fields counts, and so does the type of each', async () => {
      const space = await fresh();
      await space.outMany([
        ['a'],
        ['a', 1],
        ['a', '1'],
        ['a', 1n],
        ['a', null],
        ['a', undefined],
        ['a', Number.NaN],
        ['a', -0],
      ]);
      const found = async (template: unknown[]) => (await space.readAll(template)).map((tuple) => tuple[1]);
      expect(await found(['a'])).toEqual([undefined]);
      expect(await found(['a', 1])).toEqual([1]);
      expect(await found(['a', '1'])).toEqual(['1']);
      expect(await found(['a', 1n])).toEqual([1n]);
      expect(await found(['a', null])).toEqual([null]);
      expect(await found(['a', undefined])).toEqual([undefined]);
      expect(await found(['a', Number.NaN])).toEqual([Number.NaN]);
      expect(await found(['a', 0])).toEqual([-0]);
      expect(await found(['a', ANY])).toHaveLength(7);
      expect(await found(['a', t.type(Number)])).toEqual([1, Number.NaN, -0]);
      expect(await found(['a', t.type('null')])).toEqual([null]);
    });

    test('values by deep equality, whatever they are', async () => {
      const space = await fresh();
      const values = [
        { a: 1, b: [2, { c: 3 }] },
        [1, 2],
        new Map([['k', { v: 1 }]]),
        new Set([1, 'x']),
        new Date(5),
        new Uint8Array([1, 2, 3]),
        new Float64Array(2_000).fill(0.5),
        { big: 'x'.repeat(5_000) },
        { gone: undefined },
        new TypeError('of this kind'),
        /re/g,
      ];
      await space.outMany(values.map((value, i) => ['v', i, value]));
      for (const [i, value] of values.entries()) expect(await space.read(['v', ANY, value])).toEqual(['v', i, value]);
      expect(await space.count(['v', ANY, { b: [2, { c: 3 }], a: 1 }])).toBe(1);
      expect(await space.count(['v', ANY, new Set(['x', 1])])).toBe(1);
      expect(await space.count(['v', ANY, { a: 1 }])).toBe(0);
      expect(await space.count(['v', ANY, new Map([['k', { v: 2 }]])])).toBe(0);
      expect(await space.count(['v', ANY, new Uint8Array([1, 2, 4])])).toBe(0);
      expect(await space.count(['v', ANY, t.type(Map)])).toBe(1);
      expect(await space.count(['v', ANY, t.type(Error)])).toBe(1);
      expect(await space.count(['v', ANY, t.type(Array)])).toBe(1);
      expect(await space.count(['v', ANY, t.type(Object)])).toBe(values.length);
    });

    test('ranges, choices and regular expressions', async () => {
      const space = await fresh();
      await space.outMany(Array.from({ length: 200 }, (_, i) => ['n', i, `name-${i}`]));
      const numbers = async (...template: unknown[]) => (await space.readAll(template)).map((tuple) => tuple[1]);
      expect(await numbers('n', t.range(10, 12), ANY)).toEqual([10, 11, 12]);
      expect(await numbers('n', t.range(198, undefined), ANY)).toEqual([198, 199]);
      expect(await numbers('n', ANY, t.range('name-99', 'name-999'))).toEqual([99]);
      expect(await numbers('n', t.oneOf(7, 3, '5', 3), ANY)).toEqual([3, 7]);
      expect(await numbers('n', t.range(0, 20), t.re(/-1?7$/))).toEqual([7, 17]);
      expect(await numbers('n', t.range(500, 600), ANY)).toEqual([]);
      expect(await space.take(['n', t.range(50, 60), ANY])).toEqual(['n', 50, 'name-50']);
      expect(await space.read(['n', t.range(50, 60), ANY])).toEqual(['n', 51, 'name-51']);
    });

    test('records match by the keys that are given, or by all of them', async () => {
      const space = await fresh();
      await space.out({ kind: 'job', n: 1 });
      await space.out({ kind: 'job', n: 2, urgent: true });
      expect(await space.readAll({ kind: 'job' })).toEqual([
        { kind: 'job', n: 1 },
        { kind: 'job', n: 2, urgent: true },
      ]);
      expect(await space.read({ urgent: ANY })).toEqual({ kind: 'job', n: 2, urgent: true });
      expect(await space.readAll({ kind: 'job', n: ANY }, { exact: true })).toEqual([{ kind: 'job', n: 1 }]);
      expect(await space.count({})).toBe(2);
      expect(await space.count([ANY, ANY])).toBe(0);
      expect(await space.take({ n: t.range(2, 9) })).toEqual({ kind: 'job', n: 2, urgent: true });
    });

    test('order: the newest first, or any', async () => {
      const stack = await fresh({ order: 'lifo' });
      await stack.outMany([
        ['x', 1],
        ['x', 2],
        ['x', 3],
      ]);
      expect(await stack.take(['x', ANY])).toEqual(['x', 3]);
      expect(await stack.take(['x', t.range(0, 9)])).toEqual(['x', 2]);
      const bag = await fresh({ order: 'random' });
      await bag.outMany(Array.from({ length: 50 }, (_, i) => ['x', i]));
      const taken: number[] = [];
      for (let i = 0; i < 50; i++) taken.push((await bag.take(['x', ANY]))[1]);
      expect(taken).not.toEqual(taken.toSorted((a, b) => a - b));
      expect(new Set(taken).size).toBe(50);
    });

    test('a tuple is a copy', async () => {
      const space = await fresh();
      const value = { list: [1] };
      const out = space.out(['v', value, value]);
      value.list.push(2);
      await out;
      const [a, b] = await Promise.all([space.read(['v', ANY, ANY]), space.read(['v', ANY, ANY])]);
      expect(a).toEqual(['v', { list: [1] }, { list: [1] }]);
      a[1].list.push(3);
      expect(b).toEqual(['v', { list: [1] }, { list: [1] }]);
    });
  });

  describe('waiting', () => {
    test('for a tuple that comes later: all readers, then the oldest taker', async () => {
      const space = await fresh();
      const order: string[] = [];
      const wait = (kind: 'take' | 'read', name: string) =>
        space[kind](['w', ANY]).then(([, n]) => order.push(`${name}${n}`));
      const waiting = [wait('take', 't1-'), wait('read', 'r1-'), wait('take', 't2-'), wait('read', 'r2-')];
      await space.info(); // behind them
      await space.out(['w', 1]);
      await space.out(['w', 2]);
      await Promise.all(waiting);
      expect(order.toSorted()).toEqual(['r1-1', 'r2-1', 't1-1', 't2-2']);
      if (door.near) expect(order.slice(0, 3).toSorted()).toEqual(['r1-1', 'r2-1', 't1-1']);
    });

    test('timeout, abort and expiry are different errors, and leave nothing behind', async () => {
      const space = await fresh();
      await expect(space.take(['no'], { timeout: 20 })).rejects.toMatchObject({ code: 'TIMEOUT' });
      await expect(space.read(['no'], { timeout: 0 })).rejects.toMatchObject({ code: 'TIMEOUT' });
      if (door.near) {
        const abort = new AbortController();
        const taking = space.take(['no'], { signal: abort.signal });
        abort.abort();
        await expect(taking).rejects.toMatchObject({ name: 'AbortError' });
        await expect(space.read(['no'], { signal: abort.signal })).rejects.toMatchObject({ name: 'AbortError' });
        await expect(space.out(['gone'], { lease: 1, ack: true })).rejects.toMatchObject({ code: 'LEASE_EXPIRED' });
      }
      expect((await space.info()).waiting).toBe(0);
      await space.out(['no']);
      expect(await space.count(['no'])).toBe(1);
    });

    test('exchange takes all and puts all, or waits', async () => {
      const space = await fresh();
      await space.out(['fork', 1]);
      const both = space.exchange(
        [
          ['fork', 1],
          ['fork', 2],
        ],
        [['eating', 1]],
      );
      await space.info();
      expect(await space.count(['fork', ANY])).toBe(1);
      expect(await space.tryRead(['eating', 1])).toBeUndefined();
      await space.out(['fork', 2]);
      expect(await both).toEqual([
        ['fork', 1],
        ['fork', 2],
      ]);
      expect(await space.count(['fork', ANY])).toBe(0);
      expect(await space.take(['eating', 1])).toEqual(['eating', 1]);
      await space.outMany([
        ['x', 'a'],
        ['x', 'b'],
      ]);
      // The first template alone would take what only the second can have.
      expect(
        await space.exchange(
          [
            ['x', ANY],
            ['x', 'a'],
          ],
          [],
        ),
      ).toEqual([
        ['x', 'b'],
        ['x', 'a'],
      ]);
      await expect(space.exchange([['x', ANY]], [], { timeout: 10 })).rejects.toMatchObject({ code: 'TIMEOUT' });
    });
  });

  describe('many', () => {
    test('outMany, readAll, takeAll, count', async () => {
      const space = await fresh();
      await space.outMany(Array.from({ length: 1_000 }, (_, i) => ['m', i % 10, i]));
      expect(await space.count(['m', 3, ANY])).toBe(100);
      expect(await space.readAll(['m', 3, ANY], { limit: 2 })).toEqual([
        ['m', 3, 3],
        ['m', 3, 13],
      ]);
      expect((await space.takeAll(['m', 3, ANY])).map((tuple) => tuple[2])).toEqual(
        Array.from({ length: 100 }, (_, i) => 10 * i + 3),
      );
      expect(await space.takeAll(['m', 3, ANY])).toEqual([]);
      expect(await space.count(['m', ANY, ANY])).toBe(900);
    });

    test('a full space lets nobody in until there is room', async () => {
      const space = await fresh({ bound: 2 });
      await space.outMany([
        ['b', 1],
        ['b', 2],
      ]);
      await expect(space.out(['b', 3], { timeout: 20 })).rejects.toMatchObject({
        code: 'TIMEOUT',
        message: expect.stringMatching(/full: it holds 2 tuples/),
      });
      const out = space.out(['b', 4]);
      expect(await space.take(['b', ANY])).toEqual(['b', 1]);
      await out;
      expect(await space.readAll(['b', ANY])).toEqual([
        ['b', 2],
        ['b', 4],
      ]);
      await expect(
        space.outMany([
          ['b', 5],
          ['b', 6],
          ['b', 7],
        ]),
      ).rejects.toMatchObject({ code: 'SPACE_FULL' });
    });

    test('leases', async () => {
      const space = await fresh();
      await space.out(['l', 'short'], { lease: 1 });
      await space.out(['l', 'long'], { lease: 1e9 });
      await space.out(['l', 'none'], { lease: 0 });
      await expect.poll(() => space.count(['l', ANY])).toBe(1);
      expect(await space.take(['l', ANY])).toEqual(['l', 'long']);
      const seen = space.read(['l', ANY]);
      await space.info();
      await space.out(['l', 'seen'], { lease: 0 });
      expect(await seen).toEqual(['l', 'seen']);
      expect(await space.count(['l', ANY])).toBe(0);
    });
  });

  describe('bad input', () => {
    test.each<[string, (space: TupleSpace) => unknown, object]>([
      [
        'an empty tuple',
        (space) => space.out([]),
        { code: 'USAGE', message: expect.stringMatching(/one field at least/) },
      ],
      [
        'an empty record',
        (space) => space.out({}),
        { code: 'USAGE', message: expect.stringMatching(/one field at least/) },
      ],
      ['no tuple', (space) => space.out('job'), { code: 'USAGE', message: expect.stringMatching(/A tuple is a list/) }],
      [
        'ANY in a tuple',
        (space) => space.out(['a', ANY]),
        { code: 'USAGE', message: expect.stringMatching(/for templates/) },
      ],
      [
        'a negative lease',
        (space) => space.out(['a'], { lease: -1 }),
        { code: 'USAGE', message: expect.stringMatching(/lease is a number of milliseconds from 0/) },
      ],
      ['no number', (space) => space.take(['a'], { timeout: Number.NaN }), { code: 'USAGE' }],
      [
        'an unknown option',
        (space) => space.take(['a'], { timeOut: 5 } as object),
        { code: 'USAGE', message: expect.stringMatching(/no option 'timeOut'; options: timeout/) },
      ],
      [
        'ANY inside of a field',
        (space) => space.take(['a', { b: ANY }]),
        { code: 'USAGE', message: expect.stringMatching(/whole field/) },
      ],
    ])('%s', async (_, use, error) => {
      const space = await fresh();
      await expect(use(space)).rejects.toMatchObject(error);
      expect((await space.info()).tuples).toBe(0);
    });
  });

  if (!door.near) return;

  describe('from near', () => {
    test('what cannot travel is refused, with its place', async () => {
      const space = await fresh();
      await expect(space.out(['f', () => 1])).rejects.toMatchObject({ code: 'CANNOT_TRAVEL' });
      await expect(space.out(['f', { deep: [Symbol('s')] }])).rejects.toMatchObject({ code: 'CANNOT_TRAVEL' });
      await expect(space.out(['f', { deep: [() => 1] }])).rejects.toMatchObject({ code: 'CANNOT_TRAVEL' });
      await expect(space.take(['f', () => 1] as unknown[])).rejects.toMatchObject({ code: 'CANNOT_TRAVEL' });
      await expect(space.take([Symbol('s')])).rejects.toMatchObject({ code: 'CANNOT_TRAVEL' });
    });

    test('an entry can be renewed and cancelled', async () => {
      const space = await fresh();
      const entry = await space.out(['e'], { lease: 1e9 });
      expect(await entry.renew(2e9)).toBe(true);
      expect(await entry.cancel()).toBe(true);
      expect(await entry.cancel()).toBe(false);
      expect(await entry.renew(5)).toBe(false);
      expect(await space.count(['e'])).toBe(0);
      const brief = await space.out(['e'], { lease: 1e9 });
      await brief.renew(1);
      await expect.poll(() => space.count(['e'])).toBe(0);
    });

    test('an acknowledged out resolves when somebody has seen the tuple', async () => {
      const space = await fresh();
      let seen = false;
      const out = space.out(['ack'], { ack: true }).then(() => (seen = true));
      expect(await space.count(['ack'])).toBe(1);
      expect(seen).toBe(false);
      await space.read(['ack']);
      await out;
      await expect(space.out(['never'], { ack: true, timeout: 10 })).rejects.toMatchObject({ code: 'TIMEOUT' });
      expect(await space.count(['never'])).toBe(1);
    });

    test('a reservation is completed, released, or comes back in time', async () => {
      const space = await fresh();
      await space.outMany([
        ['r', 1],
        ['r', 2],
      ]);
      const first = await space.reserve(['r', ANY]);
      expect(first.value).toEqual(['r', 1]);
      expect(await space.readAll(['r', ANY])).toEqual([['r', 2]]);
      await first.release();
      expect(await space.readAll(['r', ANY])).toEqual([
        ['r', 1],
        ['r', 2],
      ]);
      const again = await space.reserve(['r', 1]);
      await again.complete();
      await expect(again.complete()).rejects.toMatchObject({ code: 'LEASE_EXPIRED' });
      const late = await space.reserve(['r', 2], 1);
      expect(await space.take(['r', 2])).toEqual(['r', 2]);
      await expect(late.complete()).rejects.toMatchObject({ code: 'LEASE_EXPIRED' });
      await space.out(['r', 3]);
      {
        await using held = await space.reserve(['r', ANY]);
        expect(held.value).toEqual(['r', 3]);
        expect(await space.count(['r', ANY])).toBe(0);
      }
      expect(await space.count(['r', ANY])).toBe(1);
    });

    test('collect moves, copyCollect copies', async () => {
      const [from, to] = [await fresh(), await fresh({ bound: 4 })];
      await from.outMany([
        ['c', 1],
        ['c', 2],
        ['d', 3],
      ]);
      expect(await from.copyCollect(['c', ANY], to)).toBe(2);
      expect(await from.collect(['c', ANY], to)).toBe(2);
      expect(await from.readAll([ANY, ANY])).toEqual([['d', 3]]);
      expect(await to.readAll(['c', ANY])).toEqual([
        ['c', 1],
        ['c', 2],
        ['c', 1],
        ['c', 2],
      ]);
      await expect(from.collect(['d', ANY], to)).rejects.toMatchObject({ code: 'SPACE_FULL' });
      expect(await from.count(['d', ANY])).toBe(1);
      await expect(from.collect(['d', ANY], from)).rejects.toMatchObject({ code: 'USAGE' });
    });

    test('consume takes what its loops have done with', async () => {
      const space = await fresh();
      await space.outMany(Array.from({ length: 20 }, (_, i) => ['job', i]));
      const seen: number[] = [];
      for await (const [, n] of space.consume(['job', ANY])) {
        seen.push(n);
        expect((await space.info()).taken).toBe(1);
        if (n === 4) break;
      }
      await expect.poll(() => space.count(['job', ANY])).toBe(15);
      const jobs = space.consume(['job', ANY], { concurrency: 3, idle: 50 });
      const loop = async (): Promise<void> => {
        for await (const [, n] of jobs) seen.push(n);
      };
      await Promise.all([loop(), loop()]);
      expect(seen.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i));
      expect(await space.info()).toMatchObject({ tuples: 0, taken: 0, waiting: 0 });
      const abort = new AbortController();
      const reading = (async () => {
        for await (const _ of space.consume(['job', ANY], { signal: abort.signal }));
      })();
      abort.abort();
      await expect(reading).rejects.toMatchObject({ name: 'AbortError' });
    });

    test('watch tells what happens, in order', async () => {
      const space = await fresh();
      await space.out(['before', 0]);
      const events: unknown[] = [];
      const whole = space.watch().subscribe((event) => events.push([event.seq, event.missed, event.kind, event.tuple]));
      const writes: unknown[] = [];
      const ended = new Promise<void>((resolve) => {
        space
          .watch(['w', t.range(2, 9)], { kinds: ['write'] })
          .subscribe({ next: ({ tuple }) => writes.push(tuple), complete: resolve });
      });
      await space.outMany([
        ['w', 1],
        ['w', 2],
      ]);
      await space.take(['w', 1]);
      await (await space.out(['w', 3])).cancel();
      await expect.poll(() => events.length).toBe(5);
      expect(events).toEqual([
        [1, 0, 'write', ['w', 1]],
        [2, 0, 'write', ['w', 2]],
        [3, 0, 'take', ['w', 1]],
        [4, 0, 'write', ['w', 3]],
        [5, 0, 'expire', ['w', 3]],
      ]);
      whole.unsubscribe();
      await expect.poll(async () => (await space.info()).watches).toBe(1);
      const expired = new Promise<Error>((error) => space.watch(undefined, { lease: 5 }).subscribe({ error }));
      expect(await expired).toMatchObject({ code: 'LEASE_EXPIRED' });
      await space.destroy();
      await ended;
      expect(writes).toEqual([
        ['w', 2],
        ['w', 3],
      ]);
    });

    test('who waits in a space that is destroyed is told', async () => {
      const space = await fresh({ bound: 1 });
      await space.out(['x']);
      const waiting = Promise.allSettled([space.take(['y']), space.read(['y']), space.out(['z'])]);
      await space.info();
      await space.destroy();
      for (const one of await waiting)
        expect(one).toMatchObject({ status: 'rejected', reason: { code: 'SPACE_DESTROYED' } });
    });
  });
}
