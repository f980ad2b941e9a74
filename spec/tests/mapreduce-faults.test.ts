/** What goes wrong in jobs: lost engines, stragglers, code that throws, input and output that are not as they should be. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { CancelledError, type Cluster, cluster, NoEnginesError, TimeoutError, UsageError } from 'tutti';
import { from, type JobSpec, lines, mapReduce, OutputExistsError, runInline } from 'tutti/paradigms';
import { describe, expect, test } from 'vitest';
import { outcome } from './support/farm.ts';
import { folderOf, partsOf, speech, wordCount, wordsIn } from './support/mapreduce.ts';
import { shared, using } from './support/shared.ts';

const folder = folderOf('mapreduce-faults');
const text = speech(8);
const words = wordsIn(text);
const input = path.join(folder, 'speeches.txt');
writeFileSync(input, text);
const splitSize = Math.ceil(Buffer.byteLength(text) / 12);
let count = 0;
const fresh = (): string => path.join(folder, `${count++}`);

/** The job, whose map or reduce waits (on each engine that gets there while the file exists) and says so with a file of its own. */
function held(phase: 'map' | 'reduce', gate: string): JobSpec<string, string, number> {
  return {
    ...wordCount,
    async setup(ctx) {
      if (ctx.task.phase !== phase) return;
      const fs = process.getBuiltinModule('node:fs');
      ctx.counter('mine', phase);
      const { engine } = globalThis as any;
      // Not its first task: something of it is there to be lost.
      fs.appendFileSync(`${gate}.${engine.id}`, 'x');
      if (phase === 'map' && fs.readFileSync(`${gate}.${engine.id}`).length < 2) return;
      fs.writeFileSync(`${gate}.${engine.id}.waits`, '');
      while (fs.existsSync(gate)) await new Promise((resolve) => setTimeout(resolve, 5));
    },
    reducers: 4,
  };
}

