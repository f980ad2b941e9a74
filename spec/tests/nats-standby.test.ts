/** A controller that takes over from another one, which was killed, or only stopped. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { switchMap } from 'rxjs';
import { backoff, type Client, type ConnectionInfo, clientService, connect } from 'tutti';
import { taskFarm, tupleSpace } from 'tutti/paradigms';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isRunning, type Running, Terminal } from '../fixtures/cli/terminal.ts';
import { until } from './support/conditions.ts';
import { eventually } from './support/farm.ts';
import { type NatsServer, startNats, withNats } from './support/nats.ts';

let server: NatsServer;
let hosts: Terminal[];
beforeEach(async () => {
  hosts = [];
});
afterEach(async () => {
  for (const host of hosts) await host.close();
  await server?.remove();
});

/** Each controller on a host of its own, as far as connection files tell. */
function host(): Terminal {
  const terminal = new Terminal();
  hosts.push(terminal);
  return terminal;
}

const place = (): string[] => ['--name', 'home', '--listen', server.url(), '--durable', server.url()];

async function active(terminal: Terminal): Promise<Running> {
  const running = terminal.start(['controller', ...place()]);
  await running.until(/is ready/);
  return running;
}

async function standby(terminal: Terminal): Promise<Running> {
  const running = terminal.start(['controller', ...place(), '--standby']);
  await running.until(/Standing by/);
  return running;
}

function connection(terminal: Terminal): ConnectionInfo {
  const info = JSON.parse(readFileSync(path.join(terminal.home, 'home.json'), 'utf8')) as ConnectionInfo;
  return { ...info, urls: info.urls.filter((url) => url.startsWith('nats:')) };
}

async function engines(info: ConnectionInfo, count: number): Promise<void> {
  const terminal = host();
  for (let i = 0; i < count; i++) {
    const env = { TUTTI_ENGINE_TOKEN: info.engineToken! };
    await terminal.start(['engine', '--connect', info.urls[0]!], { env }).until(/joins cluster/);
  }
}

/** As soon as there is a controller. */
async function comeBack(info: ConnectionInfo): Promise<Client> {
  const tried = (): Promise<Client | undefined> => connect(info, { output: 'ignore' }).catch(() => undefined);
  return (await until(tried, (client) => client !== undefined))!;
}

const leaveLine = (file: string, n: number): void => {
  process.getBuiltinModule('node:fs').appendFileSync(file, `${n}\n`);
};
const linesOf = (file: string): string[] => (existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []);

