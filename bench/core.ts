/** The core's figures: `npm run bench -- core`. */
import { readFileSync } from 'node:fs';
import { type ConnectionInfo, cluster, connect, ref, share, transfer } from 'tutti';
import { connectionFile } from '../core/connection-file.ts';
import { deferred } from './deferred.ts';
import { log } from './log.ts';
import { many } from './many.ts';
import { atLeast, below, gigabytes, type Latency, latency, ms, rate, report, rssOf, us } from './measure.ts';
import { forked, workers } from './peers.ts';

const MIB_64 = 64 << 20;
const big = (): Float64Array<ArrayBuffer> => new Float64Array(MIB_64 / 8).fill(1.5);

export async function core(): Promise<void> {
  await deferred();
  await startUp();
  await roundTrips();
  await carriers();
  await calls();
  await pushes();
  await scatterGather();
  await engineToEngine();
  await log();
  await many();
}

async function startUp(): Promise<void> {
  for (const [kind, goal] of [
    ['process', 1_000],
    ['thread', 300],
  ] as const) {
    const made: Awaited<ReturnType<typeof cluster>>[] = [];
    const l = await latency(5, async () => void made.push(await cluster({ engines: 4, kind })), 1);
    if (kind === 'process') {
      const rss = made[0]!.engines.map(({ pid }) => rssOf(pid));
      report({
        what: 'an idle process engine, RSS',
        value: `${Math.max(...rss).toFixed(0)} MB`,
        goal: below(70, Math.max(...rss), 'MB'),
      });
    }
    for (const c of made) await c.close();
    report({ what: `cluster of 4 ${kind} engines ready`, value: ms(l), goal: below(goal, l.p50, 'ms') });
  }
}

async function roundTrips(): Promise<void> {
  const peers = { process: await forked(4), thread: await workers(4) };
  for (const kind of ['process', 'thread'] as const) {
    await using client = await cluster({ engines: 4, kind });
    const l = await latency(2_000, () => client.all.execute('1 + 1'));
    const p = await latency(2_000, () => peers[kind].round(1));
    const goal = kind === 'process' ? { goal: below(1, l.p50, 'ms at p50') } : {};
    report({
      what: `execute on all 4 ${kind} engines, round trip`,
      value: us(l),
      ...goal,
      peer: `bare ${kind === 'process' ? 'fork' : 'worker'} messages ${us(p)}`,
    });
    await peers[kind].close();
  }
}

/** What carries a client's calls: one small call, there and back, beside the same over tcp. */
async function carriers(): Promise<void> {
  const schemes = ['tcp', 'ws', 'tls', 'wss'];
  await using home = await cluster({
    engines: 1,
    kind: 'thread',
    name: `bench-${process.pid}`,
    listen: schemes.map((scheme) => `${scheme}:127.0.0.1:0`),
  });
  const info = JSON.parse(readFileSync(connectionFile(home.name), 'utf8')) as ConnectionInfo;
  const round = async (scheme: string): Promise<Latency> => {
    await using client = await connect({ ...info, urls: info.urls.filter((url) => url.startsWith(`${scheme}:`)) });
    return await latency(3_000, () => client.engine(0).execute('1'));
  };
  await round('tcp'); // or whoever comes first would pay for all
  const tcp = await round('tcp');
  for (const scheme of schemes) {
    const l = scheme === 'tcp' ? tcp : await round(scheme);
    const times = l.p50 / tcp.p50;
    report({
      what: `a small call over ${scheme}, round trip`,
      value: `${us(l)}, ${times.toFixed(2)} times tcp at p50`,
      ...(scheme === 'ws' && { goal: below(2, times, 'times tcp') }),
    });
  }
}

