/** The tuple space's figures: `npm run bench -- space`. Beside them Redis lists and Rinda, where they are installed. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Client, cluster, connect } from 'tutti';
import { ANY, type TupleSpace, t, tupleSpace } from 'tutti/paradigms';
import { Matcher } from '../paradigms/tuplespace/store/matcher.ts';
import { TupleStore } from '../paradigms/tuplespace/store/tuple-store.ts';
import { bareSocket } from './bare-socket.ts';
import { atLeast, below, latency, report } from './measure.ts';

const PIPELINED = 100_000;
const SEQUENTIAL = 3_000;
/** Code that has not been compiled yet is no part of the figure. */
const WARM_UP = 3_000;

export async function space(): Promise<void> {
  atTheStore();
  resident();
  const redis = await redisPeer();
  const rinda = rindaFigures();
  {
    await using home = await cluster({ engines: 0 });
    const rate = await pipelined(home.use(tupleSpace));
    report({
      what: 'in-process: out and take, pipelined',
      value: perSecond(rate),
      goal: atLeast(200_000, rate, 'ops/s'),
    });
    await fanOut(home);
  }
  await overTcp(redis, rinda);
  redis?.close();
  await durable();
}

function atTheStore(): void {
  const store = new TupleStore();
  const n = 500_000;
  const best = Math.max(
    ...[1, 2, 3].map(() => {
      const start = performance.now();
      for (let i = 0; i < n; i++) {
        store.put(store.entry(['a', i]));
        store.remove(store.find(new Matcher(['a', []]))!);
      }
      return ((2 * n) / (performance.now() - start)) * 1e3;
    }),
  );
  report({ what: 'store: put and take', value: perSecond(best), goal: atLeast(1_000_000, Math.round(best), 'ops/s') });
}

/** Templates are made anew for each search, as they come from clients. */
function resident(): void {
  const costs = [1_000, 1_000_000].map((size) => {
    const before = used();
    const store = new TupleStore();
    for (let i = 0; i < size; i++) store.put(store.entry(['k', i, i * 2]));
    store.find(new Matcher([[], -1, []])); // makes the index
    const bytes = (used() - before) / size;
    const time = (template: (i: number) => any): number => {
      const runs = 50_000;
      const once = (): number => {
        const start = performance.now();
        // The same number of different searches, so that the processor's cache is no part of the comparison.
        for (let i = 0; i < runs; i++) store.find(new Matcher(template((i % 1_000) * (size / 1_000))));
        return ((performance.now() - start) / runs) * 1e3;
      };
      once();
      return Math.min(once(), once(), once());
    };
    return { bytes, field: time((i) => [[], i, []]), range: time((i) => [[], [], ['range', i * 2, i * 2 + 100]]) };
  });
  const [few, many] = costs as [(typeof costs)[0], (typeof costs)[0]];
  for (const kind of ['field', 'range'] as const)
    report({
      what: `1,000,000 tuples: match on an indexed ${kind}`,
      value: `${many[kind].toFixed(2)} µs, with 1,000 tuples ${few[kind].toFixed(2)} µs: ${(many[kind] / few[kind]).toFixed(1)} times`,
      goal: below(2, many[kind] / few[kind], 'times'),
    });
  report({
    what: '1,000,000 tuples: memory of each, with an index',
    value: `${many.bytes.toFixed(0)} B`,
    goal: below(300, many.bytes, 'B'),
  });
}

/** Of the memory that the collector would leave, where it can be asked (`node --expose-gc`). */
function used(): number {
  (globalThis as { gc?: () => void }).gc?.();
  return process.memoryUsage().heapUsed;
}

async function pipelined(space: TupleSpace): Promise<number> {
  let best = 0;
  for (let round = 0; round < 4; round++) {
    const start = performance.now();
    await Promise.all(Array.from({ length: PIPELINED }, (_, i) => space.out(['q', i])));
    await Promise.all(Array.from({ length: PIPELINED }, () => space.take(['q', ANY])));
    best = Math.max(best, ((2 * PIPELINED) / (performance.now() - start)) * 1e3);
  }
  return Math.round(best);
}

