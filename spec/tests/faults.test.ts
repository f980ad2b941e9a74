import { filter, firstValueFrom } from 'rxjs';
import {
  type Cluster,
  cluster,
  connect,
  EngineLostError,
  type Launcher,
  processLauncher,
  RemoteError,
  SessionLostError,
  ValueLostError,
} from 'tutti';
import { expect, test } from 'vitest';
import { type CuttableProxy, cuttableProxy } from './cuttable-proxy.ts';

const eventOf = (client: Cluster, type: string, engine: number) =>
  firstValueFrom(
    client.events$.pipe(
      filter((e) => e.type === type && 'engine' in e && typeof e.engine === 'object' && e.engine.id === engine),
    ),
  );

/** Process engines that reach their controller through a proxy. */
function through(proxy: CuttableProxy, target: { url: string }): Launcher {
  const inner = processLauncher();
  return {
    kind: inner.kind,
    scheme: 'tcp',
    launch(spec) {
      target.url = spec.urls[0]!;
      return inner.launch({ ...spec, urls: [proxy.url] });
    },
  };
}

test('an engine killed during apply rejects its part alone; the cluster goes on and restart brings it back', async () => {
  await using client = await cluster({ engines: 4, output: 'ignore' });
  await client.all.execute('var kept = engine.id');
  const result = client.all.apply(async () => {
    const { engine } = globalThis as unknown as { engine: { id: number } };
    console.log(`working on ${engine.id}`);
    if (engine.id === 2) await new Promise(() => setInterval(() => {}, 1000));
    return engine.id;
  });
  const printed = new Promise<void>((resolve) => result.stdout$.subscribe(({ engine }) => engine === 2 && resolve()));
  await printed;
  process.kill(client.engines[2]!.pid, 'SIGKILL');
  const parts = await result.settled();
  expect(parts.filter((p) => p.status === 'fulfilled').map((p) => [p.engine, p.value])).toEqual([
    [0, 0],
    [1, 1],
    [3, 3],
  ]);
  const lost = parts[2]!.status === 'rejected' ? parts[2]!.reason : undefined;
  expect(lost).toBeInstanceOf(EngineLostError);
  expect(lost).toMatchObject({ engine: 2, signal: 'SIGKILL', lastOutput: expect.stringContaining('working on 2') });
  expect(await client.all.execute('kept')).toEqual([0, 1, 3]);
  await client.restart([2]);
  expect(client.engines[2]).toMatchObject({ id: 2, incarnation: 2, state: 'alive' });
  expect(await client.all.execute('engine.id')).toEqual([0, 1, 2, 3]);
  await expect(client.engine(2).execute('kept')).rejects.toThrow(RemoteError);
});

test('a thread engine that ends itself is lost with its exit code', async () => {
  await using client = await cluster({ engines: 2, kind: 'thread' });
  const error = await client
    .engine(1)
    .execute('process.exit(7)')
    .catch((e) => e);
  expect(error).toBeInstanceOf(EngineLostError);
  expect(error.exitCode).toBe(7);
  expect(await client.all.execute('engine.id')).toEqual([0]);
});

test('connections of engines and of the client cut again and again in the middle of 1,000 calls: each is answered once, with its own value', async () => {
  const target = { url: '' };
  const proxy = await cuttableProxy(() => target.url);
  const clientTarget = { url: '' };
  const clientProxy = await cuttableProxy(() => clientTarget.url);
  const name = `cut-${process.pid}`;
  await using host = await cluster({ engines: 0, name, listen: ['tcp://127.0.0.1:0'], output: 'ignore' });
  await host.add(2, through(proxy, target));
  const { readConnectionFile, connectionFile } = await import('../../core/connection-file.ts');
  const info = readConnectionFile(connectionFile(name));
  clientTarget.url = info.urls.find((url) => url.startsWith('tcp:'))!;
  await using client = await connect({ ...info, urls: [clientProxy.url] }, { output: 'ignore' });

  await client.all.execute('var runs = 0');
  const counted = client.all.wrap((i: number) => {
    const here = globalThis as unknown as { runs: number; engine: { id: number } };
    here.runs++;
    return [i, here.engine.id];
  });
  const values: unknown[] = [];
  const calls = Array.from({ length: 1_000 }, (_, i) =>
    counted(i).then((value) => {
      values.push(value);
      if (values.length % 150 === 0) proxy.cut();
      if (values.length % 210 === 0) clientProxy.cut();
    }),
  );
  await Promise.all(calls);
  expect(values).toHaveLength(1_000);
  expect(values.sort((a: any, b: any) => a[0][0] - b[0][0])).toEqual(
    Array.from({ length: 1_000 }, (_, i) => [
      [i, 0],
      [i, 1],
    ]),
  );
  expect(await client.all.pull('runs')).toEqual([1_000, 1_000]);
  expect(proxy.connections).toBeGreaterThan(2);
  expect(clientProxy.connections).toBeGreaterThan(1);
  await client.close();
  await Promise.all([proxy.close(), clientProxy.close()]);
});

