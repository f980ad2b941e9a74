/** User code owns its globals: what it does to them is no business of the engine's. */
import assert from 'node:assert/strict';
import { cluster } from 'tutti';
import { describe, test } from 'vitest';
import { shared } from './support/shared.ts';

const TAKEN = [
  'Array Buffer Error JSON Map Math Object Promise Proxy Reflect Set String Symbol Uint8Array WeakMap process',
  'console queueMicrotask setImmediate setTimeout setInterval clearTimeout structuredClone fetch performance require engine task',
].flatMap((names) => names.split(' '));

describe.each(['process', 'thread'] as const)('%s engines', (kind) => {
  const open = shared(() => cluster({ engines: 2, kind, output: 'ignore' }));

  test('let Map = 1, and any other name, breaks nothing', { timeout: 20_000 }, async () => {
    const { all, engine } = await open();
    for (const name of TAKEN) {
      await all.execute(`let ${name} = 1`);
      assert.deepEqual(await all.execute(`${name} + 1`), [2, 2], name);
      assert.deepEqual(await all.pull(name), [1, 1]);
      assert.deepEqual(await all.apply(async (x: number) => x + 1, 1), [2, 2]);
      assert.deepEqual(await all.map((x) => x * 2, [1, 2, 3]), [2, 4, 6]);
      await all.push({ value: new Set([1n]) });
      assert.deepEqual(await all.pull('value'), [new Set([1n]), new Set([1n])]);
      await assert.rejects(async () => engine(0).execute('null.x'), { name: 'TypeError' });
      const large = engine(0).apply((n: number) => 'x'.repeat(n), 100_000);
      assert.equal(await engine(1).apply((text: string) => text.length, large), 100_000);
      await all.clear();
      assert.deepEqual(await all.execute(`typeof ${name} === 'number'`), [false, false], name);
    }
  });

  test('all of them at once', async () => {
    const { all } = await open();
    await all.execute(`let ${TAKEN.join(' = 1, ')} = 1`);
    assert.deepEqual(await all.execute('[1, 2].length + Map'), [3, 3]);
    await all.clear();
    assert.deepEqual(await all.execute('[typeof Map, typeof process.pid, engine.id]'), [
      ['function', 'number', 0],
      ['function', 'number', 1],
    ]);
  });

  test('names of its own that engine code uses', async () => {
    const { all } = await open();
    await all.execute('var task = 5, engine = { id: "mine" }; function job() {}');
    assert.deepEqual(await all.execute('[task, engine.id]'), [
      [5, 'mine'],
      [5, 'mine'],
    ]);
    await all.clear();
    assert.deepEqual(await all.execute('[typeof task.id, engine.id]'), [
      ['string', 0],
      ['string', 1],
    ]);
  });
});
