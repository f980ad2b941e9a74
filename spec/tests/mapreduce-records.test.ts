/** Keys, columns, runs and merges against plain lists. */
import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeBlock, encodeBlock } from '../../paradigms/mapreduce/records/block.ts';
import { blocksOf } from '../../paradigms/mapreduce/records/cursor.ts';
import { eachGroup } from '../../paradigms/mapreduce/records/groups.ts';
import { canonical, compareKeys, hashKey } from '../../paradigms/mapreduce/records/keys.ts';
import { Merge } from '../../paradigms/mapreduce/records/merge.ts';
import { orderOf } from '../../paradigms/mapreduce/records/order.ts';
import { RunWriter, type Shelf } from '../../paradigms/mapreduce/records/run.ts';
import { SpillFile } from '../../paradigms/mapreduce/records/spill-file.ts';
import { cutsOf } from '../../paradigms/mapreduce/task/partitioner.ts';

const text = fc.string({ unit: 'binary', maxLength: 6 });
const primitive = fc.oneof(
  text,
  fc.string({ maxLength: 4 }),
  fc.integer({ min: -3, max: 3 }),
  fc.double(),
  fc.bigInt({ min: -2n, max: 2n }),
  fc.boolean(),
  fc.constant(null),
  fc.constant(undefined),
);
const key = fc.oneof(
  { weight: 4, arbitrary: primitive },
  fc.array(primitive, { maxLength: 3 }),
  fc.date({ noInvalidDate: true }),
  fc.dictionary(fc.string({ maxLength: 2 }), primitive, { maxKeys: 2 }),
  fc.uint8Array({ maxLength: 3 }),
);

describe('keys', () => {
  test('have a total order, and those that it finds equal have one hash', () => {
    fc.assert(
      fc.property(key, key, key, (a, b, c) => {
        const sign = (n: number): number => Math.sign(n) + 0;
        assert.equal(sign(compareKeys(a, b)), -sign(compareKeys(b, a)) + 0);
        assert.equal(compareKeys(a, a), 0);
        if (compareKeys(a, b) <= 0 && compareKeys(b, c) <= 0) assert(compareKeys(a, c) <= 0);
        if (compareKeys(a, b) === 0) {
          assert.equal(canonical(a), canonical(b));
          assert.equal(hashKey(a), hashKey(b));
        } else assert.notEqual(canonical(a), canonical(b));
      }),
      { numRuns: 500 },
    );
  });

  test('are ordered by value, and texts by code unit', () => {
    const mixed = [
      'b',
      10,
      'a',
      9,
      -0,
      null,
      'B',
      [2, 'x'],
      [2],
      true,
      2n,
      undefined,
      Number.NaN,
      '\u{1f600}',
      '\uffff',
    ];
    expect(mixed.sort(compareKeys).filter((one) => one !== undefined)).toEqual([
      null,
      true,
      -0,
      9,
      10,
      Number.NaN,
      2n,
      'B',
      'a',
      'b',
      '\u{1f600}',
      '\uffff',
      [2],
      [2, 'x'],
    ]);
  });

  test('have the same hash in every process and version', () => {
    const keys = ['', 'the', 'The', 0, 1, -1, 1.5, 2 ** 40, null, true, 3n, ['a', 1], { b: 1, a: 2 }, new Date(0)];
    expect(keys.map(hashKey)).toMatchInlineSnapshot(`
      [
        2872998923,
        3305589240,
        1160187575,
        3651860435,
        2916906684,
        2113920734,
        327582034,
        364002798,
        2827039320,
        1715307598,
        2357712926,
        297296463,
        521476764,
        1737891191,
      ]
    `);
    expect(hashKey({ a: 2, b: 1 })).toBe(hashKey({ b: 1, a: 2 }));
    expect([hashKey(-0), compareKeys(-0, 0)]).toEqual([hashKey(0), 0]);
  });

  test('spread over reducers', () => {
    const counts = new Array(8).fill(0);
    for (let i = 0; i < 8_000; i++) counts[hashKey(`user${i}`) % 8]++;
    expect(Math.min(...counts)).toBeGreaterThan(850);
    const numbers = new Array(8).fill(0);
    for (let i = 0; i < 8_000; i++) numbers[hashKey(i * 8) % 8]++;
    expect(Math.min(...numbers)).toBeGreaterThan(850);
  });

  test('cuts divide a sample evenly', () => {
    expect(cutsOf([9, 1, 8, 2, 7, 3, 6, 4], 4, compareKeys)).toEqual([3, 6, 8]);
    expect(cutsOf([], 4, compareKeys)).toEqual([]);
  });
});

