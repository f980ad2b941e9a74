/** The task farm, with other pools beside it in the same run. */
import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Cluster, cluster } from '../main.ts';
import { type Farm, taskFarm } from '../paradigms/index.ts';
import { atLeast, below, type Latency, latency, report, us } from './measure.ts';
import { forked, workers } from './peers.ts';
import { serially, speech, speeches } from './speech.ts';

const noop = (x: number): number => x;

interface Figures {
  perSecond: number;
  one: Latency;
}

type Run = (x: number) => PromiseLike<unknown>;

/** Rounds until what one task at a time goes through is as fast as it gets. */
const WARMUP = 15_000;

/** 10,000 in flight, and one at a time. */
async function measure(run: Run, tasks = 100_000): Promise<Figures> {
  await lanes(run, 20_000);
  const one = await latency(2_000, (i) => run(i), WARMUP);
  return { perSecond: Math.max(await lanes(run, tasks), await lanes(run, tasks)), one };
}

async function lanes(run: Run, tasks: number): Promise<number> {
  const began = performance.now();
  let next = 0;
  await Promise.all(
    Array.from({ length: 10_000 }, async () => {
      while (next < tasks) await run(next++);
    }),
  );
  return (tasks / (performance.now() - began)) * 1e3;
}

async function withFarm<T>(
  engines: number,
  kind: 'process' | 'thread',
  body: (farm: Farm, c: Cluster) => Promise<T>,
): Promise<T> {
  const c = await cluster({ engines, kind, output: 'ignore' });
  try {
    return await body(c.use(taskFarm), c);
  } finally {
    await c.close();
  }
}

async function peers(): Promise<Map<string, Figures>> {
  const root = path.resolve(
    import.meta.dirname,
    import.meta.dirname.includes(`${path.sep}dist${path.sep}`) ? '../..' : '..',
  );
  const require = createRequire(path.join(root, 'package.json'));
  const folder = mkdtempSync(path.join(tmpdir(), 'tutti-bench-'));
  symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));
  const file = (name: string, text: string): string => {
    const where = path.join(folder, name);
    writeFileSync(where, text);
    return where;
  };
  const noopFile = file('noop.mjs', 'export default (x) => x;\n');
  const found = new Map<string, Figures>();
  const pools: Record<string, () => Promise<[Run, () => unknown]>> = {
    async piscina() {
      const { Piscina } = require('piscina');
      const pool = new Piscina({ filename: noopFile, minThreads: 2, maxThreads: 2 });
      return [(x) => pool.run(x), () => pool.destroy()];
    },
    async tinypool() {
      const { Tinypool } = await import(pathToFileURL(require.resolve('tinypool')).href);
      const pool = new Tinypool({ filename: noopFile, minThreads: 2, maxThreads: 2 });
      return [(x) => pool.run(x), () => pool.destroy()];
    },
    async workerpool() {
      const worker = file('wp.cjs', "require('workerpool').worker({ noop: (x) => x });\n");
      const pool = require('workerpool').pool(worker, { minWorkers: 2, maxWorkers: 2, workerType: 'thread' });
      return [(x) => pool.exec('noop', [x]), () => pool.terminate()];
    },
    async poolifier() {
      const { FixedThreadPool } = require('poolifier');
      const worker = file(
        'pf.mjs',
        "import { ThreadWorker } from 'poolifier'; export default new ThreadWorker((x) => x.v);\n",
      );
      const pool = new FixedThreadPool(2, worker);
      return [(x) => pool.execute({ v: x }), () => pool.destroy()];
    },
  };
  for (const [name, open] of Object.entries(pools)) {
    try {
      const [run, close] = await open();
      found.set(name, await measure(run, 50_000));
      await close();
    } catch (error) {
      console.log(`  ${name}: ${(error as Error).message.split('\n')[0]}`);
    }
  }
  rmSync(folder, { recursive: true, force: true });
  return found;
}

const k = (n: number): string => `${(n / 1e3).toFixed(1)} k/s`;

async function bare(kind: 'thread' | 'process'): Promise<Latency> {
  const peer = await (kind === 'thread' ? workers(1) : forked(1));
  const round = await latency(2_000, () => peer.round(1), WARMUP);
  await peer.close();
  return round;
}

/** The share of the engines' time that was spent in tasks. `before`: so many are run first, until all that tasks go through is compiled. */
async function efficiency(
  farm: Farm,
  engines: number,
  tasks: number,
  work: (n: number) => unknown,
  before = 4 * engines,
): Promise<number> {
  await Promise.all(Array.from({ length: before }, (_, i) => farm.submit(work as never, i as never)));
  const began = performance.now();
  const results = Array.from({ length: tasks }, (_, i) => farm.submit(work as never, i as never));
  await Promise.all(results);
  const wall = performance.now() - began;
  return (100 * results.reduce((sum, { timing }) => sum + timing.serial, 0)) / (engines * wall);
}

/** It makes no garbage, whose collection would be counted as waiting. */
const spin = (): number => {
  const until = performance.now() + 1;
  let x = 0;
  while (performance.now() < until) for (let i = 0; i < 500; i++) x = (x * 31 + i) | 0;
  return x;
};
const sleep = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 100));

