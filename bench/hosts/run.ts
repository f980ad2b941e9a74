/**
 * What is run in the namespace of the controller, with an engine on each host. Its arguments: tasks of each host, and the
 * namespaces of the hub and of the hosts.
 */
import { execFileSync } from 'node:child_process';
import type { Socket } from 'node:net';
import { type Cluster, cluster, processLauncher } from 'tutti';
import { taskFarm } from 'tutti/paradigms';
import { atLeast, below, latency, ms, report } from '../measure.ts';
import { alone, cpuOf, ownCpu } from '../processor-time.ts';
import { bareFloor } from './bare.ts';
import { delayedPart } from './delayed.ts';
import { namespaceLauncher } from './launcher.ts';
import { mapReducePart } from './shuffle.ts';

const ROUNDS = 100;
/** Tasks for each host before those that are measured. */
const WARMUP = 10;
/** Hosts of those that are also tried at the far end of slow links. */
const FAR_AWAY = 8;
/** ms. */
const TASK = 100;

// Whatever ends the program that has made the network, this does not go on in what is left of it.
(process.stdin as Socket)
  .on('end', () => process.exit(1))
  .resume()
  .unref();

const [tasksGiven, hub, ...hosts] = process.argv.slice(2) as [string, string, ...string[]];
/** Of each host. */
const TASKS = Number(tasksGiven);
/** ms after which a third of the hosts is cut off, and for how long. */
const CUT = { after: 20 * TASKS, during: 50 * TASKS };
const floor = await bareFloor(hosts, TASKS, TASK);
const bare = `bare processes with a socket, a timer a task`;
const begun = performance.now();
const client = await cluster({
  launcher: namespaceLauncher(hosts),
  listen: ['tls://10.77.0.1:7777'],
  log: 'error',
  output: 'ignore',
});
try {
  const ready = (performance.now() - begun) / 1e3;
  report({
    what: `${hosts.length} hosts join over TLS`,
    value: `${ready.toFixed(1)} s${alone(used() / 1e3, 's')}`,
    goal: below(30, ready, 's'),
    peer: `${bare}: ${floor.join.toFixed(1)} s${alone(floor.joinCpu / 1e3, 's')}`,
  });
  const names = new Set(client.engines.map(({ host }) => host));
  if (names.size !== hosts.length) throw new Error(`Engines say that they are on ${names.size} hosts`);
  await inOrder(client);
  await latency(20, () => client.all.execute('engine.id'), 0);
  const before = used();
  const l = await latency(ROUNDS, () => client.all.execute('engine.id'), 0);
  const each = (used() - before) / ROUNDS;
  report({
    what: '… execute on all',
    value: `${ms(l)}${alone(each, 'ms')}`,
    goal: below(60, l.p50, 'ms at p50'),
    peer: ms(floor.roundTrip),
  });
  await betweenHosts(client);
  // As with calls before: what the first tasks bring to an engine, code above all, is no part of the others.
  await client.use(taskFarm).map(Array(WARMUP * hosts.length).fill(0), () => 0, { chunk: 1 });
  const usedBefore = used();
  const undisturbed = await farm(client);
  report({
    what: `… ${hosts.length * TASKS} tasks of 0.1 s: efficiency`,
    value: `${(undisturbed * 100).toFixed(1)} %${alone((used() - usedBefore) / 1e3, 's')}`,
    goal: atLeast(95, undisturbed * 100, '%'),
    peer: `${(floor.efficiency * 100).toFixed(1)} %${alone(floor.tasksCpu / 1e3, 's')}`,
  });
  const third = hosts.flatMap((_, i) => (i % 3 === 0 ? [i] : []));
  const disturbed = await farm(client, async () => {
    set(third, 'down');
    await pause(CUT.during);
    set(third, 'up');
  });
  report({
    what: `… the same, ${third.length} hosts cut off for ${CUT.during / 1e3} s in the middle`,
    value: `${(disturbed * 100).toFixed(1)} %, right answer, nothing lost`,
  });
  const returning = performance.now();
  await client.waitForEngines(hosts.length, { timeout: 120_000 });
  report({ what: '… all of them back after', value: `${((performance.now() - returning) / 1e3).toFixed(1)} s` });
  await inOrder(client);
  await mapReducePart(client);
} finally {
  await client.close();
}
await delayedPart(hosts.slice(0, FAR_AWAY), hub);

/** ms of processor time, of this process and all engines. */
function used(): number {
  return ownCpu() + client.engines.map(({ pid }) => cpuOf(pid)).reduce((a, b) => a + b, 0);
}

async function inOrder({ all }: Cluster): Promise<void> {
  const ids = await all.execute('engine.id');
  if (ids.length !== hosts.length || ids.some((id, i) => id !== i))
    throw new Error(`Execute on all returned ${ids.length} values: ${ids}`);
}

/** Values go from one host to another, also from and to that of the controller, and not by the controller. */
async function betweenHosts(c: Cluster): Promise<void> {
  const [local] = await c.add(1, processLauncher());
  for (const [from, to] of [
    [local!, 0],
    [0, local!],
  ] as const) {
    const made = c.engine(from).apply((n: number) => new Uint8Array(n).fill(2), 100_000);
    const sum = await c.engine(to).apply((bytes: Uint8Array) => bytes.reduce((a, b) => a + b, 0), made);
    if (sum !== 200_000) throw new Error(`A value from engine ${from} to ${to} became ${sum}`);
  }
  await c.remove([local!]);
  const size = 8 << 20;
  const made = c.engine(0).apply((n: number) => new Uint8Array(n).fill(1), size);
  await c.engine(0).execute('"it is made"');
  const { sent, received } = c.traffic;
  const start = performance.now();
  const sum = await c.engine(1).apply((bytes: Uint8Array) => bytes.reduce((a, b) => a + b, 0), made);
  if (sum !== size) throw new Error(`8 MiB became ${sum}`);
  const through = c.traffic.received + c.traffic.sent - sent - received;
  if (through > size / 8) throw new Error(`${through} B of it went by the client`);
  report({
    what: '… 8 MiB from one host straight to another',
    value: `${(performance.now() - start).toFixed(0)} ms, ${through} B of it by the client`,
  });
}

/** How much of the engines' time was spent in tasks, had there been all of them all the time. */
async function farm(c: Cluster, meanwhile?: () => Promise<void>): Promise<number> {
  const count = hosts.length * TASKS;
  const tasks = c.use(taskFarm);
  const start = performance.now();
  const work = tasks.with({ attempts: 5 }).map(
    Array.from({ length: count }, (_, i) => i),
    async (i: number) => {
      await new Promise((resolve) => setTimeout(resolve, TASK));
      return i * i;
    },
    { chunk: 1 },
  );
  const disturbance = pause(CUT.after).then(meanwhile);
  const values = await work;
  const wall = performance.now() - start;
  await disturbance;
  if (values.length !== count || values.some((value, i) => value !== i * i))
    throw new Error('A task was lost, or is wrong');
  return (count * TASK) / hosts.length / wall;
}

function set(numbers: readonly number[], state: 'down' | 'up'): void {
  const commands = numbers.map((i) => `link set link${i + 1} ${state}`);
  execFileSync('ip', ['-n', hub, '-batch', '-'], { input: `${commands.join('\n')}\n` });
}

function pause(duration: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, duration));
}