async function waits(gate: string): Promise<number> {
  for (;;) {
    const name = readdirSync(path.dirname(gate)).find(
      (one) => one.startsWith(`${path.basename(gate)}.`) && one.endsWith('.waits'),
    );
    if (name) return Number(name.split('.').at(-2));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('a lost engine', () => {
  test.each(['map', 'reduce'] as const)(
    'during %s changes nothing: same output, counters not doubled, nothing left',
    async (phase) => {
      const gate = fresh();
      writeFileSync(gate, '');
      const [calm, stormy] = [fresh(), fresh()];
      const temp = fresh();
      mkdirSync(temp);
      await using({ engines: 4, kind: 'process', output: 'ignore' }, async (c: Cluster) => {
        const { run } = c.use(mapReduce);
        const options = { input: lines(input), splitSize, temp, memory: 1 << 20 };
        const job = run(held(phase, gate), { ...options, output: stormy });
        const engine = await waits(gate);
        process.kill(c.engines.find(({ id }) => id === engine)!.pid, 'SIGKILL');
        const { unlinkSync } = process.getBuiltinModule('node:fs');
        unlinkSync(gate);
        await job;
        const undisturbed = run(held(phase, fresh()), { ...options, output: calm });
        await undisturbed;
        expect(job.counters).toEqual({
          ...undisturbed.counters,
          mapreduce: { ...undisturbed.counters.mapreduce, 'bytes from other engines': expect.any(Number) },
        });
      });
      for (const name of partsOf(calm).names)
        expect(readFileSync(path.join(stormy, name)).equals(readFileSync(path.join(calm, name)))).toBe(true);
      expect(new Map(partsOf(stormy).records)).toEqual(words);
      expect([partsOf(stormy).names, readdirSync(temp)]).toEqual([partsOf(calm).names, []]);
    },
  );

  test('takes results with it that are made again when they are read', async () => {
    await using({ engines: 2, kind: 'process', output: 'ignore' }, async (c: Cluster) => {
      const { run } = c.use(mapReduce);
      await using kept = await run({ ...wordCount, reducers: 4 }, { input: lines(input), splitSize, keep: true });
      const { engine } = kept.parts[0]!;
      process.kill(c.engines.find(({ id }) => id === engine)!.pid, 'SIGKILL');
      const counts = new Map<string, number>();
      for await (const [word, n] of kept) counts.set(word, n);
      expect(counts).toEqual(words);
      const sums = await run(
        { map: ([, n]: [string, number], ctx) => ctx.emit(0, n), reduce: wordCount.reduce!, reducers: 1 } as JobSpec,
        { input: kept },
      );
      expect(sums).toEqual([[0, [...words.values()].reduce((a, b) => a + b)]]);
    });
  });
});

describe('a checkpoint', () => {
  /** Two steps, of which the second fails until there is a file. Each map of the first says that it was called. */
  const steps = (calls: string, ready: string): JobSpec[] => [
    {
      ...wordCount,
      setup(ctx) {
        if (ctx.task.phase === 'map') process.getBuiltinModule('node:fs').appendFileSync(calls, 'x');
      },
      reducers: 3,
    },
    {
      map: ([word, n], ctx) => ctx.emit(n, word),
      reduce(n, all, ctx) {
        if (n > 100 && !process.getBuiltinModule('node:fs').existsSync(ready)) throw new Error('not ready');
        ctx.emit(n, [...all].sort());
      },
      partition: 'range',
      reducers: 2,
      attempts: 1,
    },
  ];

  test('lets a job go on where it ended, in another cluster; done, it is gone', async () => {
    const [calls, ready, checkpoint, output] = [fresh(), fresh(), fresh(), fresh()];
    const jobs = steps(calls, ready);
    const options = { input: lines(input), splitSize, output };
    await using({ engines: 2, kind: 'process', output: 'ignore' }, async (c: Cluster) => {
      const failed = c.use(mapReduce).run(jobs, { ...options, checkpoint });
      await expect(failed).rejects.toThrow(/not ready/);
    });
    const before = readFileSync(calls, 'utf8').length;
    expect(before).toBeGreaterThan(10);
    // As a program leaves it that was killed.
    mkdirSync(path.join(output, '_temporary'), { recursive: true });
    writeFileSync(ready, '');
    await using({ engines: 3, kind: 'thread', output: 'ignore' }, async (c: Cluster) => {
      const { run } = c.use(mapReduce);
      await expect(run(jobs, { ...options, splitSize: 2 * splitSize, checkpoint, output: fresh() })).rejects.toThrow(
        /is that of another job, or of this one with other code, options or input/,
      );
      const again = run(jobs, { ...options, checkpoint });
      await again;
      expect([readFileSync(calls, 'utf8').length, existsSync(checkpoint)]).toEqual([before, false]);
      const undisturbed = run(jobs, { ...options, output: fresh() });
      const { output: other } = await undisturbed;
      expect(partsOf(output)).toEqual(partsOf(other));
      const told = ({ 'bytes from other engines': _, 'bytes spilled': __, ...rest }: Record<string, number>) => rest;
      expect(told(again.counters.mapreduce!)).toEqual(told(undisturbed.counters.mapreduce!));
    });
  });

  test('in one process, whole or broken', async () => {
    const [calls, ready, checkpoint] = [fresh(), fresh(), fresh()];
    const jobs = steps(calls, ready);
    const options = { input: lines(input), splitSize, checkpoint };
    await expect(runInline(jobs, options)).rejects.toThrow(/not ready/);
    const broken = readdirSync(checkpoint)
      .filter((name) => name.startsWith('0-'))
      .slice(0, 2);
    for (const name of broken) writeFileSync(path.join(checkpoint, name), 'no runs');
    const before = readFileSync(calls, 'utf8').length;
    writeFileSync(ready, '');
    const counts = await runInline(jobs, options);
    expect(readFileSync(calls, 'utf8').length).toBe(before + 2);
    expect(counts.flatMap(([n, all]) => all.map((word: string) => [word, n])).length).toBe(words.size);
    expect(existsSync(checkpoint)).toBe(false);
    mkdirSync(checkpoint);
    writeFileSync(path.join(checkpoint, 'mine'), '');
    await expect(runInline(jobs, options)).rejects.toThrow(/is not empty: there is mine in it/);
  });
});

test('a copy of a straggler is first, and the output is the same', async () => {
  const gate = fresh();
  writeFileSync(gate, '');
  await using({ engines: 2, kind: 'process', output: 'ignore' }, async (c: Cluster) => {
    const { run } = c.use(mapReduce);
    // The first run of the last task never ends.
    const job: JobSpec = {
      async map(n, ctx) {
        const fs = process.getBuiltinModule('node:fs');
        if (n === 7 && fs.existsSync(gate)) {
          fs.unlinkSync(gate);
          await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve));
        }
        ctx.counter('mine', 'calls');
        ctx.emit(n % 3, n);
      },
      reduce: (_, all) => [...all],
      reducers: 1,
      speculate: true,
    };
    const running = run(job, { input: from([0, 1, 2, 3, 4, 5, 6, 7], { perSplit: 1 }) });
    expect(await running).toEqual([
      [0, [0, 3, 6]],
      [1, [1, 4, 7]],
      [2, [2, 5]],
    ]);
    expect(running.counters.mine).toEqual({ calls: 8 });
  });
});