async function fanOut(home: Client): Promise<void> {
  const space = home.use(tupleSpace);
  const spent: number[] = [];
  for (let n = 0; n < 20; n++) {
    const waiting = Array.from({ length: 1_000 }, () => space.read(['news', n]));
    await space.info();
    const start = performance.now();
    await space.out(['news', n], { lease: 0 });
    await Promise.all(waiting);
    spent.push(performance.now() - start);
  }
  spent.sort((a, b) => a - b);
  report({
    what: 'read fan-out: one tuple to 1,000 who wait',
    value: `p50 ${spent[10]!.toFixed(1)} ms, best ${spent[0]!.toFixed(1)} ms`,
  });
}

async function overTcp(redis: Peer | undefined, rinda: string | undefined): Promise<void> {
  await using home = await cluster({ engines: 0, controller: 'process', listen: ['tcp://127.0.0.1:0'] });
  const { connection } = home;
  const there = { ...connection, urls: connection.urls.filter((url) => url.startsWith('tcp:')) };
  await using a = await connect(there);
  await using b = await connect(there);
  const [one, other] = [a.use(tupleSpace), b.use(tupleSpace)];
  const answering = (async () => {
    for (let i = 0; ; i++) {
      await other.take(['ping', i]);
      await other.out(['pong', i]);
    }
  })();
  answering.catch(() => {}); // it ends with its client
  let [n, ping] = [0, 0];
  // By turns, since the machine may have other things to do now and then.
  const ours = { pair: [] as number[], round: [] as number[] };
  const theirs = { pair: [] as number[], round: [] as number[] };
  const bare = await bareSocket();
  const bareTimes: number[] = [];
  const pair = async (): Promise<void> => {
    await one.out(['q', n++]);
    await one.take(['q', ANY]);
  };
  const round = async (): Promise<void> => {
    await one.out(['ping', ping]);
    await one.take(['pong', ping++]);
  };
  for (const work of [pair, round, redis?.pair, redis?.round, bare.round])
    for (let i = 0; work && i < WARM_UP; i++) await work();
  for (let turn = 0; turn < 10; turn++) {
    const block = async (times: number[], work: () => Promise<unknown>): Promise<void> => {
      times.push((await latency(SEQUENTIAL / 10, work, 20)).p50 * 1e3);
    };
    await block(ours.pair, pair);
    if (redis) await block(theirs.pair, redis.pair);
    await block(ours.round, round);
    if (redis) await block(theirs.round, redis.round);
    await block(bareTimes, bare.round);
  }
  bare.close();
  const middle = (times: number[]): number => times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)]!;
  const names = { pair: 'tcp: out, then take', round: 'tcp: two clients, ping and pong by waiting takes' };
  for (const kind of ['pair', 'round'] as const) {
    const [us, peer] = [middle(ours[kind]), redis && middle(theirs[kind])];
    const floor = `two bare round trips of Node's sockets ${(2 * middle(bareTimes)).toFixed(0)} µs`;
    const beside = [floor, peer && `Redis ${peer.toFixed(0)} µs`, kind === 'pair' && rinda].filter(Boolean).join(', ');
    report({
      what: names[kind],
      value: `p50 ${us.toFixed(0)} µs`,
      ...(peer && { goal: below(Math.round(peer / 2), us, 'µs') }),
      peer: beside,
    });
  }
  const rate = await pipelined(one);
  report({
    what: 'tcp: out and take, pipelined',
    value: perSecond(rate),
    goal: atLeast(150_000, rate, 'ops/s'),
    ...(redis && { peer: `Redis ${perSecond(redis.rate)}` }),
  });
}

