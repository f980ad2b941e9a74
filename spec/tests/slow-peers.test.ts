/** Peers that are slow, stuck, silent or gone: what is kept for them is bounded, and others do not notice. */
import net from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openClient } from '../../core/client/client.ts';
import { type Host, startHost } from '../../core/controller/host.ts';
import { encode } from '../../core/wire/codec.ts';
import { Kind, pack } from '../../core/wire/envelope.ts';
import { type ClusterEvent, cluster, connect, SessionLostError } from '../../main.ts';
import { RawPeer, whole } from '../fuzz/raw-peer.ts';
import { type CuttableProxy, cuttableProxy } from './cuttable-proxy.ts';
import { blackBox } from './support/black-box.ts';
import { first } from './support/conditions.ts';
import { ownHome, urlOf } from './support/shared.ts';

const MIB = 1 << 20;
/** For what takes as long as the machine needs. */
const SLOW = { timeout: 30_000 };
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const cell = (code: string) => ({ code, url: 'x', declared: [], wrapped: false, async: false, params: [] });

ownHome();

let host: Host;
let box: ReturnType<typeof blackBox>;
let closing: (() => unknown)[];
beforeEach(() => {
  box = blackBox();
  closing = [];
});
afterEach(async () => {
  for (const close of closing.reverse()) await close();
});

async function start(options: Parameters<typeof startHost>[0], engines = 1): Promise<string> {
  host = await startHost({ listen: ['tcp://127.0.0.1:0'], kind: 'thread', log: box.log, ...options });
  closing.push(() => host.stop());
  await host.fleet.add(engines, host.launcher);
  return host.outside.urls[0]!;
}

/** A client that asks and never reads; its record at the controller. */
async function deaf(url: string) {
  const peer = await RawPeer.open(url);
  closing.push(() => peer.destroy());
  const { client } = await peer.shakeHands('client', host.outside.token);
  peer.pause();
  return { peer, record: host.controller.clients.get(client)! };
}

describe('a client that does not read', () => {
  test('is dropped once more waits for it than its limit; the others go on', async () => {
    const url = await start({ limits: { bufferedBytes: 8 * MIB } });
    const { peer, record } = await deaf(url);
    const other = await openClient(host.info, { output: 'ignore' });
    closing.push(() => other.close());
    let most = 0;
    for (let id = 1; host.controller.clients.has(record.id); id++) {
      const header = { kind: Kind.CALL, id, op: 'execute', targets: [0] };
      peer.write(whole(pack(header, [encode([cell(`'x'.repeat(60000)`)])])));
      if (id % 16 === 0) expect(await other.engine(0).execute('1 + 1')).toBe(2);
      await turn();
      most = Math.max(most, record.session.backlog);
    }
    // One reply that takes it over the limit.
    expect(most).toBeLessThan(9 * MIB);
    expect(box.of('client dropped')).toHaveLength(1);
    expect(box.of('client dropped')[0]!.fields).toMatchObject({ client: record.id, remote: peer.remote });
    expect(await other.engine(0).execute('1 + 1')).toBe(2);
  });

  test('gets no more large results than it reads: the others stay on their engines', async () => {
    const url = await start({});
    const { peer, record } = await deaf(url);
    const results = 40;
    for (let id = 1; id <= results; id++) {
      const header = { kind: Kind.CALL, id, op: 'execute', targets: [0] };
      peer.write(whole(pack(header, [encode([cell('new Uint8Array(8 * 2 ** 20)')])])));
    }
    await expect.poll(() => record.account.retainedBytes, SLOW).toBeGreaterThan(results * 8 * MIB);
    for (let id = 1; id <= results; id++)
      peer.write(whole(pack({ kind: Kind.REQUEST, id, op: 'fetch', engine: 0, ids: [id] })));
    await expect.poll(() => record.session.backlog, SLOW).toBeGreaterThan(MIB);
    await expect.poll(() => record.fetches.waiting, SLOW).toBeGreaterThan(results / 2);
    const other = await openClient(host.info, { output: 'ignore' });
    closing.push(() => other.close());
    expect(await other.engine(0).execute('1 + 1')).toBe(2);
    expect(record.session.backlog).toBeLessThan(65 * MIB);
    expect(host.controller.clients.has(record.id)).toBe(true);
  });

  test('and one that reads after all gets every one of them', async () => {
    const url = await start({});
    const client = await connect({ ...host.outside, urls: [url] }, { output: 'ignore' });
    closing.push(() => client.close());
    const results = Array.from({ length: 24 }, (_, i) =>
      client.engine(0).apply((n: number) => new Uint8Array(8 * 2 ** 20).fill(n), i),
    );
    expect((await Promise.all(results)).map((r) => r.at(-1))).toEqual(results.map((_, i) => i));
  });
});

