import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Check } from '../../view-suite.ts';

export function dataSuite(check: Check): void {
  check('push sets names, pull reads names and expressions', async ({ all, engine }) => {
    const value = { list: [1, { deep: new Set(['x']) }], when: new Date(5), big: 2n ** 70n, nothing: undefined };
    assert.equal(await all.push({ value, n: 1 }), undefined);
    assert.deepEqual(await all.pull('value'), [value, value, value]);
    assert.deepEqual(await engine(1).pull<number>('value.list[0] + n'), 2);
    assert.deepEqual(await all.pull(['n', 'engine.id', 'value.list.length']), [
      [1, 0, 2],
      [1, 1, 2],
      [1, 2, 2],
    ]);
    assert.deepEqual(await engine(2).pull(['n']), [1]);
  });

  check('push to some engines only', async ({ all, view }) => {
    await view([1]).push({ only: true });
    assert.deepEqual(await all.execute('typeof only'), ['undefined', 'boolean', 'undefined']);
  });

  check('push copies', async ({ engine }) => {
    const mine = { n: 1, bytes: new Uint8Array([1, 2, 3]) };
    await engine(0).push({ mine });
    await engine(0).execute('mine.n = 2; mine.bytes[0] = 9');
    assert.deepEqual(mine, { n: 1, bytes: new Uint8Array([1, 2, 3]) });
  });

  check('names that cannot be set or read are refused', async ({ all, engine }) => {
    await assert.rejects(async () => engine(0).push({ 'a.b': 1 }), /'a\.b' cannot be set/);
    await assert.rejects(async () => engine(0).pull('nowhere'), { name: 'ReferenceError' });
    await assert.rejects(async () => all.pull('no where'), /is not an expression/);
  });

  check('scatter cuts into blocks or deals out; gather is its inverse', async ({ all }) => {
    await all.scatter('block', [1, 2, 3, 4, 5, 6, 7]);
    assert.deepEqual(await all.pull('block'), [
      [1, 2, 3],
      [4, 5],
      [6, 7],
    ]);
    assert.deepEqual(await all.gather('block'), [1, 2, 3, 4, 5, 6, 7]);
    await all.scatter('cards', [1, 2, 3, 4, 5, 6, 7], { by: 'cyclic' });
    assert.deepEqual(await all.pull('cards'), [
      [1, 4, 7],
      [2, 5],
      [3, 6],
    ]);
    assert.deepEqual(await all.gather('cards', { by: 'cyclic' }), [1, 2, 3, 4, 5, 6, 7]);
  });

  check('scatter to a view of other order, and to one engine', async ({ view, engine }) => {
    await view([2, 1]).scatter('part', [1, 2, 3, 4]);
    assert.deepEqual(await engine(2).pull('part'), [1, 2]);
    assert.deepEqual(await view([1, 2]).gather('part'), [3, 4, 1, 2]);
    await engine(0).scatter('whole', [1, 2]);
    assert.deepEqual(await engine(0).gather('whole'), [1, 2]);
  });

  for (const by of ['block', 'cyclic'] as const) {
    check(`typed arrays stay typed, by ${by}`, async ({ all }) => {
      for (const data of [
        new Float64Array([1, 2, 3, 4, 5]),
        new Uint8ClampedArray([1, 300]),
        new BigInt64Array(4).fill(-1n),
        new Int16Array(0),
      ]) {
        await all.scatter('data', data, { by });
        assert.deepEqual(await all.execute('data.constructor.name'), Array(3).fill(data.constructor.name));
        assert.deepEqual(await all.gather('data', { by }), data);
      }
      const bytes = Buffer.from('seven b');
      await all.scatter('bytes', bytes, { by });
      assert.deepEqual(Buffer.from(await all.gather<Uint8Array>('bytes', { by })).toString(), 'seven b');
    });

    check(`fewer items than engines, iterables and strings, by ${by}`, async ({ all }) => {
      await all.scatter('one', [1], { by });
      assert.deepEqual(await all.pull('one'), [[1], [], []]);
      assert.deepEqual(await all.gather('one', { by }), [1]);
      await all.scatter('set', new Set([1, 2, 3, 4]), { by });
      assert.deepEqual(await all.gather('set', { by }), [1, 2, 3, 4]);
      await all.scatter('text', 'héllo', { by });
      assert.deepEqual(await all.gather('text', { by }), [...'héllo']);
    });

    check(`gather(scatter(x)) is x, by ${by}`, async ({ all }) => {
      const list = fc.oneof(
        fc.array(fc.jsonValue(), { maxLength: 20 }),
        fc.int16Array({ maxLength: 40 }),
        fc.float64Array({ maxLength: 20 }),
      );
      await fc.assert(
        fc.asyncProperty(list, async (data) => {
          await all.scatter('any', data as unknown[], { by });
          assert.deepEqual(await all.gather('any', { by }), data);
        }),
        { numRuns: 30 },
      );
    });
  }

  check('map has the order of its items, however many there are', async ({ all }) => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer(), { maxLength: 30 }), async (items) => {
        assert.deepEqual(
          await all.map((x) => -x, items),
          items.map((x) => -x),
        );
      }),
      { numRuns: 20 },
    );
  });

  check('what cannot be cut or joined is refused', async ({ all, engine }) => {
    await assert.rejects(async () => all.scatter('x', 5 as never), /UsageError: Only iterables/);
    await assert.rejects(
      async () => all.scatter('x', [1], { by: 'chunk' as never }),
      /UsageError: .*'block' or 'cyclic'/,
    );
    await assert.rejects(async () => all.gather('x', { by: 'chunk' as never }), /UsageError: .*'block' or 'cyclic'/);
    await all.execute('let n = 5');
    await assert.rejects(async () => all.gather('n'), /UsageError: .*number/);
    await assert.rejects(async () => engine(0).gather('n', { by: 'cyclic' }), /UsageError: .*number/);
  });
}
