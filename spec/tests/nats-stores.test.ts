/** Stores in JetStream: of two owners at a time, with a server that goes away, and after much has been replaced. */

import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { afterEach, expect, test } from 'vitest';
import { type Store, StoreError, StoreFullError, type StoreProvider } from '../../main.ts';
import { natsStores } from '../../transports/nats/index.ts';
import { type NatsServer, natsCluster, startNats, withNats } from './support/nats.ts';

const providers: StoreProvider[] = [];
const servers: NatsServer[] = [];
afterEach(async () => {
  for (const provider of providers.splice(0)) await provider.close();
  for (const server of servers.splice(0)) await server.remove();
});
async function own(options = {}): Promise<NatsServer> {
  const server = await startNats({ jetstream: true, ...options });
  servers.push(server);
  return server;
}
function stores(url: string): StoreProvider {
  const provider = natsStores(url);
  providers.push(provider);
  return provider;
}
const put = (key: string, value: string | Uint8Array) => ({ key, value: Buffer.from(value) });
async function listed(store: Store): Promise<string[]> {
  const all: string[] = [];
  for await (const [key, value] of store.entries()) all.push(`${key}=${Buffer.from(value)}`);
  return all;
}

withNats('stores in JetStream', () => {
  test('writes wait for a server that is away, and happen once', async () => {
    const server = await own();
    const provider = stores(server.url());
    const store = await provider.open('one');
    await store.write([put('a', '1')]);
    await server.end();
    const pending = Promise.all(Array.from({ length: 10 }, (_, i) => store.write([put(`k${i}`, `${i}`)])));
    await server.again();
    await pending;
    expect(await listed(store)).toEqual(['a=1', ...Array.from({ length: 10 }, (_, i) => `k${i}=${i}`)]);
    await provider.close();
    expect((await listed(await stores(server.url()).open('one'))).length).toBe(11);
  });

  test('who comes too late writes nothing any more', async () => {
    const server = await own();
    const provider = stores(server.url());
    const store = await provider.open('one');
    await store.write([put('a', '1')]);
    // What a successor does first, whoever has the lease: it appends something.
    const nc = await connect({ servers: server.address });
    await nc.request('tutti.store.home', Buffer.of(1, 3));
    await expect(store.write([put('a', '2')])).rejects.toThrow(/Another controller writes/);
    await expect(store.write([put('a', '3')])).rejects.toThrow(StoreError);
    expect((await provider.tenure!.lost).message).toMatch(/Another controller/);
    expect(provider.tenure!.valid()).toBe(false);
    await nc.close();
    await provider.close();
    expect(await listed(await stores(server.url()).open('one'))).toEqual(['a=1']);
  });

  test('the stream stays small, whatever is replaced, and iterations keep what they have seen', async () => {
    const server = await own();
    const provider = stores(server.url());
    const store = await provider.open('one');
    const large = new Uint8Array(700_000);
    await store.write([put('first', 'kept'), put('large', large.fill(1))]);
    const seen = store.entries()[Symbol.asyncIterator]();
    await seen.next();
    for (let round = 2; round < 60; round++)
      await store.write([put('large', large.fill(round)), put(`r${round % 3}`, `${round}`)]);
    const { value } = await seen.next();
    expect([value[0], value[1][0]]).toEqual(['large', 1]);
    await seen.return?.();
    await store.write([put('last', 'x')]);
    const nc = await connect({ servers: server.address });
    const jsm = await jetstreamManager(nc);
    const { state } = await jsm.streams.info('TUTTI_home');
    expect(state.bytes).toBeLessThan(20_000_000);
    await nc.close();
    await provider.close();
    const again = await stores(server.url()).open('one');
    expect(Buffer.from((await again.get('first'))!).toString()).toBe('kept');
    expect((await again.get('large'))![5]).toBe(59);
    expect((await listed(again)).filter((entry) => entry.startsWith('r'))).toEqual(['r0=57', 'r1=58', 'r2=59']);
  });

  test('no room: the write is refused, and later ones are not', async () => {
    const server = await own({ jetstream: 'max_file: 4194304' });
    const provider = stores(server.url());
    const store = await provider.open('one');
    await store.write([put('a', '1')]);
    await expect(store.write([put('large', new Uint8Array(8_000_000))])).rejects.toThrow(StoreFullError);
    await store.write([put('b', '2')]);
    expect(await listed(store)).toEqual(['a=1', 'b=2']);
    await provider.close();
    expect(await listed(await stores(server.url()).open('one'))).toEqual(['a=1', 'b=2']);
  });

  test('on three servers, one of which is killed', async () => {
    const three = await natsCluster({ jetstream: true });
    servers.push(...three);
    const list = three.map(({ address }) => address).join();
    const provider = stores(`${three[0]!.url('three')}?servers=${list}`);
    const store = await provider.open('one');
    await store.write([put('a', '1')]);
    await three[0]!.end();
    for (let i = 0; i < 20; i++) await store.write([put('b', `${i}`)]);
    expect(await listed(store)).toEqual(['a=1', 'b=19']);
  });
});
