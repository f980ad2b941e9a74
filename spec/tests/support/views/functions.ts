import assert from 'node:assert/strict';
import { sep } from 'node:path';
import { ref } from 'tutti';
import { engine } from 'tutti/engine';
import type { Check } from '../../view-suite.ts';

function* naturals(): Generator<number> {
  for (let n = 0; ; n++) yield n;
}

export function functionSuite(check: Check): void {
  check('apply calls a function once on each engine', async ({ all, engine: one }) => {
    assert.deepEqual(await all.apply(() => engine.id), [0, 1, 2]);
    assert.deepEqual(await all.apply((a: number, b: { c: number[] }) => a + b.c.length, 1, { c: [1, 2] }), [3, 3, 3]);
    assert.equal(await one(2).apply(async (text: string) => `${await text}${engine.id}`, 'engine '), 'engine 2');
    assert.deepEqual(await all.apply(() => {}), [undefined, undefined, undefined]);
  });

  check('closures bring what they captured', async ({ all }) => {
    const k = 3;
    const table = new Map([['a', new Float64Array([1, 2])]]);
    const f = (x: number): number => x * k;
    const even = (n: number): boolean => n === 0 || odd(n - 1);
    const odd = (n: number): boolean => n !== 0 && even(n - 1);
    class Counter {
      #n = k;
      next(): number {
        return ++this.#n;
      }
    }
    assert.deepEqual(await all.map((x) => f(x) + 1, [1, 2, 3]), [4, 7, 10]);
    assert.deepEqual(
      await all.apply(() => [table.get('a')![1], even(4), new Counter().next(), sep, Math.max(k, 1)]),
      Array(3).fill([2, true, 4, sep, 3]),
    );
  });

  check('captured variables are read anew at each call', async ({ all }) => {
    let factor = 1;
    const seen = new Map<string, number>();
    const f = (x: number): number => x * factor + seen.size;
    assert.deepEqual(await all.map(f, [1, 2]), [1, 2]);
    factor = 10;
    seen.set('one', 1);
    assert.deepEqual(await all.map(f, [1, 2]), [11, 21]);
    assert.deepEqual(await all.apply(f, 1), [11, 11, 11]);
  });

  check('wrap takes captures once', async ({ all, engine: one }) => {
    let factor = 2;
    const double = all.wrap((x: number) => x * factor);
    const single = one(1).wrap(async (x: number) => x + factor);
    factor = 100;
    assert.deepEqual(await double(4), [8, 8, 8]);
    assert.equal(await single(one(0).execute('1')), 3);
    assert.deepEqual(await all.wrap((x: number) => x * factor)(1), [100, 100, 100]);
  });

  check('a ref stands for what is there already', async ({ all, engine: one }) => {
    await all.execute("function twice(x: number) { return 2 * x }\nlet names = ['a', 'b'], at = { k: engine.id }");
    assert.deepEqual(await all.apply(ref<(x: number) => number>('twice'), 4), [8, 8, 8]);
    assert.deepEqual(await all.map(ref<(x: number) => number>('twice'), [1, 2, 3, 4]), [2, 4, 6, 8]);
    assert.deepEqual(
      await all.apply((x: number, o: { deep: [string[]] }) => [x, o.deep[0].length], ref<number>('at.k'), {
        deep: [ref<string[]>('names')],
      }),
      [
        [0, 2],
        [1, 2],
        [2, 2],
      ],
    );
    await assert.rejects(async () => one(0).apply((x: unknown) => x, ref('nowhere')), {
      name: 'ReferenceError',
      message: 'nowhere is not defined',
    });
  });

  check('map keeps order', async ({ all, engine: one }) => {
    const items = Array.from({ length: 50 }, (_, i) => i);
    assert.deepEqual(
      await all.map((x) => x * x, items),
      items.map((x) => x * x),
    );
    assert.deepEqual(await all.map(async (x: number) => (x % 2 ? Promise.resolve(x) : x), items), items);
    assert.deepEqual(
      await all.map((x) => x + 1, new Set(items)),
      items.map((x) => x + 1),
    );
    assert.deepEqual(await one(1).map((x) => x + engine.id, [1, 2]), [2, 3]);
    assert.deepEqual(await all.map(() => engine.id, [1, 2, 3, 4, 5, 6, 7]), [0, 0, 0, 1, 1, 2, 2]);
  });

  check('map takes several lists, and the shortest counts', async ({ all }) => {
    assert.deepEqual(await all.map((a: number, b: string) => b.repeat(a), [1, 2, 3, 4], ['a', 'b', 'c']), [
      'a',
      'bb',
      'ccc',
    ]);
    assert.deepEqual(await all.map((a: string, n: number) => a + n, ['a', 'b', 'c', 'd'], naturals()), [
      'a0',
      'b1',
      'c2',
      'd3',
    ]);
  });

  check('map with fewer items than engines, and with none', async ({ all }) => {
    const one = all.map((x) => x + 1, [1]);
    assert.deepEqual(one.targets, [0]);
    assert.deepEqual(await one, [2]);
    assert.deepEqual(await all.map((x) => x, []), []);
    assert.deepEqual(await all.map((x: number, y: number) => x + y, [1, 2], []), []);
  });

  check('map over typed arrays and strings', async ({ all }) => {
    assert.deepEqual(await all.map((x) => x / 2, new Float32Array([1, 2, 3, 4])), [0.5, 1, 1.5, 2]);
    assert.deepEqual(await all.map((c) => c.toUpperCase(), 'tutti'), [...'TUTTI']);
  });

  check('what is no function is refused', async ({ all }) => {
    await assert.rejects(async () => all.apply(5 as never), /UsageError: apply takes a function/);
    await assert.rejects(async () => all.map(null as never, [1]), /UsageError: map takes a function .*got null/);
    await assert.rejects(async () => all.map((x: number) => x, 5 as never), /UsageError: Only iterables/);
    assert.throws(() => all.wrap('f' as never), /UsageError: wrap takes a function/);
  });
}
