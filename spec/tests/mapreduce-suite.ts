/** What jobs make, whatever they are cut into, and whatever lies between their engines. `open` gives a client at each call. */
import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Client } from 'tutti';
import { from, type JobSpec, jsonl, lines, mapReduce, outputTo, runInline } from 'tutti/paradigms';
import { describe, expect, test } from 'vitest';
import { folderOf, partsOf, speech, wordCount, wordsIn } from './support/mapreduce.ts';

const folder = folderOf('mapreduce');
const text = speech(12);
const words = wordsIn(text);
const plain = path.join(folder, 'speeches.txt');
const packed = path.join(folder, 'speeches.txt.gz');
writeFileSync(plain, text);
writeFileSync(packed, gzipSync(text));
let outputs = 0;
const output = (): string => path.join(folder, `output-${outputs++}`);

/** Twice as many calls of the combiner as values need. */
const combinedTwice: JobSpec<string, string, number> = {
  ...wordCount,
  combine(key, ones, ctx) {
    let [sum, rest] = [0, 0];
    for (const one of ones) [sum, rest] = [sum + one, rest + 1];
    if (rest > 1) ctx.emit(key, sum - 1);
    ctx.emit(key, rest > 1 ? 1 : sum);
  },
};
const { combine: _, ...uncombined } = wordCount;

