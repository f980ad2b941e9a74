/** Bags against plain lists: the same records, on engines and in this process. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { CancelledError, type Client, cluster } from 'tutti';
import { type Bag, csv, from, lines, mapReduce } from 'tutti/paradigms';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { until } from './support/conditions.ts';
import { using } from './support/shared.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'tutti-bag-'));
let client: Client;
beforeAll(async () => {
  client = await cluster({ engines: 2, kind: 'thread' });
});
afterAll(async () => {
  await client.close();
  rmSync(folder, { recursive: true });
});

const numbers = Array.from({ length: 100 }, (_, i) => i);
const bag = <T>(records: Iterable<T>, perSplit?: number): Bag<T> =>
  client.use(mapReduce).bag(from(records, perSplit === undefined ? {} : { perSplit }));
const inline = <T>(records: Iterable<T>, perSplit: number): Bag<T> =>
  client.use(mapReduce).bag(from(records, { perSplit }), { inline: true });
const sorted = <T>(list: readonly T[]): T[] =>
  [...list].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));

describe('one record after the other', () => {
  test('map, filter, flatMap, in order; with promises, too', async () => {
    const wanted = numbers.filter((n) => n % 3 === 0).flatMap((n) => [n * 2, n * 2 + 1]);
    const plain = bag(numbers, 7)
      .filter((n) => n % 3 === 0)
      .map((n) => n * 2)
      .flatMap((n) => [n, n + 1]);
    assert.deepEqual(await plain.collect(), wanted);
    const later = bag(numbers, 7)
      .filter(async (n) => n % 3 === 0)
      .map(async (n) => n * 2)
      .flatMap(async function* (n) {
        yield n;
        await null;
        yield n + 1;
      });
    assert.deepEqual(await later.collect(), wanted);
    const iterated: number[] = [];
    for await (const n of plain) iterated.push(n);
    assert.deepEqual(iterated, wanted);
  });

  test('partitions: read to the end, or not, and more than wait at a time', async () => {
    const many = Array.from({ length: 3000 }, (_, i) => i);
    const sums = bag(many, 1000).mapPartitions(async function* (records) {
      let sum = 0;
      for await (const n of records) sum += n;
      yield sum;
    });
    assert.deepEqual(await sums.collect(), [499_500, 1_499_500, 2_499_500]);
    const firsts = bag(many, 1000).mapPartitions(async function* (records) {
      for await (const n of records) {
        yield n;
        if (n % 1000 === 2) return;
      }
    });
    assert.deepEqual(await firsts.collect(), [0, 1, 2, 1000, 1001, 1002, 2000, 2001, 2002]);
    const ignoring = bag(many, 1000).mapPartitions(() => ['one']);
    assert.deepEqual(await ignoring.collect(), ['one', 'one', 'one']);
    const failing = bag(many, 1000).mapPartitions(async function* (records) {
      for await (const n of records) if (n === 1500) throw new RangeError('not 1500');
      yield 1;
    });
    await assert.rejects(failing.collect(), /not 1500/);
  });

  test('samples: the same for the same seed, and about as many', async () => {
    const many = Array.from({ length: 2000 }, (_, i) => i);
    const one = await bag(many, 500).sample(0.1, 7).collect();
    assert.deepEqual(await bag(many, 500).sample(0.1, 7).collect(), one);
    assert.notDeepEqual(await bag(many, 500).sample(0.1, 8).collect(), one);
    assert.ok(one.length > 100 && one.length < 300, `${one.length} of 2000`);
    assert.deepEqual(await bag(many).sample(0).collect(), []);
    assert.equal(await bag(many).sample(1).count(), 2000);
  });

  test('take looks no further than it has to', async () => {
    const seen: number[] = [];
    const source = function* () {
      for (let n = 0; n < 100_000; n++) {
        seen.push(n);
        yield n;
      }
    };
    assert.deepEqual(
      await bag(source(), 10)
        .filter((n) => n >= 25)
        .take(5),
      [25, 26, 27, 28, 29],
    );
    assert.ok(seen.length < 500, `${seen.length} were made`);
    assert.deepEqual(await bag(numbers, 10).take(1000), numbers);
    assert.deepEqual(
      await bag(numbers, 10)
        .filter(() => false)
        .take(3),
      [],
    );
    assert.deepEqual(await bag(numbers, 10).take(0), []);
    assert.deepEqual(await bag(numbers, 10).union(bag(numbers)).take(102), [...numbers, 0, 1]);
    assert.deepEqual(
      await bag(numbers, 10)
        .sortBy((n) => -n)
        .take(3),
      [99, 98, 97],
    );
  });

  test('count, fold and the largest ones', async () => {
    assert.equal(await bag(numbers, 7).count(), 100);
    assert.equal(await bag([]).count(), 0);
    const sum = await bag(numbers, 7).fold(
      () => 0,
      (a, n) => a + n,
      (a, b) => a + b,
    );
    assert.equal(sum, 4950);
    assert.deepEqual(await bag(numbers, 7).topK(3), [99, 98, 97]);
    assert.deepEqual(await bag(numbers, 50).topK(2, (a, b) => b - a), [0, 1]);
    assert.deepEqual(await bag(numbers, 7).topK(1000), [...numbers].reverse());
    assert.deepEqual(await bag(numbers).topK(0), []);
  });

  test('numbers for records, also behind a shuffle', async () => {
    assert.deepEqual(
      await bag(numbers, 7).zipWithIndex().collect(),
      numbers.map((n) => [n, n]),
    );
    const even = bag(numbers, 7)
      .filter((n) => n % 2 === 0)
      .sortBy((n) => -n)
      .zipWithIndex();
    const wanted = numbers
      .filter((n) => n % 2 === 0)
      .reverse()
      .map((n, i): [number, number] => [n, i]);
    assert.deepEqual(await even.collect(), wanted);
    assert.deepEqual(
      await even
        .filter(([, i]) => i < 2)
        .mapValues((i) => i + 1)
        .collect(),
      [
        [98, 1],
        [96, 2],
      ],
    );
  });
});

test('running totals, over empty partitions, behind a shuffle, of anything that is associative', async () => {
  const totals = (list: readonly number[]): number[] => {
    let sum = 0;
    return list.map((n) => (sum += n));
  };
  assert.deepEqual(
    await bag(numbers, 7)
      .accumulate((a, b) => a + b)
      .collect(),
    totals(numbers),
  );
  const some = numbers.filter((n) => n < 10 || n > 80);
  assert.deepEqual(
    await bag(numbers, 7)
      .filter((n) => n < 10 || n > 80)
      .accumulate((a, b) => a + b)
      .collect(),
    totals(some),
  );
  const joined = bag(['c', 'a', 'b'], 1).sortBy((letter) => letter);
  assert.deepEqual(await joined.accumulate((a, b) => a + b).collect(), ['a', 'ab', 'abc']);
  assert.deepEqual(
    await bag<number>([])
      .accumulate((a, b) => a + b)
      .collect(),
    [],
  );
});

describe('by key', () => {
  const pairs = numbers.map((n): [string, number] => [`k${n % 7}`, n]);
  const groups = (): Map<string, number[]> => {
    const map = new Map<string, number[]>();
    for (const [key, value] of pairs) map.set(key, [...(map.get(key) ?? []), value]);
    return map;
  };

  test('reduce, aggregate, group', async () => {
    const sums = [...groups()].map(([key, values]) => [key, values.reduce((a, b) => a + b)]);
    assert.deepEqual(
      sorted(
        await bag(pairs, 9)
          .reduceByKey((a, b) => a + b)
          .collect(),
      ),
      sorted(sums),
    );
    const lists = await bag(pairs, 9)
      .aggregateByKey(
        (): number[] => [],
        (list, n) => [...list, n],
        (a, b) => [...a, ...b],
        { reducers: 3 },
      )
      .mapValues((list) => list.sort((a, b) => a - b))
      .collect();
    assert.deepEqual(sorted(lists), sorted([...groups()]));
    const grouped = await bag(pairs, 9)
      .groupByKey()
      .mapValues((list) => list.sort((a, b) => a - b))
      .collect();
    assert.deepEqual(sorted(grouped), sorted([...groups()]));
    const counts = bag(numbers, 9)
      .keyBy((n) => n % 2 === 0)
      .mapValues(() => 1)
      .reduceByKey((a, b) => a + b);
    assert.deepEqual(sorted(await counts.collect()), [
      [false, 50],
      [true, 50],
    ]);
    assert.deepEqual(sorted(await counts.keys().collect()), [false, true]);
    assert.deepEqual(await counts.values().collect(), [50, 50]);
  });

  test('several shuffles one after the other', async () => {
    const chained = bag(pairs, 9)
      .reduceByKey((a, b) => a + b)
      .map(([, sum]) => [sum % 2 === 0 ? 'even' : 'odd', 1])
      .reduceByKey((a, b) => a + b)
      .sortByKey()
      .map(([kind, count]) => `${kind}: ${count}`);
    const wanted = { even: 0, odd: 0 };
    for (const values of groups().values()) wanted[values.reduce((a, b) => a + b) % 2 === 0 ? 'even' : 'odd']++;
    assert.deepEqual(
      await chained.collect(),
      Object.entries(wanted)
        .filter(([, n]) => n > 0)
        .map(([kind, n]) => `${kind}: ${n}`),
    );
  });

  test('joins of all kinds, as nested loops do them', async () => {
    const keys = fc.integer({ min: 0, max: 4 });
    const side = fc.array(fc.tuple(keys, fc.integer({ min: 0, max: 9 })), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(side, side, fc.integer({ min: 1, max: 4 }), async (left, right, perSplit) => {
        const inner = left.flatMap(([k, v]) => right.filter(([other]) => other === k).map(([, w]) => [k, [v, w]]));
        const lonely = (one: typeof left, other: typeof left) => one.filter(([k]) => !other.some(([o]) => o === k));
        const leftOnly = lonely(left, right).map(([k, v]) => [k, [v, undefined]]);
        const rightOnly = lonely(right, left).map(([k, w]) => [k, [undefined, w]]);
        const [a, b] = [inline(left, perSplit), inline(right, perSplit)];
        assert.deepEqual(sorted(await a.join(b).collect()), sorted(inner));
        assert.deepEqual(sorted(await a.join(b, 'left').collect()), sorted([...inner, ...leftOnly]));
        assert.deepEqual(sorted(await a.join(b, 'right').collect()), sorted([...inner, ...rightOnly]));
        assert.deepEqual(sorted(await a.join(b, 'full').collect()), sorted([...inner, ...leftOnly, ...rightOnly]));
        const cogrouped = await a.cogroup(b).collect();
        const all = [...new Set([...left, ...right].map(([k]) => k))];
        const values = (one: typeof left, key: number) =>
          one
            .filter(([k]) => k === key)
            .map(([, v]) => v)
            .sort();
        assert.deepEqual(
          sorted(cogrouped.map(([k, [v, w]]) => [k, [v.sort(), w.sort()]])),
          sorted(all.map((k) => [k, [values(left, k), values(right, k)]])),
        );
      }),
      { numRuns: 10 },
    );
  });

  test('a bag joined with itself, and with what was reduced before; results of engines meet', async () => {
    const sums = bag(pairs, 9).reduceByKey((a, b) => a + b);
    const counts = bag(pairs, 20)
      .mapValues(() => 1)
      .reduceByKey((a, b) => a + b);
    const means = await sums
      .join(counts)
      .mapValues(([sum, count]) => sum / count)
      .collect();
    const wanted = [...groups()].map(([key, values]) => [key, values.reduce((a, b) => a + b) / values.length]);
    assert.deepEqual(sorted(means), sorted(wanted));
    assert.deepEqual(
      sorted(await sums.join(sums).values().collect()),
      sorted((await sums.collect()).map(([, n]) => [n, n])),
    );
    assert.equal(await sums.union(sums, counts).count(), 21);
  });
});

describe('all records', () => {
  test('sorted, either way, by what is given', async () => {
    const shuffled = numbers.map((n) => (n * 37) % 100);
    assert.deepEqual(
      await bag(shuffled, 9)
        .sortBy((n) => n)
        .collect(),
      numbers,
    );
    assert.deepEqual(
      await bag(shuffled, 9)
        .sortBy((n) => n, { descending: true, reducers: 3 })
        .collect(),
      [...numbers].reverse(),
    );
    const last = (n: number) => n % 10;
    const byDigit = await bag(shuffled, 9)
      .sortBy(last, { compare: (a, b) => b - a })
      .collect();
    assert.deepEqual(
      byDigit.map(last),
      numbers.map(last).sort((a, b) => b - a),
    );
    assert.deepEqual(sorted(byDigit), sorted(numbers));
  });

  test('distinct by value', async () => {
    const values = [1, '1', 1, { a: 1 }, { a: 1 }, [2], [2], null, 'x', null];
    assert.deepEqual(sorted(await bag(values, 3).distinct().collect()), sorted([1, '1', { a: 1 }, [2], null, 'x']));
  });

  test('dealt out anew, and put together', async () => {
    const dealt = bag(numbers, 100).repartition(4);
    const sizes = await dealt
      .mapPartitions(async function* (records) {
        let size = 0;
        for await (const _ of records) size++;
        yield size;
      })
      .collect();
    assert.deepEqual(sizes, [25, 25, 25, 25]);
    assert.deepEqual(sorted(await dealt.collect()), sorted(numbers));
    assert.deepEqual(
      await bag([1, 2])
        .union(bag(['a']), bag([3]))
        .collect(),
      [1, 2, 'a', 3],
    );
  });

  test('kept on the engines: worked out once, until it is closed', async () => {
    const log = path.join(folder, 'log');
    const kept = await bag(numbers, 10)
      .map((n) => {
        process.getBuiltinModule('node:fs').appendFileSync(log, '.');
        return [n % 10, n];
      })
      .reduceByKey((a, b) => a + b)
      .keep();
    assert.equal(await kept.count(), 10);
    assert.equal((await kept.join(kept).collect()).length, 10);
    assert.deepEqual(await kept.sortByKey().take(2), [
      [0, 450],
      [1, 460],
    ]);
    assert.equal(readFileSync(log, 'utf8').length, 100);
    await kept.close();
    await kept.close();
    await assert.rejects(kept.count(), /closed/);
  });

  test('to files and back', async () => {
    const file = path.join(folder, 'in.csv');
    writeFileSync(file, `n,word\n${numbers.map((n) => `${n},w${n % 3}`).join('\n')}\n`);
    const { bag: make } = client.use(mapReduce);
    const dir = path.join(folder, 'out');
    const { records } = await make(csv(file))
      .map(({ word }) => [word!, 1])
      .reduceByKey((a, b) => a + b, { reducers: 2 })
      .to(dir);
    assert.equal(records, 3);
    const written = readdirSync(dir).filter((name) => name.endsWith('.jsonl'));
    const all = written.flatMap((name) => readFileSync(path.join(dir, name), 'utf8').trim().split('\n'));
    assert.deepEqual(all.sort(), ['["w0",34]', '["w1",33]', '["w2",33]']);
    assert.ok(readdirSync(dir).includes('_SUCCESS'));
    await assert.rejects(bag(numbers).to(dir), { name: 'OutputExistsError' });
    const text = path.join(folder, 'text');
    await bag(['a', 'b'])
      .keyBy((s) => s.toUpperCase())
      .to(text, { format: 'text', gzip: true });
    assert.deepEqual(await make(lines(path.join(text, 'part-*'))).collect(), ['A\ta', 'B\tb']);
  });

  test('any chain, on engines and inline, as lists do it', async () => {
    const step = fc.constantFrom('map', 'filter', 'flatMap', 'distinct', 'sortBy', 'union', 'repartition', 'sum');
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 20 }),
        fc.array(step, { maxLength: 4 }),
        fc.integer({ min: 1, max: 6 }),
        fc.boolean(),
        async (list, steps, perSplit, here) => {
          let made: Bag<number> = here ? inline(list, perSplit) : bag(list, perSplit);
          let wanted = list;
          for (const one of steps) {
            if (one === 'map') [made, wanted] = [made.map((n) => n + 1), wanted.map((n) => n + 1)];
            else if (one === 'filter') [made, wanted] = [made.filter((n) => n % 2), wanted.filter((n) => n % 2)];
            else if (one === 'flatMap') [made, wanted] = [made.flatMap((n) => [n, n]), wanted.flatMap((n) => [n, n])];
            else if (one === 'distinct') [made, wanted] = [made.distinct(), [...new Set(wanted)]];
            else if (one === 'sortBy') [made, wanted] = [made.sortBy((n) => n), wanted];
            else if (one === 'union') [made, wanted] = [made.union(made), [...wanted, ...wanted]];
            else if (one === 'repartition') [made, wanted] = [made.repartition(3), wanted];
            else {
              const sums = new Map<number, number>();
              for (const n of wanted) sums.set(n % 3, (sums.get(n % 3) ?? 0) + n);
              made = made
                .keyBy((n) => n % 3)
                .reduceByKey((a, b) => a + b)
                .values();
              wanted = [...sums.values()];
            }
          }
          assert.deepEqual(sorted(await made.collect()), sorted(wanted));
        },
      ),
      { numRuns: 25 },
    );
  });
});

test('an engine that goes down takes results along that further steps need: they are made again', async () => {
  const flag = path.join(folder, 'down');
  await using({ engines: 3, kind: 'process' }, async (c) => {
    const { bag: make } = c.use(mapReduce);
    const sums = make(from(numbers, { perSplit: 8 }))
      .keyBy((n) => n % 10)
      .reduceByKey((a, b) => a + b, { reducers: 4 });
    const joined = sums
      .join(sums.mapValues((sum) => -sum))
      .zipWithIndex()
      .map(([[key, [sum, minus]], index]) => {
        const fs = process.getBuiltinModule('node:fs');
        if (index >= 3 && !fs.existsSync(flag)) {
          fs.writeFileSync(flag, '');
          process.kill(process.pid, 'SIGKILL');
        }
        return [key, sum + minus];
      });
    assert.deepEqual(sorted(await joined.collect()), sorted(numbers.slice(0, 10).map((key) => [key, 0])));
    assert.ok(existsSync(flag));
  });
});

test('a signal ends what runs, and a bag that nobody reads to its end stops', async () => {
  const flag = path.join(folder, 'in the last step');
  const abort = new AbortController();
  const waiting = client
    .use(mapReduce)
    .bag(from(numbers, { perSplit: 10 }), { signal: abort.signal })
    .keyBy((n) => n % 2)
    .join(bag(numbers).keyBy((n) => n % 2))
    .map((pair) => {
      process.getBuiltinModule('node:fs').writeFileSync(flag, '');
      return new Promise<typeof pair>(() => {});
    })
    .collect();
  await until(() => existsSync(flag), Boolean);
  abort.abort(new CancelledError('enough'));
  await assert.rejects(waiting, /enough/);
  let seen = 0;
  for await (const n of bag(numbers, 1).map(async (n) => (n < 5 ? n : new Promise<number>(() => {})))) {
    seen++;
    if (n === 3) break;
  }
  assert.equal(seen, 4);
  assert.equal(await bag(numbers).count(), 100);
});

describe('what makes no sense', () => {
  test.each<[string, (made: Bag<any>) => unknown, RegExp]>([
    ['map', (made) => made.map(3 as never), /map takes a function; got number/],
    ['sample', (made) => made.sample(2), /a part from 0 to 1; got 2/],
    ['take', (made) => made.take(-1), /take: how many is a whole number, 0 or more; got -1/],
    ['repartition', (made) => made.repartition(0), /1 or more; got 0/],
    ['join', (made) => made.join([] as never), /join takes another bag; got object/],
    ['join', (made) => made.join(made, 'outer' as never), /one of inner, left, right, full; got "outer"/],
    ['reducers', (made) => made.groupByKey({ reducers: 0.5 }), /reducers is a whole number/],
    [
      'pairs',
      (made) => made.reduceByKey((a) => a).collect(),
      /reduceByKey takes records that are \[key, value\]; got \d\. Use keyBy/,
    ],
    ['flatMap', (made) => made.flatMap(() => 3 as never).collect(), /return something iterable; got number/],
    ['thrown', (made) => made.map(() => JSON.parse('{')).collect(), /JSON/],
  ])('%s', async (_, use, message) => {
    await assert.rejects(async () => use(bag([1, 2])), message);
  });

  test('a generator is read once', async () => {
    const once = bag(
      (function* () {
        yield 1;
      })(),
    );
    assert.deepEqual(await once.collect(), [1]);
    await assert.rejects(once.collect(), /has been read by a job, or a bag, before/);
  });
});