async function durable(): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'tutti-bench-'));
  try {
    {
      await using home = await cluster({ engines: 0, durable: folder });
      const space = home.use(tupleSpace, { durable: true });
      const start = performance.now();
      await Promise.all(Array.from({ length: PIPELINED }, (_, i) => space.out(['d', i])));
      const rate = Math.round((PIPELINED / (performance.now() - start)) * 1e3);
      report({ what: 'durable: out, pipelined', value: perSecond(rate), goal: atLeast(50_000, rate, 'ops/s') });
      for (let i = 1; i < 10; i++)
        await space.outMany(Array.from({ length: PIPELINED }, (_, k) => ['d', i * PIPELINED + k]));
    }
    await using home = await cluster({ engines: 0, durable: folder });
    const start = performance.now();
    const count = await home.use(tupleSpace).count(['d', t.range(0, undefined)]);
    const seconds = (performance.now() - start) / 1e3;
    report({
      what: `durable: recovery of ${count.toLocaleString('en')} tuples`,
      value: `${seconds.toFixed(1)} s`,
      goal: below(10, seconds, 's'),
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

interface Peer {
  readonly pair: () => Promise<unknown>;
  readonly round: () => Promise<unknown>;
  readonly rate: number;
  close(): void;
}

async function redisPeer(): Promise<Peer | undefined> {
  const port = await freePort();
  const server = spawn('redis-server', ['--port', String(port), '--save', '', '--appendonly', 'no'], {
    stdio: 'ignore',
  });
  const failed = new Promise<false>((resolve) => server.once('error', () => resolve(false)));
  if ((await Promise.race([failed, listening(port)])) === false) return undefined;
  const { Redis } = await import('ioredis');
  const [a, b] = [new Redis(port), new Redis(port)];
  let rate = 0;
  for (let k = 0; k < 3; k++) {
    const start = performance.now();
    await Promise.all(Array.from({ length: PIPELINED }, (_, i) => a.lpush('p', i)));
    await Promise.all(Array.from({ length: PIPELINED }, () => a.rpop('p')));
    rate = Math.max(rate, ((2 * PIPELINED) / (performance.now() - start)) * 1e3);
  }
  const answering = (async () => {
    for (;;) await b.lpush('pong', (await b.brpop('ping', 0))![1]);
  })();
  answering.catch(() => {}); // it ends with its connection
  let n = 0;
  const both = async (to: string, from: string): Promise<void> => {
    await a.lpush(to, n++);
    await a.brpop(from, 0);
  };
  return {
    rate: Math.round(rate),
    pair: () => both('q', 'q'),
    round: () => both('ping', 'pong'),
    close() {
      a.disconnect();
      b.disconnect();
      server.kill();
    },
  };
}

/** Over DRb, between two processes. */
function rindaFigures(): string | undefined {
  const script = `
    require 'rinda/tuplespace'; require 'drb'
    if ARGV[0]
      DRb.start_service('druby://127.0.0.1:0', Rinda::TupleSpace.new); puts DRb.uri; $stdout.flush; DRb.thread.join
    else
      server = IO.popen(['ruby', '-e', File.read('/dev/fd/3'), 'server']); uri = server.gets.strip; DRb.start_service('druby://127.0.0.1:0')
      ts = DRbObject.new_with_uri(uri); n = 2000; t = Process.clock_gettime(Process::CLOCK_MONOTONIC)
      n.times { |i| ts.write([:a, i]); ts.take([:a, nil]) }
      puts ((Process.clock_gettime(Process::CLOCK_MONOTONIC) - t) / n * 1e6).round; Process.kill('KILL', server.pid)
    end`;
  const inside = script.replace("File.read('/dev/fd/3')", 'ENV["RINDA"]');
  const { status, stdout } = spawnSync('ruby', ['-e', inside], {
    env: { ...process.env, RINDA: inside },
    encoding: 'utf8',
  });
  return status === 0 ? `Rinda ${stdout.trim()} µs` : undefined;
}

const perSecond = (rate: number): string => `${Math.round(rate).toLocaleString('en')} ops/s`;

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function listening(port: number): Promise<true> {
  for (;;) {
    const there = await new Promise<boolean>((resolve) => {
      const socket = net.connect(port, '127.0.0.1');
      socket.once('connect', () => socket.destroy() && resolve(true)).once('error', () => resolve(false));
    });
    if (there) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
