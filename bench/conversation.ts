/** Talking to what runs: `npm run bench -- conversation`. */
import { type AsyncResult, type Cluster, type ClusterOptions, cluster, type EngineView } from 'tutti';
import { atLeast, below, latency, ms, report, rssOf } from './measure.ts';
import { emptyThread } from './peers.ts';

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export async function conversation(): Promise<void> {
  for (const kind of ['process', 'thread'] as const) {
    await using client = await cluster({ engines: 1, kind });
    const one = client.engine(0);
    await interrupts(kind, one);
    await peeks(kind, one);
  }
  await supervision();
  await memory();
  await output();
}

function spin(): number {
  /** ms of turns in which it stood: an ordinary one takes a tenth of that. */
  let stood = 0;
  let now = performance.now();
  const work = (x: number): number => {
    let sum = 0;
    for (let k = 0; k < 2_000; k++) sum += Math.sqrt(k * x);
    return sum;
  };
  for (let i = 0; ; i++) {
    const before = now;
    if (work(i) < 0) return stood;
    now = performance.now();
    if (now - before > 0.1) stood += now - before;
  }
}

/** Resolves when it is in its loop. */
async function begun(result: AsyncResult<unknown, any>): Promise<void> {
  result.catch(() => {}); // it will be interrupted
  while (result.status === 'pending') await sleep(5);
}

async function interrupts(kind: string, one: EngineView): Promise<void> {
  const rungs = new Map<string, number>();
  const interrupted = async (fn: () => unknown): Promise<number> => {
    const result = one.apply(fn);
    await begun(result);
    const start = performance.now();
    const [outcome] = await result.interrupt();
    rungs.set(outcome!.outcome, (rungs.get(outcome!.outcome) ?? 0) + 1);
    return performance.now() - start;
  };
  const afterAwait = async (): Promise<void> => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    for (let i = 0; ; i++) Math.sqrt(i);
  };
  for (const [what, fn] of [
    ['a hot loop', spin],
    ['a hot loop past an await', afterAwait],
  ] as const) {
    const times: number[] = [];
    for (let i = 0; i < 50; i++) times.push(await interrupted(fn));
    const { p50, p99 } = quantiles(times.slice(5));
    report({
      what: `interrupt of ${what}, ${kind} engine`,
      value: `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms (${[...rungs].map(([how, n]) => `${n} ${how}`).join(', ')})`,
      goal: below(100, p99, 'ms at p99'),
    });
    rungs.clear();
  }
}

async function peeks(kind: string, one: EngineView): Promise<void> {
  const result = one.apply(spin);
  await begun(result);
  const l = await latency(100, async () => {
    await result.peek('stood');
    await sleep(20);
  });
  const own = { p50: l.p50 - 20, p99: l.p99 - 20, mean: l.mean - 20 };
  report({ what: `peek, ${kind} engine`, value: ms(own), goal: below(20, own.p50, 'ms at p50') });
  // Without peeks the machine stops it, too. How many turns it makes tells less: after a peek V8 may compile it better, or worse.
  const standing = async (peeking: boolean): Promise<number> => {
    const [from] = (await result.peek('stood')) as [number];
    const start = performance.now();
    while (performance.now() - start < 1_000) {
      await sleep(100);
      if (peeking) await result.peek('stood');
    }
    const [to] = (await result.peek('stood')) as [number];
    return ((to - from) / (performance.now() - start)) * 100;
  };
  const losses: number[] = [];
  for (let round = 0; round < 7; round++) losses.push((await standing(true)) - (await standing(false)));
  const loss = quantiles(losses).p50;
  report({
    what: `… and what ten a second cost the loop, ${kind} engine`,
    value: `${loss.toFixed(1)} %`,
    goal: below(2, loss, '%'),
  });
  await result.interrupt();
}