test('the order of keys is that of a stable sort', () => {
  const lists = fc.oneof(
    fc.array(key),
    fc.array(text),
    fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'é', '日'), maxLength: 6 })),
  );
  fc.assert(
    fc.property(lists, (keys) => {
      const expected = keys.map((_, i) => i).sort((a, b) => compareKeys(keys[a], keys[b]) || a - b);
      assert.deepEqual([...orderOf(keys, compareKeys)], expected);
    }),
  );
});

test('blocks give back what was put into them', () => {
  const value = fc.oneof(
    primitive,
    key,
    fc.array(fc.anything({ withMap: true, withSet: true, withDate: true, withTypedArray: true })),
  );
  const columns = fc.oneof(
    fc.array(fc.tuple(text, fc.constant(1)), { minLength: 1 }),
    fc.array(fc.tuple(fc.integer(), fc.double()), { minLength: 1 }),
    fc.array(fc.tuple(key, value), { minLength: 1 }),
  );
  fc.assert(
    fc.property(columns, (pairs) => {
      const keys = pairs.map(([one]) => one);
      const values = pairs.map(([, one]) => one);
      const bytes = encodeBlock({ keys, values }).slice();
      // Wherever it lies in memory.
      const moved = new Uint8Array(bytes.length + 3);
      moved.set(bytes, 3);
      assert.deepStrictEqual(decodeBlock(moved.subarray(3)), { keys, values });
    }),
  );
});

test('what cannot travel is named with its key', () => {
  expect(() => encodeBlock({ keys: ['a', 'b'], values: [1, { deep: [Symbol('x')] }] })).toThrow(
    /A value that was emitted under the key "b" cannot travel: .*deep\[0\]/,
  );
  expect(() => encodeBlock({ keys: [() => 1], values: [1] })).toThrow(/A key that was emitted cannot travel/);
});

/** As a task keeps them: in memory as long as there is room, and then in a file. */
function shelfOf(room: number): { shelf: Shelf; file: SpillFile } {
  const file = new SpillFile(tmpdir());
  let left = room;
  return { file, shelf: { take: (bytes) => (left -= bytes) >= 0, file: () => file } };
}

test('merged runs are one sorted list, in which equal keys keep the order of the runs', async () => {
  const runs = fc.array(fc.array(fc.tuple(fc.oneof(fc.nat(5), fc.constantFrom('a', 'b')), fc.nat())), { maxLength: 9 });
  await fc.assert(
    fc.asyncProperty(runs, fc.nat(300), fc.nat(100), async (lists, room, memory) => {
      const { shelf, file } = shelfOf(room);
      const sorted = lists.map((list) => [...list].sort(([a], [b]) => compareKeys(a, b)));
      const sources = sorted.map((list) => {
        const writer = new RunWriter(shelf);
        for (let i = 0; i < list.length; i += 2) {
          const part = list.slice(i, i + 2);
          writer.write(
            part.map(([one]) => one),
            part.map(([, one]) => one),
          );
        }
        const source = blocksOf(writer.end());
        // Some come later, as from another engine.
        return list.length % 2 ? source : { next: async () => source.next() };
      });
      const merge = new Merge(compareKeys);
      await merge.open(sources);
      const got: [unknown, unknown[]][] = [];
      await eachGroup(merge, {
        ...{ sort: compareKeys, group: compareKeys, memory },
        shelf: () => ({ shelf, over() {} }),
        each: (one, values) => void got.push([one, [...values]]),
      });
      const expected: [unknown, unknown[]][] = [];
      for (const [one, value] of sorted.flat().sort(([a], [b]) => compareKeys(a, b))) {
        const last = expected.at(-1);
        if (last && last[0] === one) last[1].push(value);
        else expected.push([one, [value]]);
      }
      assert.deepEqual(got, expected);
      file.close();
    }),
  );
});

test('values of a key that are too many for the memory are read from disk, as often as wanted', async () => {
  const { shelf, file } = shelfOf(0);
  const writer = new RunWriter(shelf);
  for (let i = 0; i < 100; i++)
    writer.write(
      new Array(1_000).fill('k'),
      Array.from({ length: 1_000 }, (_, j) => i * 1_000 + j),
    );
  const merge = new Merge(compareKeys);
  await merge.open([blocksOf(writer.end())]);
  let asides = 0;
  await eachGroup(merge, {
    ...{ sort: compareKeys, group: compareKeys, memory: 10_000 },
    shelf: () => {
      asides++;
      return { shelf, over: () => void asides-- };
    },
    async each(_, values) {
      let sum = 0;
      for (const value of values) sum += value as number;
      for await (const value of values) sum -= value as number;
      expect([sum, [...values].length, asides]).toEqual([0, 100_000, 1]);
    },
  });
  expect(asides).toBe(0);
  file.close();
});