/** Six megabytes. */
const bulky: JobSpec = {
  map(n, ctx) {
    for (let i = 0; i < 10_000; i++) ctx.emit(`${n} ${i}`, `${i} of`.padEnd(100, `${n}`));
  },
  reducers: 1,
};

/** A disk of two megabytes, where tests may make one. */
function mounted(folder: string): boolean {
  mkdirSync(folder);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', folder], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

describe('on thread engines', () => {
  const open = shared(() => cluster({ engines: 2, kind: 'thread', output: 'ignore' }));
  const running = async () => (await open()).use(mapReduce);
  const numbers = () => from([1, 2, 3, 4, 5, 6], { perSplit: 2 });

  test('attempts are runs in all, and only the last one counts', async () => {
    const file = fresh();
    const job: JobSpec = {
      map(n, ctx) {
        ctx.counter('mine', 'calls');
        ctx.emit(n, ctx.task.attempt);
        const fs = process.getBuiltinModule('node:fs');
        if (n !== 4 || fs.existsSync(file)) return;
        fs.writeFileSync(file, '');
        throw new Error('not yet');
      },
    };
    const done = (await running()).run(job, { input: numbers() });
    expect(await done).toEqual([1, 2, 3, 4, 5, 6].map((n) => [n, n === 3 || n === 4 ? 2 : 1]));
    expect(done.counters.mine).toEqual({ calls: 6 });
  });

  test('a map that throws fails the job, and says where', async () => {
    const job: JobSpec = {
      map(line, ctx) {
        if (line.includes('Union')) throw new TypeError('no unions');
        ctx.emit(line, 1);
      },
      teardown: () => console.log('torn down'),
      attempts: 1,
    };
    const dir = fresh();
    const error = await outcome((await running()).run(job, { input: lines(input), output: dir }));
    expect(error).toMatchObject({
      name: 'MapReduceError',
      message: expect.stringMatching(
        /^map of step 0 failed at record \d+ of task \d+, in .*speeches\.txt: TypeError: no unions$/,
      ),
      cause: { message: 'no unions' },
    });
    expect(existsSync(dir)).toBe(false);
    await expect(runInline(job, { input: lines(input) })).rejects.toThrow(/no unions/);
  });

  test('a reduce that throws names its key', async () => {
    const job: JobSpec = {
      map: (n, ctx) => ctx.emit(`k${n}`, n),
      reduce(key) {
        if (key === 'k3') throw new Error('bad key');
      },
      attempts: 1,
    };
    await expect((await running()).run(job, { input: numbers() })).rejects.toThrow(
      'reduce failed at the key k3: Error: bad key',
    );
  });

  test('bad records are left out, with all that was emitted for them', async () => {
    const job: JobSpec = {
      map(n, ctx) {
        ctx.emit(n, 'first');
        if (n % 2) throw new Error('odd');
        ctx.emit(n, 'second');
      },
      skipBadRecords: true,
    };
    const done = (await running()).run(job, { input: numbers() });
    expect(await done).toEqual(
      [2, 4, 6].flatMap((n) => [
        [n, 'first'],
        [n, 'second'],
      ]),
    );
    expect(done.counters.mapreduce).toMatchObject({ 'records skipped': 3, 'map records in': 6, 'map records out': 6 });
    await expect(
      (await running()).run({ ...job, skipBadRecords: 1, attempts: 1 }, { input: from([1, 3], { perSplit: 2 }) }),
    ).rejects.toThrow(/record 2 of task 0: Error: odd/);
  });

  test.each<[string, JobSpec, RegExp]>([
    [
      'emits what cannot travel',
      { map: (n, ctx) => ctx.emit(n, Symbol('x')) },
      /value that was emitted under the key \d+ cannot travel/,
    ],
    [
      'emits a key without an order',
      { map: (_, ctx) => ctx.emit(new (class Odd {})(), 1), reducers: 2 },
      /A key of class Odd has no order/,
    ],
    [
      'has a comparator that says true or false',
      { map: (n, ctx) => ctx.emit(n, 1), sort: ((a: number, b: number) => a > b) as any },
      /sort\(a, b\) is a number/,
    ],
    [
      'has a comparator that changes its mind',
      { map: (n, ctx) => ctx.emit(n, 1), sort: (() => Math.random() - 0.5) as any, reducers: 1 },
      /did not come in order/,
    ],
    [
      'has a partitioner that leaves the range',
      { map: (n, ctx) => ctx.emit(n, 1), partition: (n) => n, reducers: 2 },
      /partition\(key, 2\) is a whole number from 0 to 1; it was \d+ for the key \d+/,
    ],
    [
      'combines under other keys',
      { ...wordCount, map: (n, ctx) => ctx.emit(1 + (n % 3), 1), combine: (_, __, ctx) => ctx.emit(0, 1) },
      /combine emits under the key that it is given/,
    ],
    [
      'combines asynchronously',
      { ...wordCount, map: (_, ctx) => ctx.emit(0, 1), combine: async () => 1 },
      /a combiner is synchronous/,
    ],
    ['counts in fractions', { map: (_, ctx) => ctx.counter('a', 'b', 0.5) }, /counts by whole numbers; got 0.5/],
  ])('a job that %s is told so', async (_, job, message) => {
    const many = from(
      Array.from({ length: 300 }, (_, i) => i + 1),
      { perSplit: 100 },
    );
    await expect((await running()).run({ ...job, attempts: 1 }, { input: many })).rejects.toThrow(message);
  });

  test.each<[string, any, any, RegExp]>([
    ['no reducers for its reduce', { ...wordCount, reducers: 0 }, {}, /0 reducers, and something for them to do/],
    ['a part that does not exist', { mapp: () => {} }, {}, /has no 'mapp'; it has: map, combine/],
    ['parts that are none', { map: 1 }, {}, /map is a function; got 1/],
    ['no steps', [], {}, /there is none in the list/],
    [
      'groups without a partitioner',
      { reduce: () => {}, group: () => 0, reducers: 2 },
      {},
      /has group, and needs partition/,
    ],
    ['a combiner for nobody', { map: () => {}, combine: () => 1 }, {}, /no reduce for what it makes/],
    ['two ways for its results', wordCount, { keep: true, output: 'x' }, /give one of them/],
    ['no input', wordCount, { input: undefined }, /needs \{ input \}/],
    ['input of another kind', wordCount, { input: 'a.txt' }, /input is lines\(…\)/],
    ['too little memory', wordCount, { memory: 5 }, /memory is a number of bytes, 1048576 or more/],
    ['options that do not exist', wordCount, { inptu: 1 }, /has no 'inptu'/],
  ])('%s: refused at once', async (_, job, options, message) => {
    const { run } = await running();
    expect(() => run(job, { input: lines(input), ...options })).toThrow(UsageError);
    expect(() => run(job, { input: lines(input), ...options })).toThrow(message);
  });

  test('files that are not there, and a folder with something in it', async () => {
    const { run } = await running();
    const dir = fresh();
    mkdirSync(dir);
    writeFileSync(path.join(dir, 'mine'), '');
    await expect(run(wordCount, { input: lines(input), output: dir })).rejects.toThrow(OutputExistsError);
    expect(readdirSync(dir)).toEqual(['mine']);
    await expect(run(wordCount, { input: lines(path.join(folder, 'no-such-*')) })).rejects.toMatchObject({
      code: 'INPUT',
    });
    const output = fresh();
    await expect(run(wordCount, { input: lines(path.join(folder, 'no-such-*')), output })).rejects.toThrow(/no-such/);
    expect(existsSync(output)).toBe(false);
  });

  test('a folder for temporary files that cannot be written to', async () => {
    const temp = path.join(input, 'none');
    await expect((await running()).run(bulky, { input: numbers(), temp, memory: 1 << 20 })).rejects.toThrow(
      /Cannot make a temporary file in .*none: /,
    );
  });

  test('a disk that is full fails the job, and is empty again', async ({ skip }) => {
    const { run } = await running();
    const tiny = fresh();
    if (!mounted(tiny)) skip('No disk of its own can be made here');
    try {
      await expect(run(bulky, { input: numbers(), temp: tiny, memory: 1 << 20 })).rejects.toThrow(
        /Cannot write a temporary file in .*: the disk is full; free some space, or name another folder/,
      );
      expect(readdirSync(tiny)).toEqual([]);
      expect(await run({ map: (n, ctx) => ctx.emit(n, 1) }, { input: numbers(), temp: tiny })).toHaveLength(6);
    } finally {
      execFileSync('umount', [tiny]);
    }
  });

  test('cancelled, it ends, and leaves nothing', async () => {
    const output = fresh();
    const temp = fresh();
    const job = (await running()).run(
      {
        map: async (n: number, ctx) => {
          await new Promise((resolve) => setTimeout(resolve, 5));
          ctx.emit(n, 1);
        },
        reducers: 1,
      },
      { input: from(Array.from({ length: 10_000 }, (_, i) => i)), output, temp },
    );
    const failed = outcome(job);
    await new Promise((resolve) => job.progress$.subscribe(({ phases }) => phases[0]!.bytes && resolve(0)));
    await job.cancel('enough');
    expect(await failed).toBeInstanceOf(CancelledError);
    expect(await failed).toMatchObject({ message: expect.stringContaining('enough') });
    expect([existsSync(output), existsSync(temp) ? readdirSync(temp) : []]).toEqual([false, []]);
    const controller = new AbortController();
    const aborted = (await running()).run(wordCount, { input: lines(input), signal: controller.signal });
    controller.abort(new Error('mine'));
    await expect(aborted).rejects.toThrow('mine');
    const endless: JobSpec = { map: () => new Promise(() => {}) };
    await expect((await running()).run(endless, { input: from([1]), timeout: 50 })).rejects.toThrow(TimeoutError);
    await using none = await cluster({ engines: 0 });
    expect(() => none.use(mapReduce).run(endless, { input: from([1]) })).toThrow(NoEnginesError);
  });

  test('a key with a million values passes through little memory, and so does a sort', async () => {
    const many = 1_000_000;
    const temp = fresh();
    const job: JobSpec = {
      map: (from, ctx) => {
        for (let i = 0; i < 250_000; i++) ctx.emit('one', from + i);
      },
      async reduce(_, values) {
        let [sum, count] = [0, 0];
        for (const n of values) [sum, count] = [sum + n, count + 1];
        for await (const n of values) sum -= n;
        return [sum, count];
      },
      reducers: 1,
    };
    const starts = from([0, 250_000, 500_000, 750_000], { perSplit: 1 });
    const done = (await running()).run(job, { input: starts, memory: 2 << 20, temp });
    expect(await done).toEqual([['one', [0, many]]]);
    expect(done.counters.mapreduce!['bytes spilled']).toBeGreaterThan(1e6);
    expect(readdirSync(temp)).toEqual([]);
  });
});