export function mapReduceSuite(open: () => Promise<Client>): void {
  const mr = async () => (await open()).use(mapReduce);

  describe('a word count', () => {
    test.each<[string, JobSpec<string, string, number>, object]>([
      ['as it is', wordCount, {}],
      ['of many splits', wordCount, { splitSize: 10_007 }],
      ['without a combiner', uncombined, { splitSize: 100_000 }],
      ['with a combiner that leaves two values', combinedTwice, { splitSize: 100_000 }],
      ['with one reducer', { ...wordCount, reducers: 1 }, { splitSize: 300_000 }],
      ['with many reducers', { ...wordCount, reducers: 13 }, { splitSize: 100_000 }],
      ['in little memory', wordCount, { memory: 1 << 20 }],
      ['in little memory without a combiner', uncombined, { memory: 1 << 20, splitSize: 400_000 }],
      ['in ranges', { ...wordCount, partition: 'range', reducers: 4 }, { splitSize: 100_000 }],
      ['in one process', wordCount, { inline: true, splitSize: 100_000 }],
    ])('%s is that of a plain loop', async (_name, job, options) => {
      const counts = await (await mr()).run(job, { input: lines(plain), ...options });
      expect(counts.length).toBe(words.size);
      expect(new Map(counts)).toEqual(words);
    });

    test('of compressed input, without a cluster', async () => {
      expect(new Map(await runInline(wordCount, { input: lines(packed) }))).toEqual(words);
      expect(new Map(await (await mr()).run(wordCount, { input: lines(packed) }))).toEqual(words);
    });

    test('has the same bytes on disk wherever it runs', async () => {
      const job = { ...wordCount, reducers: 3 };
      const dirs = [output(), output()];
      const there = await (await mr()).run(job, { input: lines(plain), splitSize: 100_000, output: dirs[0]! });
      await runInline(job, { input: lines(plain), splitSize: 70_000, output: dirs[1]!, memory: 1 << 20 });
      const [a, b] = dirs.map(partsOf);
      expect(a!.names).toEqual(['_SUCCESS', 'part-00000.jsonl', 'part-00001.jsonl', 'part-00002.jsonl']);
      expect(a!.records).toEqual(b!.records);
      expect(new Map(a!.records)).toEqual(words);
      expect(there).toMatchObject({ output: dirs[0], parts: 3, records: words.size });
    });
  });

  test('counters are those of tasks, each once, and of each step', async () => {
    const total = [...words.values()].reduce((a, b) => a + b);
    const job = (await mr()).run(
      {
        ...wordCount,
        map(line: string, ctx) {
          ctx.counter('mine', 'lines');
          ctx.counter('mine', 'less', -2);
          wordCount.map!(line, ctx);
        },
        combine(key, ones, ctx) {
          ctx.counter('mine', 'combined');
          return wordCount.combine!(key, ones, ctx);
        },
        reducers: 2,
      },
      { input: lines(plain), splitSize: 100_000 },
    );
    await job;
    const { mapreduce, mine } = job.counters;
    const count = text.split('\n').length;
    expect(mine).toEqual({ lines: count, less: -2 * count, combined: expect.any(Number) });
    expect(mapreduce).toMatchObject({
      'map records in': count,
      'map records out': total,
      'reduce keys in': words.size,
      'reduce records out': words.size,
      'combine records in': total,
      'bytes read': Buffer.byteLength(text),
    });
    const combined = mapreduce!['combine records out']!;
    expect(combined).toBeGreaterThanOrEqual(words.size);
    expect(combined).toBeLessThan(total);
    expect(mapreduce).toMatchObject({ 'records shuffled': combined, 'reduce records in': combined });
    expect(job.stepCounters).toEqual([job.counters]);
  });

  describe('shapes of jobs', () => {
    test('map alone writes what it emits, in the order of the input', async () => {
      const job = { map: (n: number, ctx: any) => n % 3 === 0 && ctx.emit(n, n * n) };
      const got = await (await mr()).run(job, { input: from(Array.from({ length: 100 }, (_, i) => i)) });
      expect(got).toEqual(Array.from({ length: 34 }, (_, i) => [3 * i, 9 * i * i]));
    });

    test('reduce alone takes pairs, from a file or a list', async () => {
      const pairs = path.join(folder, 'pairs.jsonl');
      writeFileSync(pairs, '["b",1]\n["a",2]\n["b",3]\n');
      const job = { reduce: (_: string, values: Iterable<number>) => [...values].join('+'), reducers: 1 };
      const wanted = [
        ['a', '2'],
        ['b', '1+3'],
      ];
      expect(await (await mr()).run(job, { input: jsonl(pairs) })).toEqual(wanted);
      const list = from<[string, number]>([
        ['b', 1],
        ['a', 2],
        ['b', 3],
      ]);
      expect(await (await mr()).run(job, { input: list })).toEqual(wanted);
      await expect((await mr()).run(job, { input: from(['a']) })).rejects.toThrow(/record 1 of task 0.*\[key, value\]/);
    });

    test('objects of a list, however many, are weighed in whole bytes', async () => {
      for (const count of [129, 233, 499]) {
        const pairs = Array.from({ length: count }, (_, i) => [i, 'x'.repeat(i % 7)] as const);
        const run = (await mr()).run(
          { map: ([k]: readonly [number, string], ctx) => ctx.emit(k, 1) },
          { input: from(pairs) },
        );
        expect(await run).toHaveLength(count);
      }
    });

    test('without reduce, reducers sort', async () => {
      const numbers = Array.from({ length: 1_000 }, (_, i) => (i * 7_919) % 1_000);
      const map = (n: number, ctx: any) => ctx.emit(n, `#${n}`);
      const got = await (await mr()).run(
        { map, partition: 'range', reducers: 5 },
        { input: from(numbers, { perSplit: 90 }) },
      );
      expect(got).toEqual(numbers.sort((a, b) => a - b).map((n) => [n, `#${n}`]));
      const down = await (await mr()).run(
        { map, partition: 'range', reducers: 3, sort: (a: number, b: number) => b - a },
        { input: from(numbers, { perSplit: 90 }) },
      );
      expect(down.map(([n]) => n)).toEqual(numbers.reverse());
    });

    test('steps follow each other, and what lies between them is not seen', async () => {
      const byCount: JobSpec = {
        map: ([word, count]: [string, number], ctx) => ctx.emit(count, word),
        reduce: (_, all) => [...all].sort(),
        sort: (a: number, b: number) => b - a,
        reducers: 1,
      };
      const first: JobSpec = { map: ([count, all]: [number, string[]], ctx) => ctx.emit(count, all[0]) };
      const job = (await mr()).run([wordCount, byCount, first], { input: lines(plain), splitSize: 100_000 });
      const most = [...words.entries()].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
      expect((await job)[0]).toEqual([most[0]![1], most[0]![0]]);
      expect((await job).length).toBe(new Set(words.values()).size);
      expect(job.stepCounters.map(({ mapreduce }) => mapreduce!['map records in'])).toEqual([
        text.split('\n').length,
        words.size,
        new Set(words.values()).size,
      ]);
    });

    test('several inputs have mappers of their own', async () => {
      const people = from([
        { id: 1, name: 'Ada' },
        { id: 2, name: 'Grace' },
      ]);
      const notes = from([
        { of: 2, note: 'compiler' },
        { of: 1, note: 'engine' },
        { of: 2, note: 'nanosecond' },
      ]);
      const got = await (await mr()).run(
        {
          reduce(_: number, values: Iterable<{ name?: string; note?: string }>, ctx) {
            const all = [...values];
            for (const { note } of all) if (note) ctx.emit(all.find(({ name }) => name)!.name, note);
          },
          reducers: 1,
        },
        {
          input: [
            { source: people, map: ({ id, name }, ctx) => ctx.emit(id, { name }) },
            { source: notes, map: ({ of, note }, ctx) => ctx.emit(of, { note }) },
          ],
        },
      );
      expect(got).toEqual([
        ['Ada', 'engine'],
        ['Grace', 'compiler'],
        ['Grace', 'nanosecond'],
      ]);
    });

    test('a secondary sort groups by a part of the key', async () => {
      const readings = Array.from({ length: 300 }, (_, i) => ({ year: 2000 + (i % 3), day: (i * 37) % 100 }));
      const got = await (await mr()).run(
        {
          map: ({ year, day }: { year: number; day: number }, ctx) => ctx.emit([year, day], day),
          reduce: ([year]: [number, number], days, ctx) => ctx.emit(year, [...days]),
          partition: ([year]: [number, number], n) => year % n,
          group: ([a]: [number, number], [b]: [number, number]) => a - b,
          reducers: 2,
        },
        { input: from(readings, { perSplit: 40 }) },
      );
      const sorted = readings
        .map(({ day }) => day)
        .sort((a, b) => a - b)
        .filter((_, i) => i % 3 === 0);
      expect(got.sort(([a], [b]) => a - b)).toEqual([0, 1, 2].map((i) => [2000 + i, sorted]));
    });

    test('functions may be asynchronous, have a state of their own, and read values twice', async () => {
      const pause = () => new Promise((resolve) => setImmediate(resolve));
      const got = await (await mr()).run(
        {
          async setup(ctx) {
            await pause();
            return { phase: ctx.task.phase, seen: 0 };
          },
          async map(n: number, ctx) {
            await pause();
            ctx.state.seen++;
            ctx.emit(n % 2, n);
          },
          async reduce(key: number, values, ctx) {
            let [sum, count] = [0, 0];
            for await (const n of values) sum += n;
            for (const _ of values) count++;
            ctx.state.seen++;
            return { key, sum, count, phase: ctx.state.phase };
          },
          async teardown(ctx) {
            await pause();
            ctx.counter('seen', ctx.state.phase, ctx.state.seen);
          },
          reducers: 1,
        },
        { input: from([1, 2, 3, 4, 5, 6, 7]) },
      );
      expect(got).toEqual([
        [0, { key: 0, sum: 12, count: 3, phase: 'reduce' }],
        [1, { key: 1, sum: 16, count: 4, phase: 'reduce' }],
      ]);
    });

    test('no input is no output, and no harm', async () => {
      const empty = path.join(folder, 'empty.txt');
      writeFileSync(empty, '');
      expect(await (await mr()).run(wordCount, { input: lines(empty) })).toEqual([]);
      const dir = output();
      await (await mr()).run(wordCount, { input: lines(empty), output: dir });
      expect(partsOf(dir)).toEqual({ names: ['_SUCCESS'], records: [] });
    });
  });

  describe('results', () => {
    test('are read as they come, once', async () => {
      const job = (await mr()).run(wordCount, { input: lines(plain), splitSize: 100_000 });
      const counts = new Map<string, number>();
      for await (const [word, count] of job) counts.set(word, count);
      expect(counts).toEqual(words);
      await expect(job).rejects.toThrow(/read once/);
    });

    test('whoever stops reading stops the job', async () => {
      const job = (await mr()).run({ map: (n: number, ctx: any) => ctx.emit(n, n) }, { input: from(counting()) });
      let sum = 0;
      for await (const [n] of job) if ((sum += n) > 100) break;
      expect(sum).toBeGreaterThan(100);
      async function* counting() {
        for (let i = 0; ; i++) {
          if (i % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
          yield i;
        }
      }
    });

    test('stay on the engines, as input of other jobs', async () => {
      const { run } = await mr();
      await using kept = await run({ ...wordCount, reducers: 3 }, { input: lines(plain), keep: true });
      expect(kept.parts.reduce((sum, { records }) => sum + records, 0)).toBe(words.size);
      expect(new Set(kept.parts.map(({ engine }) => engine)).size).toBeGreaterThan(0);
      const lengths = await run(
        {
          map: ([word, n]: [string, number], ctx) => ctx.emit(word.length, n),
          reduce: (_, all) => [...all].length,
          reducers: 1,
        },
        { input: kept },
      );
      const expected = new Map<number, number>();
      for (const word of words.keys()) expected.set(word.length, (expected.get(word.length) ?? 0) + 1);
      expect(new Map(lengths)).toEqual(expected);
      for (let i = 0; i < 2; i++) {
        const again = new Map<string, number>();
        for await (const [word, count] of kept) again.set(word, count);
        expect(again).toEqual(words);
      }
      await expect(runInline(wordCount, { input: kept })).rejects.toThrow(/input of jobs of the same client/);
      await kept.close();
      await expect(run(wordCount, { input: kept })).rejects.toThrow(/closed/);
    });

    test('go to files by name, as CSV, text and gzip', async () => {
      const { run } = await mr();
      const dir = output();
      const job: JobSpec = { map: (n, ctx) => ctx.emitTo(n % 2 ? 'odd' : 'even', n, n * n), reducers: 0 };
      await run(job, { input: from([1, 2, 3], { perSplit: 3 }), output: outputTo(dir, { format: 'csv', gzip: true }) });
      expect(readdirSync(dir).sort()).toEqual(['_SUCCESS', 'even-00000.csv.gz', 'odd-00000.csv.gz']);
      await expect(run(job, { input: from([1]) })).rejects.toThrow(/emitTo\('odd', …\)/);
    });

    test('progress ends where everything is done', async () => {
      const job = (await mr()).run(wordCount, { input: lines(plain), splitSize: 100_000 });
      const seen: any[] = [];
      const told = new Promise<void>((resolve) =>
        job.progress$.subscribe({ next: (p) => seen.push(p), complete: resolve }),
      );
      await job;
      await told;
      const size = Buffer.byteLength(text);
      const [map, reduce] = seen.at(-1).phases;
      expect(map).toMatchObject({ phase: 'map', step: 0, bytes: size, totalBytes: size, tasks: map.done });
      expect(reduce).toMatchObject({ phase: 'reduce', tasks: 3, done: 3 });
      expect(seen.at(-1).left).toBe(0);
    });
  });
}