/** What a travelling function adds to a call: beside a call of a function that is there already. */
async function calls(): Promise<void> {
  await using client = await cluster({ engines: 1 });
  const one = client.engine(0);
  await one.execute('var there = (x) => x');
  const there = ref<(x: number) => number>('there');
  const wrapped = one.wrap((x: number) => x);
  const free = (x: number): number => x;
  let k = 0;
  const batch = 500;
  const cost = async (call: (i: number) => PromiseLike<unknown>): Promise<number> => {
    const l = await latency(
      20,
      async () => void (await Promise.all(Array.from({ length: batch }, (_, i) => call(i)))),
      10,
    );
    return (l.p50 * 1e3) / batch;
  };
  const base = await cost((i) => one.apply(there, i));
  const again = await cost((i) => wrapped(i));
  const same = await cost((i) => one.apply(free, i));
  const fresh = await cost((i) => {
    k = i;
    return one.apply((x: number) => x + k, i);
  });
  report({ what: 'a call of a function that is there already', value: `${base.toFixed(1)} µs (${batch} under way)` });
  report({
    what: '… of a wrapped function, more',
    value: `${(again - base).toFixed(1)} µs`,
    goal: below(20, again - base, 'µs'),
  });
  report({
    what: '… of a capture-free function, more',
    value: `${(same - base).toFixed(1)} µs`,
    goal: below(20, same - base, 'µs'),
  });
  report({ what: '… of a fresh closure with one capture, more', value: `${(fresh - base).toFixed(1)} µs` });
}

async function pushes(): Promise<void> {
  const data = big();
  for (const kind of ['process', 'thread'] as const) {
    const peer = kind === 'process' ? await forked(2) : await workers(2);
    await using client = await cluster({ engines: 2, kind });
    const l = await latency(12, () => client.all.push({ data }), 4);
    const p = await latency(6, () => peer.round(data), 2);
    const what = `push 64 MiB to each of 2 ${kind} engines${kind === 'thread' ? ', copying' : ''}`;
    report({
      what,
      value: gigabytes(2 * MIB_64, l),
      goal: atLeast(1.5, rate(2 * MIB_64, l), 'GB/s in all'),
      peer: `${kind === 'process' ? 'fork' : 'worker'} messages ${gigabytes(2 * MIB_64, p)}`,
    });
    if (kind === 'process') {
      await peer.close();
      continue;
    }
    const shared = share(data);
    const s = await latency(50, () => client.all.push({ data: shared }));
    report({ what: '… sharing', value: ms(s), goal: below(1, s.p50, 'ms') });
    const one = client.engine(0);
    const given = Array.from({ length: 24 }, big);
    const t = await latency(10, () => one.push({ data: transfer(given.pop()!) }), 2);
    const raw = await latency(10, () => peer.give!(given.pop()!), 2);
    report({
      what: '… transferring to one',
      value: ms(t),
      goal: below(1, t.p50, 'ms'),
      peer: `worker messages ${ms(raw)}`,
    });
    await peer.close();
  }
}

async function scatterGather(): Promise<void> {
  await using client = await cluster({ engines: 2 });
  const data = big();
  const l = await latency(
    10,
    async () => {
      await client.all.scatter('data', data);
      await client.all.gather('data');
    },
    3,
  );
  report({
    what: 'scatter and gather 64 MiB over 2 process engines',
    value: `${gigabytes(2 * MIB_64, l)} (both ways counted)`,
    goal: atLeast(0.7, rate(2 * MIB_64, l), 'GB/s'),
  });
}

async function engineToEngine(): Promise<void> {
  for (const kind of ['process', 'thread'] as const) {
    await using client = await cluster({ engines: 2, kind });
    await client.engine(0).push({ data: big() });
    const traffic = client.traffic.sent + client.traffic.received;
    const times: number[] = [];
    for (let i = 0; i < 12; i++) {
      const made = client.engine(0).pull<Float64Array>('data');
      await client.engine(0).execute('1'); // first come first served: `made` is there now
      const start = performance.now();
      await client.engine(1).apply((v: Float64Array) => v.length, made);
      times.push(performance.now() - start);
      made.release();
    }
    times.sort((a, b) => a - b);
    const l = { p50: times[6]!, p99: times[11]!, mean: 0 };
    const through = client.traffic.sent + client.traffic.received - traffic;
    const goal = kind === 'process' ? { goal: atLeast(1, rate(MIB_64, l), 'GB/s') } : {};
    report({
      what: `64 MiB from one ${kind} engine to another`,
      value: `${gigabytes(MIB_64, l)}, ${through} B through the client`,
      ...goal,
    });
  }
}
