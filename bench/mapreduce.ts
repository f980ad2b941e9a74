/** MapReduce: word count beside others that count, grep, sort, and what a job costs that has nothing to do. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { type Cluster, cluster } from '../main.ts';
import { from, type JobSpec, lines, mapReduce, outputTo } from '../paradigms/index.ts';
import { Data } from './mapreduce-data.ts';
import { counted } from './mapreduce-peers.ts';
import { atLeast, below, latency, ms, report, rssOf } from './measure.ts';

const wordCount: JobSpec<string, string, number> = {
  map(line, ctx) {
    for (const word of line.split(/\s+/)) if (word) ctx.emit(word, 1);
  },
  combine: sum,
  reduce: sum,
};

function sum(_: string, counts: Iterable<number>): number {
  let total = 0;
  for (const count of counts) total += count;
  return total;
}

/** Of the 25 times 233 speeches. */
const RIGHT = '60473 44872050';

export async function mapReduceBench(): Promise<void> {
  using data = new Data();
  for (const part of [words, grep, sort, straggler, memory, overhead]) await part(data);
}

async function withEngines<T>(
  engines: number,
  body: (c: Cluster) => Promise<T>,
  env: Record<string, string> = {},
): Promise<T> {
  const c = await cluster({ engines, output: 'ignore', env });
  try {
    return await body(c);
  } finally {
    await c.close();
  }
}

async function seconds<T>(work: () => PromiseLike<T>): Promise<{ value: T; took: number }> {
  const began = performance.now();
  const value = await work();
  return { value, took: (performance.now() - began) / 1e3 };
}

async function words(data: Data): Promise<void> {
  const file = data.speeches();
  const { size } = statSync(file);
  const ours = await withEngines(2, async (c) => {
    const { run } = c.use(mapReduce);
    const count = async (): Promise<number> => {
      const { value, took } = await seconds(() => run(wordCount, { input: lines(file) }));
      const total = value.reduce((all, [, n]) => all + n, 0);
      if (`${value.length} ${total}` !== RIGHT) throw new Error(`It counted ${value.length} ${total}, not ${RIGHT}`);
      return took;
    };
    return Math.min(await count(), await count());
  });
  const value = (s: number): string => `${s.toFixed(2)} s, ${(size / 1e6 / s).toFixed(0)} MB/s`;
  const [plain, again] = [counted('node', file), counted('node', file)];
  if (plain?.says !== RIGHT || !again) throw new Error(`The plain loop counted ${plain?.says}`);
  const loop = Math.min(plain.seconds, again.seconds);
  report({
    what: 'word count of 269 MB, 2 engines',
    value: value(ours),
    goal: atLeast(1.8, round(loop / ours), `× the plain loop (${(loop / ours).toFixed(2)})`),
    peer: `a plain loop in Node ${value(loop)}`,
  });
  for (const [who, name, goal] of [
    [
      'mawk',
      'GNU parallel and mawk',
      (ratio: number) => below(1.4, round(1 / ratio), `× its time (${(1 / ratio).toFixed(2)})`),
    ],
    ['multiprocessing', 'Python multiprocessing', undefined],
    ['dask', 'dask.bag', (ratio: number) => atLeast(3, round(ratio), `× (${ratio.toFixed(1)})`)],
  ] as const) {
    const peer = counted(who, file);
    const reached = peer && goal?.(peer.seconds / ours);
    report({
      what: `  beside ${name}`,
      value: peer ? `${value(peer.seconds)}: ${peer.says}` : 'not installed',
      ...(reached && { goal: reached }),
    });
  }
}

async function grep(data: Data): Promise<void> {
  const file = data.flights(500e6);
  const { size } = statSync(file);
  const job: JobSpec<string> = {
    map(line, ctx) {
      if (line.includes('"HNL"')) ctx.emit(undefined, line);
    },
  };
  await withEngines(2, async (c) => {
    const { run } = c.use(mapReduce);
    const grepOnce = () => seconds(() => run(job, { input: lines(file) }));
    await grepOnce();
    const { value, took } = await grepOnce();
    report({
      what: `grep of ${mb(size)} of flight records for a literal, 2 engines`,
      value: `${(size / 1e6 / took).toFixed(0)} MB/s, ${value.length} lines`,
      goal: atLeast(400, size / 1e6 / took, 'MB/s'),
    });
  });
}

