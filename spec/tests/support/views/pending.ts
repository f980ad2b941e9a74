import assert from 'node:assert/strict';
import { DependencyError, ValueLostError } from 'tutti';
import { engine } from 'tutti/engine';
import type { Check } from '../../view-suite.ts';

/** Beyond what rides with a completion message. */
const LARGE = 200_000;

export function pendingSuite(check: Check): void {
  check('a pending result is an argument at any depth', async ({ all, engine: one }) => {
    const a = one(0).execute('1');
    const b = one(1).apply(async () => 2);
    const c = all.apply(() => engine.id);
    const sum = one(2).apply(
      (x: number, o: { b: number; list: [number[]] }, m: any) => [x, o.b, o.list[0], m.get('a').of],
      a,
      { b, list: [c] },
      new Map([['a', { of: a }]]),
    );
    assert.deepEqual(await sum, [1, 2, [0, 1, 2], 1]);
    await one(1).push({ kept: { a, c } });
    assert.deepEqual(await one(1).pull('kept'), { a: 1, c: [0, 1, 2] });
    assert.deepEqual(await all.scatter('pending', [a, b, 3] as unknown[]).then(() => all.gather('pending')), [1, 2, 3]);
  });

  check('results of map and gather are arguments as their lists', async ({ all, engine: one }) => {
    const mapped = all.map((x) => x * 2, [1, 2, 3, 4]);
    await all.scatter('data', new Int32Array([5, 6, 7]), { by: 'cyclic' });
    const gathered = all.gather<Int32Array>('data', { by: 'cyclic' });
    const joined = await one(1).apply((m: number[], g: Int32Array) => [m, g], mapped, gathered);
    assert.deepEqual(joined, [[2, 4, 6, 8], new Int32Array([5, 6, 7])]);
  });

  check('small and large, of the same and of another engine, awaited and not', async ({ all, engine: one }) => {
    for (const size of [10, LARGE]) {
      const make = (): Uint8Array => new Uint8Array(size).fill(engine.id + 1);
      const last = (bytes: Uint8Array): number[] => [engine.id, bytes.length, bytes[bytes.length - 1]!];
      const made = one(0).apply(make);
      assert.deepEqual(await all.apply(last, made), [
        [0, size, 1],
        [1, size, 1],
        [2, size, 1],
      ]);
      assert.equal((await made).length, size);
      assert.deepEqual(await all.apply(last, made), [
        [0, size, 1],
        [1, size, 1],
        [2, size, 1],
      ]);
      const lists = all.apply(make);
      assert.deepEqual(await one(1).apply((all: Uint8Array[]) => all.map((b) => b[b.length - 1]), lists), [1, 2, 3]);
      const late = one(2).apply(make);
      await late.settled();
      assert.deepEqual(await all.apply(last, late), [
        [0, size, 3],
        [1, size, 3],
        [2, size, 3],
      ]);
    }
  });

  check('a chain of results passes through all engines', async ({ engine: one }) => {
    let x = one(0).execute('0');
    for (let i = 1; i <= 30; i++) x = one(i % 3).apply((n: number) => n + 1, x);
    assert.equal(await x, 30);
  });

  check('a released result is gone, as a value and as an argument', async ({ engine: one }) => {
    const made = one(0).apply((n: number) => new Uint8Array(n), LARGE);
    await one(0).execute('1');
    made.release();
    await assert.rejects(async () => made, ValueLostError);
    await assert.rejects(
      async () => one(1).apply((b: Uint8Array) => b.length, made),
      (error: Error) => error instanceof DependencyError && error.cause instanceof ValueLostError,
    );
  });

  check('a failed result as an argument fails the call with its error', async ({ all, engine: one }) => {
    const failed = (error: unknown): boolean => {
      assert.ok(error instanceof DependencyError, String(error));
      assert.match(error.message, /early/);
      assert.equal((error.cause as Error).name, 'RangeError');
      return true;
    };
    const bad = one(0).execute('throw new RangeError("too early")');
    await assert.rejects(async () => one(1).apply((x: unknown) => x, { bad }), failed);
    await assert.rejects(async () => one(0).apply((x: unknown) => x, bad), failed);
    await assert.rejects(
      async () => bad.pipe((x: unknown) => x),
      (error: any) => failed(error),
    );
    const [part] = await all.apply((x: unknown) => x, bad).settled();
    assert.ok(part?.status === 'rejected' && failed(part.reason));
    assert.equal(await one(1).execute('1'), 1);
  });

  check('a failed result is observed by the pipe that takes it', async ({ engine: one }) => {
    const piped = one(0)
      .execute('await null; throw new Error("into the pipe")')
      .pipe((x: unknown) => x);
    await assert.rejects(async () => piped, DependencyError);
  });

  check('pipe goes on where the parts are', async ({ all, engine: one }) => {
    const lengths = all
      .apply((n: number) => new Float64Array(n + engine.id), LARGE)
      .pipe((part, more: number) => [engine.id, part.length + more], 1);
    assert.deepEqual(await lengths, [
      [0, LARGE + 1],
      [1, LARGE + 2],
      [2, LARGE + 3],
    ]);
    assert.deepEqual(
      await one(1)
        .execute('[1, 2]')
        .pipe((list: number[]) => list.length),
      2,
    );
    assert.throws(() => all.map((x) => x, [1]).pipe((x: unknown) => x), /UsageError: pipe goes on/);
  });
}