withNats('a standby controller', () => {
  test('finishes what the active one had accepted when it was killed', async () => {
    server = await startNats({ jetstream: true });
    const first = await active(host());
    const info = connection(hosts[0]!);
    const second = await standby(host());
    await engines(info, 2);
    const file = path.join(hosts[0]!.folder, 'lines');
    const client = await connect(info, { output: 'ignore' });
    await client.waitForEngines(2);
    const space = client.use(tupleSpace, { name: 'kept', durable: true });
    await space.out(['answer', 42]);
    const farm = client.use(taskFarm);
    const total = 10_000;
    for (let n = 0; n < total; n++) farm.submit(leaveLine, file, n).catch(() => {});
    await farm.accepted();
    await eventually(() => linesOf(file).length).toBeGreaterThan(total / 10);
    first.child.kill('SIGKILL');
    await second.until(/is ready/);
    // No client asks for it.
    await expect.poll(() => new Set(linesOf(file)).size, { timeout: 60_000, interval: 100 }).toBe(total);
    await client.close().catch(() => {});
    const again = await comeBack(info);
    await again.waitForEngines(2);
    await eventually(async () => await again.use(taskFarm).stats()).toMatchObject({
      waiting: 0,
      queued: 0,
      running: 0,
    });
    expect(new Set(linesOf(file)).size).toBe(total);
    expect(await again.use(tupleSpace, { name: 'kept', durable: true }).take(['answer', 42])).toEqual(['answer', 42]);
    await again.close();
    second.child.kill('SIGINT');
    expect((await second.ended).code).toBe(130);
  }, 120_000);

  test('is the only one when a controller that was stopped goes on', async () => {
    server = await startNats({ jetstream: true });
    const first = await active(host());
    const info = connection(hosts[0]!);
    const second = await standby(host());
    await engines(info, 1);
    const before = await connect(info, { output: 'ignore' });
    await before.waitForEngines(1);
    const pid = (await before.status()).pid;
    first.child.kill('SIGSTOP');
    await second.until(/is ready/);
    const client = await comeBack(info);
    expect((await client.status()).pid).toBe(second.child.pid);
    await client.waitForEngines(1);
    const farm = client.use(taskFarm);
    expect(await farm.map([1, 2, 3], (x: number) => x * 2)).toEqual([2, 4, 6]);
    first.child.kill('SIGCONT');
    expect(await first.ended).toMatchObject({ code: 3, stderr: expect.stringMatching(/another controller/i) });
    expect(isRunning(pid)).toBe(false);
    expect(await farm.map([1, 2, 3], (x: number) => x * 3)).toEqual([3, 6, 9]);
    const newcomer = await connect(info, { output: 'ignore' });
    expect((await newcomer.status()).pid).toBe(second.child.pid);
    for (const one of [newcomer, client, before]) await one.close().catch(() => {});
  }, 120_000);

  test('is found by the service of a client, with what went on meanwhile', async () => {
    server = await startNats({ jetstream: true });
    const first = await active(host());
    const info = connection(hosts[0]!);
    const second = await standby(host());
    await engines(info, 1);
    const service = clientService({
      name: 'home',
      connect: (signal) => connect(info, { output: 'ignore', signal }),
      backoff: backoff({ first: 100, factor: 1, most: 100, jitter: 0 }),
    });
    const sizes: number[] = [];
    const subscription = service.connections$
      .pipe(switchMap(({ engines$ }) => engines$))
      .subscribe(({ length }) => sizes.push(length));
    service.start();
    const before = await service.whenConnected();
    await before.waitForEngines(1);
    const farm = before.use(taskFarm).with({ detached: true });
    const later = (n: number): Promise<number> => new Promise((resolve) => setTimeout(() => resolve(n * 2), 500));
    const accepted = [1, 2, 3, 4].map((n) => farm.submit(later, n));
    const lost = Promise.allSettled([...accepted, before.engine(0).execute('await new Promise(() => {})')]);
    await before.use(taskFarm).accepted();
    first.child.kill('SIGKILL');
    await second.until(/is ready/);
    expect((await before.closed).message).toMatch(/another controller has taken over/);
    const outcomes = await lost;
    for (const one of outcomes)
      if (one.status === 'rejected') expect(one.reason).toMatchObject({ name: 'SessionLostError' });
    expect(outcomes.at(-1)!.status).toBe('rejected');
    const seen = sizes.length;
    const after = await service.whenConnected();
    expect(after).not.toBe(before);
    const open = [1, 2, 3, 4].filter((_, i) => outcomes[i]!.status === 'rejected');
    expect(open.length).toBeGreaterThan(0);
    const values = await Promise.all(open.map((n) => after.use(taskFarm).collect(accepted[n - 1]!.id)));
    expect(values).toEqual(open.map((n) => n * 2));
    await eventually(() => sizes.slice(seen)).toContain(1);
    subscription.unsubscribe();
    await service.stop();
  }, 120_000);

  test('waits until it is told to stop, and takes over at once from one that stops in order', async () => {
    server = await startNats({ jetstream: true });
    const first = await active(host());
    const refused = await host().run(['controller', ...place()]);
    expect(refused).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/belong to the controller on .*--standby/),
    });
    const given = await standby(host());
    given.child.kill('SIGINT');
    expect((await given.ended).code).toBe(130);
    const second = await standby(host());
    first.child.kill('SIGINT');
    await second.until(/is ready/);
    expect(await host().run(['controller', '--standby'])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/--standby takes over what is --durable/),
    });
  });
});
