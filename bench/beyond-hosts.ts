/** Many machines: what TLS costs, hosts in namespaces, and a thousand engines that only say that they are there. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { cluster, processLauncher } from 'tutti';
import { taskFarm } from 'tutti/paradigms';
import { hosts } from './hosts/main.ts';
import { below, latency, ms, report } from './measure.ts';

const TASKS = 40_000;
const ROUNDS = 5;
const SIMULATED = 1_000;

export async function beyondHosts(): Promise<void> {
  await tlsCost();
  await simulated();
  await hosts();
}

/** The same farm over both, round about. */
async function tlsCost(): Promise<void> {
  const common = { engines: 2, output: 'ignore', log: 'error' } as const;
  const plain = await cluster({ ...common, launcher: { ...processLauncher(), scheme: 'tcp' } });
  const listen = ['tls://127.0.0.1:0'];
  const secret = await cluster({ ...common, listen, launcher: { ...processLauncher(), scheme: 'network' } });
  try {
    const runs = [plain, secret].map((client) => ({ farm: client.use(taskFarm), best: Number.POSITIVE_INFINITY }));
    for (let round = 0; round <= ROUNDS; round++)
      for (const run of runs) {
        const start = performance.now();
        await run.farm.map(Array(TASKS).fill(0), () => 0, { chunk: 1 });
        const each = ((performance.now() - start) * 1e3) / TASKS;
        if (round) run.best = Math.min(run.best, each);
      }
    const [tcp, tls] = runs.map(({ best }) => best) as [number, number];
    report({
      what: 'TLS adds to a no-op task on 2 engines',
      value: `${(tls - tcp).toFixed(1)} µs (${tls.toFixed(1)} instead of ${tcp.toFixed(1)} µs)`,
      goal: below(30, tls - tcp, 'µs'),
    });
  } finally {
    await plain.close();
    await secret.close();
  }
}

/** They join all at once, from one process that is not the controller's. */
async function simulated(): Promise<void> {
  const client = await cluster({ engines: 0, controller: 'process', name: `bench-${process.pid}`, output: 'ignore' });
  let crowd: ChildProcess | undefined;
  try {
    const start = performance.now();
    crowd = fork(fileURLToPath(new URL('./simulated-engines.js', import.meta.url)), [String(SIMULATED)]);
    crowd.send(client.connection);
    await client.waitForEngines(SIMULATED, { timeout: 60_000 });
    report({
      what: `${SIMULATED} simulated engines join at once`,
      value: `${((performance.now() - start) / 1e3).toFixed(1)} s`,
    });
    await new Promise((resolve) => setTimeout(resolve, 3_000)); // with their heartbeats
    const l = await latency(50, () => client.status(), 10);
    report({ what: '… status', value: ms(l), goal: below(100, l.p99, 'ms at p99') });
    const all = await latency(50, () => client.all.execute('1'), 10);
    report({ what: '… execute on all, flat', value: ms(all) });
    const { memory, lag } = (await client.status()).controller;
    report({
      what: '… memory of the controller',
      value: `${(memory / 1e6).toFixed(0)} MB`,
      goal: below(300, memory / 1e6, 'MB'),
    });
    report({ what: '… lag of its event loop', value: `${JSON.stringify(lag)}` });
  } finally {
    if (crowd?.exitCode === null) {
      const gone = once(crowd, 'exit');
      crowd.kill('SIGKILL');
      await gone;
    }
    await client.close();
  }
}