async function sort(data: Data): Promise<void> {
  const count = 10_000_000;
  const file = await data.records(count);
  const output = data.file('sorted');
  const temp = data.file('temp');
  const { size } = statSync(file);
  const job: JobSpec<string> = {
    map(line, ctx) {
      const tab = line.indexOf('\t');
      ctx.emit(line.slice(0, tab), line.slice(tab + 1));
    },
    partition: 'range',
    reducers: 8,
  };
  await withEngines(
    2,
    async (c) => {
      let most = 0;
      const watching = setInterval(() => {
        for (const { pid } of c.engines) most = Math.max(most, rssOf(pid) * 1e6);
      }, 100);
      const running = c
        .use(mapReduce)
        .run(job, { input: lines(file), output: outputTo(output, { format: 'text' }), memory: 256e6, temp });
      const { took } = await seconds(() => running);
      clearInterval(watching);
      const left = existsSync(temp) ? readdirSync(temp).length : 0;
      const lost = await disorder(output, count);
      report({
        what: `sort of ${mb(size)} in records of 100 bytes, 256 MB an engine`,
        value: `${(size / 1e6 / took).toFixed(0)} MB/s (${took.toFixed(1)} s), ${lost ?? 'sorted, all there'}; spilled ${mb(running.counters.mapreduce?.['bytes spilled'] ?? 0)}, ${left} temporary files left; an engine had ${mb(most)} at most`,
        goal: atLeast(25, size / 1e6 / took, 'MB/s'),
      });
    },
    { NODE_OPTIONS: '--max-old-space-size=256' },
  );
}

/** What is wrong with the parts, one after the other. */
async function disorder(folder: string, count: number): Promise<string | undefined> {
  let last = '';
  let found = 0;
  for (const name of readdirSync(folder)
    .filter((one) => one.startsWith('part-'))
    .sort()) {
    await using file = await open(path.join(folder, name));
    for await (const line of file.readLines()) {
      const key = line.slice(0, 10);
      if (key < last) return `NOT SORTED at ${key}`;
      last = key;
      found++;
    }
  }
  return found === count ? undefined : `LOST ${count - found} RECORDS`;
}

/** One of four engines is ten times as slow. */
async function straggler(): Promise<void> {
  const job = (speculate: boolean): JobSpec<number, number, number> => ({
    async map(n, ctx) {
      const { engine } = globalThis as unknown as { engine: { id: number } };
      await new Promise((resolve) => setTimeout(resolve, engine.id === 3 ? 2_000 : 200));
      ctx.emit(n % 10, n);
    },
    reduce: sum as never,
    reducers: 1,
    speculate,
  });
  await withEngines(4, async (c) => {
    const { run } = c.use(mapReduce);
    const numbers = from(
      Array.from({ length: 32 }, (_, i) => i),
      { perSplit: 1 },
    );
    const without = await seconds(() => run(job(false), { input: numbers }));
    const speculating = await seconds(() => run(job(true), { input: numbers }));
    const same = JSON.stringify(without.value) === JSON.stringify(speculating.value);
    report({
      what: 'one of four engines ten times as slow, 32 tasks of 0.2 s',
      value: `${speculating.took.toFixed(2)} s with copies, ${without.took.toFixed(2)} s without; ${same ? 'same output' : 'OUTPUT DIFFERS'}`,
    });
  });
}

/** The records never come here: what they are counted by does. */
async function memory(): Promise<void> {
  const job: JobSpec<number, number, number> = {
    map(many, ctx) {
      for (let i = 0; i < many; i++) ctx.emit(i % 1_000, 1);
    },
    reduce: sum as never,
    reducers: 2,
  };
  await withEngines(2, async (c) => {
    const { run } = c.use(mapReduce);
    const peak = async (records: number): Promise<number> => {
      const parts = from(
        Array.from({ length: 10 }, () => records / 10),
        { perSplit: 1 },
      );
      let most = process.memoryUsage().rss;
      const watching = setInterval(() => {
        most = Math.max(most, process.memoryUsage().rss);
      }, 20);
      await run(job, { input: parts });
      clearInterval(watching);
      return most;
    };
    await peak(1e5);
    const few = await peak(1e6);
    const many = await peak(2e7);
    report({
      what: 'client and controller, while 20 million records pass',
      value: `${mb(many)}, and ${mb(few)} with 1 million`,
      goal: below(20, (many - few) / 1e6, 'MB more'),
    });
  });
}

async function overhead(data: Data): Promise<void> {
  const { writeFileSync } = process.getBuiltinModule('node:fs');
  const empty = data.file('empty.txt');
  writeFileSync(empty, '');
  await withEngines(4, async (c) => {
    const { run } = c.use(mapReduce);
    const job = await latency(30, () => run(wordCount, { input: lines(empty) }), 5);
    report({ what: 'a job without input, 4 engines', value: ms(job), goal: below(50, job.p50, 'ms') });
  });
}

const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;
const round = (n: number): number => Math.round(n * 100) / 100;