test('diallers that say nothing: only so many at a time, and those who speak get in', async () => {
  const url = await start({ limits: { strangers: 16 } }, 0);
  const { hostname, port } = new URL(url);
  const silent = Array.from({ length: 50 }, () => net.connect(Number(port), hostname).on('error', () => {}));
  closing.push(() => silent.map((socket) => socket.destroy()));
  const open = (): number => silent.filter((socket) => !socket.closed).length;
  await expect.poll(open, SLOW).toBe(16);
  const client = await connect({ ...host.outside, urls: [url] });
  expect((await client.status()).clients).toBe(1);
  await client.close();
  expect(open()).toBe(15); // the client took a place
  await expect.poll(() => box.of('turned a peer away').length, SLOW).toBe(35);
});

test('many who come at once wait in line, and all get in', async () => {
  const url = await start({ limits: { strangers: 4 } }, 0);
  const come = () => connect({ ...host.outside, urls: [url] }, { output: 'ignore' });
  const clients = await Promise.all(Array.from({ length: 60 }, come));
  closing.push(() => Promise.all(clients.map((client) => client.close())));
  expect((await clients[0]!.status()).clients).toBe(60);
});

describe('a connection that is dead and looks open', () => {
  let proxy: CuttableProxy;
  const through = async (options: Parameters<typeof startHost>[0]): Promise<string> => {
    const url = await start(options);
    proxy = await cuttableProxy(() => url);
    closing.push(() => proxy.close());
    return proxy.url;
  };

  test('the controller lets a client go that is silent for its windows', async () => {
    const url = await through({ beat: 50, clientWindow: 200 });
    const watcher = await openClient(host.info, { output: 'ignore' });
    const client = await connect({ ...host.outside, urls: [url] }, { output: 'ignore', window: 100 });
    closing.push(() => watcher.close());
    const id = [...host.controller.clients.keys()].at(-1)!;
    const pending = client.engine(0).apply(() => new Promise(() => {}));
    const left = first(watcher.events$, (e: ClusterEvent) => e.type === 'client-left' && e.client === id);
    proxy.freeze();
    await left;
    expect(host.controller.clients.has(id)).toBe(false);
    proxy.block();
    await expect(pending).rejects.toThrow(SessionLostError);
  });

  test('a client notices it, dials again and goes on where it was', async () => {
    const url = await through({ beat: 50 });
    const client = await connect({ ...host.outside, urls: [url] }, { output: 'ignore', window: 200 });
    closing.push(() => client.close());
    const before = client.engine(0).apply(() => {
      const scope = globalThis as { runs?: number };
      scope.runs = (scope.runs ?? 0) + 1;
      return 'once';
    });
    expect(await before).toBe('once');
    proxy.freeze({ only: 'open ones' });
    const value = client.engine(0).execute('globalThis.runs');
    expect(await value).toBe(1);
    expect(proxy.connections).toBe(2);
  });
});

test('a controller that is stopped for longer than its clients wait for beats: they find it again when it goes on', async () => {
  await using home = await cluster({
    name: `stopped-${process.pid}`,
    engines: 1,
    controller: 'process',
    beat: 50,
    output: 'ignore',
    listen: ['tcp://127.0.0.1:0'],
  });
  const { pid } = await home.status();
  const info = urlOf('tcp')(home);
  const proxy = await cuttableProxy(() => info.urls[0]!);
  closing.push(() => proxy.close());
  const client = await connect({ ...info, urls: [proxy.url] }, { output: 'ignore', window: 200 });
  closing.push(() => client.close());
  expect(await client.engine(0).execute('globalThis.kept = 7')).toBe(7);
  process.kill(pid, 'SIGSTOP');
  try {
    const value = client.engine(0).execute('kept + 1');
    await expect.poll(() => proxy.connections, SLOW).toBeGreaterThan(1);
    process.kill(pid, 'SIGCONT');
    expect(await value).toBe(8);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
});