test('an engine cut off for good is lost after its missed heartbeats, rejoins as a new incarnation, and its old results are dropped', async () => {
  const target = { url: '' };
  const proxy = await cuttableProxy(() => target.url);
  await using client = await cluster({ engines: 0, beat: 50, misses: 3, output: 'ignore' });
  await client.add(1, through(proxy, target));
  const pending = client.engine(0).apply(() => new Promise((resolve) => setTimeout(resolve, 300, 'old')));
  const lost = eventOf(client, 'engine-lost', 0);
  const rejoined = eventOf(client, 'engine-joined', 0);
  proxy.block();
  await lost;
  await expect(pending).rejects.toThrow(EngineLostError);
  proxy.restore();
  await rejoined;
  expect(client.engines[0]).toMatchObject({ id: 0, incarnation: 2, state: 'alive' });
  expect(await client.engine(0).execute('"new"')).toBe('new');
  await proxy.close();
});

test.each(['embedded', 'process'] as const)(
  'a client that blocks its event loop with calls queued loses nobody (controller: %s)',
  async (controller) => {
    // Heartbeats every 50 ms: three seconds of sleep are sixty missed ones.
    await using client = await cluster({ engines: 2, beat: 50, misses: 3, controller });
    const events: string[] = [];
    client.events$.subscribe((event) => events.push(event.type));
    const calls = Array.from({ length: 1_000 }, (_, i) => client.all.apply((x: number) => x, i));
    const until = Date.now() + 3_000;
    while (Date.now() < until);
    expect(await Promise.all(calls)).toEqual(Array.from({ length: 1_000 }, (_, i) => [i, i]));
    expect(events).not.toContain('engine-lost');
  },
);

test('a busy synchronous loop does not make an engine look dead', async () => {
  await using client = await cluster({ engines: 1, beat: 50, misses: 3 });
  const value = client.engine(0).apply(() => {
    const until = Date.now() + 1_500;
    while (Date.now() < until);
    return 'done';
  });
  await eventOf(client, 'engine-state', 0);
  expect(client.engines[0]!.state).toBe('busy');
  expect(await value).toBe('done');
});

test('a large result lost with its engine before it was fetched rejects with ValueLostError, also for those that use it', async () => {
  await using client = await cluster({ engines: 2, output: 'ignore' });
  const big = client.engine(0).apply(() => new Float64Array(100_000));
  await client.engine(0).execute('1');
  process.kill(client.engines[0]!.pid, 'SIGKILL');
  await eventOf(client, 'engine-lost', 0);
  await expect(client.engine(1).apply((v: Float64Array) => v.length, big)).rejects.toThrow(/lost/);
  await expect(big).rejects.toThrow(ValueLostError);
});

test('pending calls of a client whose cluster stops reject; so do later ones', async () => {
  const name = `stop-${process.pid}`;
  const host = await cluster({ engines: 1, name });
  const client = await connect(name);
  const pending = client.all.apply(() => new Promise(() => setInterval(() => {}, 1000)));
  const rejected = expect(pending).rejects.toThrow(SessionLostError);
  await host.close();
  await rejected;
  await expect(client.all.execute('1')).rejects.toThrow(SessionLostError);
  await client.close();
});

test('calls of a client that has left are taken off the engines', async () => {
  const name = `leave-${process.pid}`;
  await using host = await cluster({ engines: 1, name });
  const client = await connect(name);
  const running = client.all.apply(() => {
    const here = globalThis as any;
    console.log('running');
    return new Promise((resolve) => here.task.signal.addEventListener('abort', () => resolve((here.aborted = true))));
  });
  const queued = client.all.execute('var ranAfterLeaving = true');
  const rejected = Promise.allSettled([running, queued]);
  await firstValueFrom(running.stdout$);
  const left = firstValueFrom(host.events$.pipe(filter((e) => e.type === 'client-left')));
  await client.close();
  await left;
  expect((await rejected).map((r) => r.status)).toEqual(['rejected', 'rejected']);
  expect(await host.all.execute('[globalThis.aborted, globalThis.ranAfterLeaving]')).toEqual([[true, undefined]]);
});
