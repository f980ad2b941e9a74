/** NATS as a transport and as a store, with NATS itself beside it in the same run. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect as connectNats } from '@nats-io/transport-node';
import { processLauncher } from '../core/launch/process.ts';
import { type Cluster, type ConnectionInfo, cluster, connect } from '../main.ts';
import { taskFarm } from '../paradigms/index.ts';
import { natsStores } from '../transports/nats/index.ts';
import { atLeast, below, type Latency, latency, report, us } from './measure.ts';
import { type BenchServer, natsServer } from './nats-server.ts';

const TASKS = 100_000;
const TOGETHER = 1_000;
const TAKEOVERS = 5;
const TIMES_RAW = 1.5;
const RUNS = 5_000;
/** Code that has not been compiled yet is no part of the figure, on either side. */
const WARM_UP = 5_000;

export async function beyondNats(): Promise<void> {
  const server = await natsServer();
  if (!server) {
    report({ what: 'NATS', value: 'not measured: there is no nats-server here (apt-get install nats-server)' });
    return;
  }
  try {
    const raw = await requestReply(server);
    await withEngines(server, async (c) => {
      await calls(c, raw);
      await farm(c);
    });
    await stores(server);
    await takeover(server);
  } finally {
    await server.remove();
  }
}

/** To a process that answers with what it gets, as an engine does with the argument of a call. */
async function requestReply({ address }: BenchServer): Promise<Latency> {
  const program = `import { connect } from '@nats-io/transport-node';
    const nc = await connect({ servers: '${address}' });
    nc.subscribe('bench.echo', { callback: (_, msg) => msg.respond(msg.data) });
    await nc.flush(); console.log('up');`;
  const cwd = path.dirname(fileURLToPath(import.meta.url));
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    cwd,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout!, 'data');
  const nc = await connectNats({ servers: address });
  const data = new Uint8Array(64);
  const raw = await latency(RUNS, () => nc.request('bench.echo', data), WARM_UP);
  await nc.close();
  child.kill();
  await once(child, 'exit');
  return raw;
}

async function withEngines(server: BenchServer, body: (c: Cluster) => Promise<void>): Promise<void> {
  const url = `nats://${server.address}/bench`;
  const usual = processLauncher();
  const launcher = {
    ...usual,
    launch: (spec: Parameters<typeof usual.launch>[0]) => usual.launch({ ...spec, urls: [url] }),
  };
  const c = await cluster({ engines: 2, launcher, listen: [url], output: 'ignore' });
  try {
    await body(c);
  } finally {
    await c.close();
  }
}

async function calls(c: Cluster, raw: Latency): Promise<void> {
  const engine = c.engine(0);
  const echo = await engine.wrap((x: number) => x);
  const one = await latency(RUNS, (i) => echo(i), WARM_UP);
  const times = one.p50 / raw.p50;
  report({
    what: 'nats: round trip of a call, controller to engine',
    value: `${us(one)}, ${times.toFixed(2)}× raw`,
    goal: { text: `≤ ${TIMES_RAW}× raw`, reached: times <= TIMES_RAW },
    peer: `raw request-reply between two processes: ${us(raw)}`,
  });
}

async function farm(c: Cluster): Promise<void> {
  const tasks = c.use(taskFarm);
  const noop = (x: number): number => x;
  const run = async (count: number): Promise<number> => {
    const began = performance.now();
    let next = 0;
    const lane = async (): Promise<void> => {
      while (next < count) await tasks.submit(noop, next++);
    };
    await Promise.all(Array.from({ length: 10_000 }, lane));
    return (count / (performance.now() - began)) * 1e3;
  };
  await run(20_000);
  const perSecond = Math.round(Math.max(await run(TASKS), await run(TASKS)));
  report({
    what: 'nats: no-op tasks, 2 engines',
    value: `${perSecond.toLocaleString('en')} tasks/s`,
    goal: atLeast(20_000, perSecond, 'tasks/s'),
  });
}

