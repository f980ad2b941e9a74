/** Connections by way of NATS while something goes wrong: a packet, a peer, a server. */
import { connect as connectNats } from '@nats-io/transport-node';
import { type Cluster, cluster, connect } from 'tutti';
import { taskFarm } from 'tutti/paradigms';
import { afterEach, expect, test } from 'vitest';
import { processLauncher } from '../../core/launch/process.ts';
import { type CloseReason, type Connection, dial, listen } from '../../core/wire/transport.ts';
import '../../transports/builtin.ts';
import { Packet } from '../../transports/nats/packets.ts';
import { eventually } from './support/farm.ts';
import { type NatsServer, natsCluster, overNats, sharedNats, startNats, withNats } from './support/nats.ts';

const servers: NatsServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.remove();
});
async function ownServer(options = {}): Promise<NatsServer> {
  const server = await startNats(options);
  servers.push(server);
  return server;
}

/** Both ends of a connection, and how they ended. */
async function pair(url: string) {
  const reasons: CloseReason[] = [];
  const watch = (connection: Connection): void =>
    connection.receive({ message() {}, close: (reason) => reasons.push(reason) });
  const listener = await listen(url, watch);
  const near = await dial(url);
  watch(near);
  return { near, listener, reasons };
}

const slowly = (x: number): Promise<number> => new Promise((resolve) => setTimeout(() => resolve(x * 2), 1_500));

withNats('a NATS server', () => {
  const shared = sharedNats();

  test.each([
    ['a packet', Packet.DATA],
    ['the last packet before a silence', Packet.PROBE],
  ])('loses %s: both ends see a cut, and nothing is delivered out of its place', async (_, type) => {
    const nc = await connectNats({ servers: shared().address });
    const ends = new Set<string>();
    nc.subscribe('tutti.to.*.*', { callback: (_, { subject }) => void ends.add(subject) });
    await nc.flush();
    const { near, listener, reasons } = await pair(shared().url(`gap${type}`));
    near.send([new Uint8Array(10)]);
    await eventually(() => ends.size).toBeGreaterThan(1);
    const packet = Buffer.alloc(type === Packet.DATA ? 20 : 5);
    packet[0] = type;
    packet.writeUInt32LE(7, 1);
    for (const end of ends) nc.publish(end, packet);
    await eventually(() => reasons.map(({ code }) => code)).toEqual(['lost', 'lost']);
    expect(reasons.map(({ message }) => message).join()).toMatch(/was lost on its way through NATS/);
    await listener.close();
    await nc.close();
  });

  test('carries more than it lets pile up for a reader that does not read', async () => {
    const received: number[] = [];
    const connections: Connection[] = [];
    const listener = await listen(shared().url('slow'), (connection) => {
      connections.push(connection);
      connection.allowLarge();
      connection.receive({ message: ([part]) => received.push(part!.length), close() {} });
      connection.pause();
    });
    const near = await dial(shared().url('slow'));
    near.receive({ message() {}, close() {} });
    for (let i = 0; i < 100; i++) near.send([new Uint8Array(1_000_000)]);
    await eventually(() => near.bufferedAmount).toBeLessThan(99_000_000);
    connections[0]!.resume();
    await eventually(() => received.length).toBe(100);
    await near.close();
    await listener.close();
  });

  test('notices that a process is gone, and tells the other end', async () => {
    await using home = await cluster({ engines: 0, output: 'ignore', listen: [shared().url('gone')] });
    const { urls, engineToken } = home.connection;
    const engine = processLauncher({ kind: 'external' }).launch({
      ...{ id: -1, urls: [...urls].filter((url) => url.startsWith('nats:')), token: engineToken!, litter: [] },
      ...{ cwd: process.cwd(), env: {}, beat: 1_000, supervised: true },
    });
    await home.waitForEngines(1);
    expect(home.engines[0]!.transport).toBe('nats');
    engine.kill();
    await eventually(() => home.engines[0]!.state).toMatch(/disconnected|lost/);
    await eventually(() => home.engines[0]!.state).toBe('lost');
  });
});

async function atWork(url: string): Promise<{ home: Cluster; guest: Awaited<ReturnType<typeof connect>> }> {
  const home = await cluster({ engines: 2, launcher: overNats(() => url), output: 'ignore', listen: [url] });
  const guest = await connect({ ...home.connection, urls: [url] }, { output: 'ignore' });
  return { home, guest };
}

withNats('a NATS server that goes away', () => {
  test('and stays away: who waits is told why, and all of it can be stopped', async () => {
    const server = await ownServer({ jetstream: true });
    const url = server.url();
    const home = await cluster({ engines: 0, output: 'ignore', listen: [url], durable: url, log: 'silent' });
    const guest = await connect({ ...home.connection, urls: [url] }, { output: 'ignore', window: 300 });
    await server.end();
    await expect(guest.status()).rejects.toMatchObject({
      code: 'SESSION_LOST',
      message: expect.stringMatching(/NATS/),
    });
    await guest.close();
    await home.close().catch(() => {}); // what could not be written any more
  });

  test('and comes back: what was pending is answered, once', async () => {
    const server = await ownServer();
    const { home, guest } = await atWork(server.url());
    await guest.all.execute('let runs = 0');
    const pending = guest.all.apply(async (wait: (x: number) => Promise<number>) => {
      (globalThis as any).runs++;
      return wait(21);
    }, slowly);
    await eventually(async () => (await guest.tasks()).filter(({ state }) => state === 'running').length).toBe(2);
    await server.end();
    await server.again();
    expect(await pending).toEqual([42, 42]);
    expect(await guest.all.pull('runs')).toEqual([1, 1]);
    await guest.close();
    await home.close();
  });
});

withNats('three NATS servers', () => {
  test('one of which is killed: a farm goes on', async () => {
    const three = await natsCluster();
    servers.push(...three);
    const list = three.map(({ address }) => address).join();
    const { home, guest } = await atWork(`${three[0]!.url('three')}?servers=${list}`);
    const farm = guest.use(taskFarm);
    const mapped = farm.map(
      Array.from({ length: 400 }, (_, i) => i),
      (x: number) => new Promise<number>((resolve) => setTimeout(() => resolve(x + 1), 10)),
    );
    let done = 0;
    mapped.progress$.subscribe((progress) => (done = progress.done));
    const all = mapped.then((values) => values); // a map is lazy
    await eventually(() => done).toBeGreaterThan(40);
    await three[1]!.end();
    expect(await all).toEqual(Array.from({ length: 400 }, (_, i) => i + 1));
    expect(await guest.all.apply((a: number) => a, 1)).toEqual([1, 1]);
    await guest.close();
    await home.close();
  });

  test('one of which is about to stop: connections move on before it does', async () => {
    const three = await natsCluster({ config: 'lame_duck_duration: "30s", lame_duck_grace_period: "10s"' });
    servers.push(...three);
    const { listener, reasons, near } = await pair(three[0]!.url('duck'));
    three[0]!.child.kill('SIGUSR2');
    await eventually(() => reasons.length).toBe(2);
    expect(reasons.map(({ message }) => message).join()).toMatch(/about to stop/);
    await eventually(() =>
      dial(three[0]!.url('duck')).then(
        async (again) => again.close(),
        () => 'not yet',
      ),
    ).toBe(undefined);
    await near.close();
    await listener.close();
  });
});