export async function farm(): Promise<void> {
  const others = await peers();
  const list = [...others].map(([name, { perSecond, one }]) => `${name} ${k(perSecond)}, ${us(one)}`).join('; ');
  const best = Math.max(...[...others.values()].map(({ perSecond }) => perSecond));
  const piscina = others.get('piscina');
  for (const kind of ['thread', 'process'] as const) {
    const { perSecond, one } = await withFarm(2, kind, (f) => measure((x) => f.submit(noop, x)));
    report({
      what: `no-op tasks, 10,000 in flight, 2 ${kind} engines`,
      value: k(perSecond),
      goal:
        kind === 'thread'
          ? atLeast(Math.round(2 * best), perSecond, '/s (2 × the best)')
          : atLeast(100_000, perSecond, '/s'),
      peer: list,
    });
    const goal = kind === 'thread' ? 1.3e3 * (piscina?.one.p50 ?? 0.08) : 250;
    report({
      what: `no-op task, one at a time, ${kind} engines`,
      value: us(one),
      goal: below(Math.round(goal), one.p50 * 1e3, 'µs'),
      peer: `a bare message to ${kind === 'thread' ? 'a worker' : 'a forked process'} and back ${us(await bare(kind))}`,
    });
  }
  await withFarm(2, 'process', async (f) => {
    const short = await efficiency(f, 2, 2_000, spin, 8_000);
    report({ what: 'efficiency, 1 ms tasks', value: `${short.toFixed(1)} %`, goal: atLeast(95, short, '%') });
    const long = await efficiency(f, 2, 60, sleep);
    report({ what: 'efficiency, 0.1 s tasks', value: `${long.toFixed(1)} %`, goal: atLeast(99.5, long, '%') });
    for (const n of [1e3, 1e4, 1e5]) {
      const began = performance.now();
      await Promise.all(Array.from({ length: n }, (_, i) => f.submit(noop, i)));
      report({
        what: `${n} no-op tasks at once`,
        value: `${((1e3 * (performance.now() - began)) / n).toFixed(1)} µs each`,
      });
    }
    const chain = async (n: number): Promise<number> => {
      const began = performance.now();
      let last = f.submit(noop, 0);
      for (let i = 0; i < n; i++) last = f.submit(noop, last);
      await last;
      return (n / (performance.now() - began)) * 1e3;
    };
    await chain(2_000);
    const links = await chain(5_000);
    report({ what: 'chain of dependent no-ops', value: k(links), goal: atLeast(10_000, links, '/s') });
    const began = performance.now();
    await f.map(
      Array.from({ length: 1e6 }, (_, i) => i),
      noop,
    );
    report({ what: 'map over 1,000,000 numbers', value: `${k(1e6 / ((performance.now() - began) / 1e3))}` });
  });
  await withFarm(32, 'thread', async (f) => {
    const many = await efficiency(f, 32, 32 * 30, sleep);
    report({
      what: 'efficiency, 32 engines, 0.1 s sleeping tasks',
      value: `${many.toFixed(1)} %`,
      goal: atLeast(98, many, '%'),
    });
  });
  await memory();
  await durable();
  await textFunction();
}

/** A million queued tasks behind one that does not end, in a controller with a process of its own. */
async function memory(): Promise<void> {
  const c = await cluster({ engines: 1, controller: 'process', output: 'ignore' });
  const f = c.use(taskFarm);
  const blocker = f.submit(() => new Promise<void>(() => {}));
  blocker.catch(() => {});
  await f.stats();
  const before = (await c.status()).controller.memory;
  const own = process.memoryUsage.rss();
  const n = 1_000_000;
  function* numbers() {
    for (let i = 0; i < n; i++) yield i;
  }
  const map = f.map(numbers(), noop, { chunk: 1, ahead: n });
  map.catch(() => {});
  while ((await f.stats()).queued < n - 10) await new Promise((resolve) => setTimeout(resolve, 200));
  const each = ((await c.status()).controller.memory - before) / n;
  report({
    what: '1,000,000 queued tasks, controller',
    value: `${each.toFixed(0)} bytes each`,
    goal: below(500, each, 'bytes'),
  });
  report({
    what: '… and their client',
    value: `${((process.memoryUsage.rss() - own) / n).toFixed(0)} bytes each (one by one)`,
  });
  map.cancel();
  await c.close();
}

async function durable(): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'tutti-bench-'));
  const c = await cluster({ engines: 2, durable: folder, output: 'ignore' });
  const f = c.use(taskFarm).with({ detached: true });
  const run = async (n: number): Promise<unknown> => {
    await Promise.all(Array.from({ length: n }, (_, i) => f.submit(noop, i)));
    return f.accepted();
  };
  const n = 50_000;
  await run(n); // until all that tasks go through is compiled
  const began = performance.now();
  await run(n);
  const perSecond = (n / (performance.now() - began)) * 1e3;
  report({ what: 'durable tasks', value: k(perSecond), goal: atLeast(20_000, perSecond, '/s') });
  await c.close();
  rmSync(folder, { recursive: true, force: true });
}

async function textFunction(): Promise<void> {
  const { texts, corpus } = speeches();
  const serial = serially(texts, corpus);
  const plain = await plainPair();
  await withFarm(2, 'process', async (f) => {
    const analyse = (text: string) => speech(text, corpus);
    await f.map(texts, analyse);
    const began = performance.now();
    await f.map(texts, analyse);
    const speedup = serial / (performance.now() - began);
    report({
      what: '233 speeches, four times, on 2 engines',
      value: `${speedup.toFixed(2)} × serial`,
      goal: atLeast(1.8, speedup, '×'),
      peer: `two plain processes that have the texts already ${(serial / plain).toFixed(2)} ×`,
    });
  });
}

/** ms that two processes take for one half each. */
async function plainPair(): Promise<number> {
  const pair = [0, 1].map(() => fork(new URL(`./speeches-plain${path.extname(import.meta.url)}`, import.meta.url)));
  const next = (one: ChildProcess): Promise<unknown> => new Promise((resolve) => one.once('message', resolve));
  await Promise.all(pair.map(next));
  const times = pair.map((one, part) => {
    one.send([part, pair.length]);
    return next(one) as Promise<number>;
  });
  const slowest = Math.max(...(await Promise.all(times)));
  for (const one of pair) one.kill();
  return slowest;
}