/** What it costs a call that an engine can be interrupted: by turns on two clusters, so that both see the same machine. */
async function supervision(): Promise<void> {
  const clients: Cluster[] = [];
  for (const supervised of [true, false]) clients.push(await cluster({ engines: 1, supervised }));
  const noop = (): void => {};
  for (const [what, batch, goal] of [
    ['one at a time', 1, 30],
    ['1,000 under way', 1_000, 1],
  ] as const) {
    const more: number[] = [];
    const base: number[] = [];
    const calls = clients.map((client) => client.engine(0).wrap(noop));
    const run = async (i: number): Promise<number> => {
      const start = performance.now();
      if (batch === 1) for (let n = 0; n < 50; n++) await calls[i]!();
      else await Promise.all(Array.from({ length: batch }, () => calls[i]!()));
      return ((performance.now() - start) * 1e3) / (batch === 1 ? 50 : batch);
    };
    for (let round = 0; round < 60; round++) {
      const [first, second] = round % 2 ? [0, 1] : [1, 0];
      const times: number[] = [];
      times[first] = await run(first);
      times[second] = await run(second);
      if (round < 10) continue;
      more.push(times[0]! - times[1]!);
      base.push(times[1]!);
    }
    const cost = quantiles(more).p50;
    report({
      what: `a no-op apply, ${what}: more for supervision`,
      value: `${cost.toFixed(2)} µs (of ${(quantiles(base).p50 + cost).toFixed(1)})`,
      goal: below(goal, cost, 'µs'),
    });
  }
  for (const client of clients) await client.close();
}

/** Beside engines that start no thread at all: one without a supervisor has another small thread in its place. */
async function memory(): Promise<void> {
  const all: number[] = [];
  const taken: number[] = [];
  for (let round = 0; round < 7; round++) {
    const supervised = await rss({});
    const alone = await rss({ supervised: false, env: { NODE_OPTIONS: `--import=${WITHOUT_WORKERS}` } });
    all.push(supervised);
    taken.push(supervised - alone);
  }
  const { p50 } = quantiles(taken);
  report({
    what: 'memory that the supervisor takes of a process engine',
    value: `${p50.toFixed(1)} MB (of ${quantiles(all).p50.toFixed(1)})`,
    goal: below(12, p50, 'MB'),
    peer: `an empty worker thread ${(await emptyThread()).toFixed(1)} MB`,
  });
}

const WITHOUT_WORKERS = `data:text/javascript,${encodeURIComponent(`
  import workers from 'node:worker_threads';
  import { syncBuiltinESMExports } from 'node:module';
  workers.Worker = class { on() {} unref() {} };
  syncBuiltinESMExports();
`)}`;

/** MB that an engine takes which has just begun. */
async function rss(options: ClusterOptions): Promise<number> {
  await using client = await cluster({ engines: 4, ...options });
  await sleep(500);
  return quantiles(client.engines.map(({ pid }) => rssOf(pid))).p50;
}

async function output(): Promise<void> {
  const LINES = 25_000;
  for (const kind of ['process', 'thread'] as const) {
    await using client = await cluster({ engines: 4, kind });
    let lines = 0;
    const start = performance.now();
    const result = client.all.apply((count: number) => {
      for (let i = 0; i < count; i++) console.log(`line ${i} of some output`);
    }, LINES);
    await new Promise<void>((resolve, reject) =>
      result.stdout$.subscribe({
        next: ({ text }) => {
          lines += text.split('\n').length - 1;
        },
        complete: resolve,
        error: reject,
      }),
    );
    await result;
    const rate = (lines / (performance.now() - start)) * 1e3;
    report({
      what: `${4 * LINES} lines printed on 4 ${kind} engines, ${lines === 4 * LINES ? 'all' : `only ${lines}`} here`,
      value: `${Math.round(rate).toLocaleString('en')} lines/s`,
      goal: atLeast(50_000, rate, 'lines/s'),
    });
  }
}

function quantiles(values: readonly number[]): { p50: number; p99: number } {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (q: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))]!;
  return { p50: at(0.5), p99: at(0.99) };
}