/** A store in JetStream, with JetStream's own publish beside it: both wait until the server has what is written. */
async function stores({ address }: BenchServer): Promise<void> {
  const nc = await connectNats({ servers: address });
  const jsm = await jetstreamManager(nc);
  await jsm.streams.add({ name: 'raw', subjects: ['raw'] });
  const js = jsm.jetstream();
  const value = new Uint8Array(100).fill(7);
  const provider = natsStores(`nats://${address}/stores`);
  const store = await provider.open('bench');
  let n = 0;
  const write = (): Promise<void> => store.write([{ key: `k${n++}`, value }]);
  const publish = (): Promise<unknown> => js.publish('raw', value);
  const [alone, raw] = [await latency(1_000, write), await latency(1_000, publish)];
  report({ what: 'JetStream: one write of 100 B at a time', value: us(alone), peer: `publish: ${us(raw)}` });
  const all = (one: () => Promise<unknown>) => () => Promise.all(Array.from({ length: TOGETHER }, one));
  const [many, rawMany] = [await latency(20, all(write), 5), await latency(20, all(publish), 5)];
  const rate = ({ p50 }: Latency): string => `${Math.round((TOGETHER / p50) * 1e3).toLocaleString('en')}/s`;
  report({ what: `JetStream: ${TOGETHER} writes at once`, value: rate(many), peer: `publish: ${rate(rawMany)}` });
  await provider.close();
  await nc.close();
}

interface Controller {
  readonly child: ChildProcess;
  readonly home: string;
  said(pattern: RegExp): Promise<void>;
}

function controller(server: BenchServer, args: string[]): Controller {
  const home = mkdtempSync(path.join(tmpdir(), 'tutti-bench-'));
  const main = fileURLToPath(new URL('../cli/main.js', import.meta.url));
  const url = `nats://${server.address}/standby`;
  const child = spawn(
    process.execPath,
    [main, 'controller', '--name', 'standby', '--listen', url, '--durable', url, ...args],
    { env: { ...process.env, TUTTI_HOME: home }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let text = '';
  for (const stream of [child.stdout!, child.stderr!])
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
  const said = async (pattern: RegExp): Promise<void> => {
    while (!pattern.test(text)) {
      if (child.exitCode !== null) throw new Error(`The controller ended: ${text}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  return { child, home, said };
}

/** From the kill to the answer of the next controller to a client that looks for it by the cluster's name. */
async function takeover(server: BenchServer): Promise<void> {
  const all: Controller[] = [];
  const start = async (args: string[], pattern: RegExp): Promise<Controller> => {
    const one = controller(server, args);
    all.push(one);
    await one.said(pattern);
    return one;
  };
  let active = await start([], /is ready/);
  const info = JSON.parse(readFileSync(path.join(active.home, 'standby.json'), 'utf8')) as ConnectionInfo;
  const urls = info.urls.filter((url) => url.startsWith('nats:'));
  const times: number[] = [];
  for (let i = 0; i < TAKEOVERS; i++) {
    const next = await start(['--standby'], /Standing by/);
    active.child.kill('SIGKILL');
    const killed = performance.now();
    await answered({ ...info, urls });
    times.push((performance.now() - killed) / 1e3);
    active = next;
  }
  for (const { child, home } of all) {
    child.kill('SIGKILL');
    rmSync(home, { recursive: true, force: true });
  }
  const worst = Math.max(...times);
  report({
    what: `nats: a standby takes over from one that was killed (${TAKEOVERS} times)`,
    value: `${times.map((time) => time.toFixed(1)).join(', ')} s`,
    goal: below(5, worst, 's'),
  });
}

async function answered(info: ConnectionInfo): Promise<void> {
  for (;;) {
    try {
      const client = await connect(info, { output: 'ignore' });
      await client.status();
      await client.close();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
