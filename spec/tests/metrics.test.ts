/** The numbers that a cluster tells of itself: to clients as its status, to Prometheus over HTTP. */
import http from 'node:http';
import net from 'node:net';
import fc from 'fast-check';
import { cluster, TransportError, UsageError } from 'tutti';
import { expect, test, vi } from 'vitest';
import { Histogram } from '../../core/histogram.ts';
import { using } from './support/shared.ts';

/** Samples by name and labels. */
async function scrape(url: string): Promise<Map<string, number>> {
  const response = await fetch(url);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toContain('text/plain; version=0.0.4');
  const lines = (await response.text()).split('\n').filter((line) => line && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const [, name, value] = /^(\S+?(?:\{.*\})?) (\S+)$/.exec(line)!;
      return [name!, Number(value)];
    }),
  );
}

test('calls are counted by operation and by what became of their parts', () =>
  using({ engines: 2, metrics: '127.0.0.1:0' }, async (client) => {
    await client.all.apply(() => 1);
    await client
      .engine(0)
      .execute('throw new Error("no")')
      .catch(() => {});
    const kept = client.engine(0).apply(() => new Float64Array(20_000));
    await kept.settled();
    const pending = client.engine(1).apply(() => new Promise(() => {}));
    await expect.poll(async () => (await client.status()).engines[1]!.underWay).toBe(1);
    process.kill(client.engines[1]!.pid, 'SIGKILL');
    await pending.catch(() => {});

    const { calls, metrics, traffic, engines } = await client.status();
    expect(calls.map(({ p50, p99, ...counts }) => counts)).toEqual([
      { op: 'apply', calls: 3, ok: 3, failed: 0, lost: 1, dropped: 0 },
      { op: 'execute', calls: 1, ok: 0, failed: 1, lost: 0, dropped: 0 },
    ]);
    expect(calls.every(({ p50, p99 }) => p50 > 0 && p50 <= p99)).toBe(true);
    expect(engines.map(({ state, underWay }) => [state, underWay])).toEqual([
      ['alive', 0],
      ['lost', 0],
    ]);

    const samples = await scrape(metrics!);
    expect(samples.get('tutti_call_parts_total{op="apply",outcome="ok"}')).toBe(3);
    expect(samples.get('tutti_call_parts_total{op="apply",outcome="lost"}')).toBe(1);
    expect(samples.get('tutti_call_parts_total{op="execute",outcome="failed"}')).toBe(1);
    expect(samples.get('tutti_call_duration_seconds_count{op="apply"}')).toBe(3);
    expect(samples.get('tutti_call_duration_seconds_bucket{op="apply",le="+Inf"}')).toBe(3);
    expect(samples.get('tutti_engines{state="alive"}')).toBe(1);
    expect(samples.get('tutti_engines{state="lost"}')).toBe(1);
    expect(samples.get('tutti_clients')).toBe(1);
    expect(samples.has('tutti_engine_memory_bytes{engine="0"}')).toBe(true);
    expect(samples.has('tutti_engine_memory_bytes{engine="1"}')).toBe(false);
    // A lost engine's traffic stays counted.
    expect(samples.get('tutti_bytes_total{peer="engines",direction="sent"}')).toBeGreaterThanOrEqual(
      traffic.engines.bytesSent,
    );
    expect(traffic.engines.bytesSent).toBe(engines[0]!.traffic.bytesSent + engines[1]!.traffic.bytesSent);
    expect(engines[1]!.traffic.messagesSent).toBeGreaterThan(0);
  }));

test('counters only grow, through restarts, removals and clients that leave', () =>
  using({ engines: 2, kind: 'thread', metrics: '127.0.0.1:0', local: true }, async (client) => {
    const { metrics } = await client.status();
    const totals = async () =>
      new Map(
        [...(await scrape(metrics!))].filter(([name]) => /^tutti_(messages|bytes|calls|call_parts)_total/.test(name)),
      );
    let before = await totals();
    const steps = [
      () => client.all.push({ x: 'y'.repeat(1_000) }),
      () => client.restart([0]),
      () => client.all.execute('1'),
      () => client.remove([1]),
      () => client.add(1),
    ];
    for (const step of steps) {
      await step();
      const after = await totals();
      for (const [name, value] of before) expect(after.get(name), name).toBeGreaterThanOrEqual(value);
      before = after;
    }
  }));

test('engines tell of themselves with their heartbeats', () =>
  using({ engines: 2, beat: 50, metrics: '127.0.0.1:0' }, async (client) => {
    const made = client.engine(1).apply(() => new Float64Array(50_000));
    await client.engine(0).apply((values: Float64Array) => values.length, made);
    const blocked = client.engine(0).execute('await new Promise((resolve) => (globalThis.go = resolve))');
    const waiting = client.engine(0).apply(() => 1);
    const engine = async (id: number) => (await client.status()).engines[id]!;
    await expect.poll(async () => (await engine(0)).queued).toBe(1);
    await expect.poll(async () => (await engine(0)).peers.received).toBeGreaterThan(400_000);
    await expect.poll(async () => (await engine(1)).peers.sent).toBeGreaterThan(400_000);
    await expect.poll(async () => (await engine(1)).kept).toBeGreaterThan(400_000);
    expect(await engine(0)).toMatchObject({ underWay: 2, calls: 1 });
    const { heap, memory, load } = await engine(1);
    expect(heap).toBeGreaterThan(1e6);
    expect(memory).toBeGreaterThan(heap);
    expect(load).toBeGreaterThanOrEqual(0);
    expect(load).toBeLessThanOrEqual(1);
    // What was so once can be seen afterwards, in histograms.
    const samples = await scrape((await client.status()).metrics!);
    const waited =
      samples.get('tutti_queue_depth_calls_bucket{le="1"}')! - samples.get('tutti_queue_depth_calls_bucket{le="0"}')!;
    expect(waited).toBeGreaterThan(0);
    for (const role of ['controller', 'engine'])
      expect(samples.get(`tutti_loop_lag_seconds_count{role="${role}"}`), role).toBeGreaterThan(0);
    await blocked.cancel();
    await waiting.cancel();
    made.release();
    await expect.poll(async () => (await engine(1)).kept).toBe(0);
  }));

test('an operation with a name of any length is one of the others', () =>
  using({ engines: 1, kind: 'thread' }, async (client) => {
    const { link } = client as unknown as {
      link: { call(spec: object, targets: number[]): { settled(): Promise<unknown> } };
    };
    await link.call({ op: 'x'.repeat(100_000), args: [], assembly: 'single' }, [0]).settled();
    expect((await client.status()).calls.map(({ op }) => op)).toEqual(['other']);
  }));

test('a client that makes up operations does not fill the memory', () =>
  using({ engines: 1, kind: 'thread' }, async (client) => {
    const { link } = client as unknown as {
      link: { call(spec: object, targets: number[]): { settled(): Promise<unknown> } };
    };
    for (let i = 0; i < 100; i++) await link.call({ op: `made-up-${i}`, args: [], assembly: 'single' }, [0]).settled();
    const { calls } = await client.status();
    expect(calls.length).toBeLessThan(40);
    expect(calls.find(({ op }) => op === 'other')!.calls).toBeGreaterThan(60);
  }));

test('only GET /metrics is there, and it is gone with the cluster', async () => {
  const url = await using({ engines: 0, metrics: 'localhost:0' }, async (client) => {
    const { metrics } = await client.status();
    expect(metrics).toMatch(/^http:\/\/localhost:\d+\/metrics$/);
    const base = metrics!.replace('/metrics', '');
    expect((await fetch(base)).status).toBe(404);
    expect((await fetch(`${base}/metrics/x`)).status).toBe(404);
    expect((await fetch(metrics!, { method: 'POST', body: 'x' })).status).toBe(405);
    expect((await fetch(metrics!, { method: 'HEAD' })).status).toBe(200);
    expect((await fetch(`${metrics}?x=1`)).status).toBe(200);
    await Promise.all(Array.from({ length: 20 }, () => scrape(metrics!)));
    return metrics!;
  });
  await expect(fetch(url)).rejects.toThrow();
});

test('addresses: others on the network only when asked for, and one server at each', async () => {
  const start = (metrics: string, insecure = false) => cluster({ engines: 0, metrics, insecure });
  for (const address of ['0.0.0.0:0', '[::]:0', 'example.org:0'])
    await expect(start(address), address).rejects.toThrow(/can be read by other machines/);
  for (const address of ['9464', 'localhost', '127.0.0.1:99999', 'http://127.0.0.1:1', ''])
    await expect(start(address), address).rejects.toThrow(UsageError);
  await using({ engines: 0, metrics: 'LocalHost:0' }, async () => {});
  await using({ engines: 0, metrics: '0.0.0.0:0', insecure: true }, async (client) => {
    const port = new URL((await client.status()).metrics!).port;
    expect((await scrape(`http://127.0.0.1:${port}/metrics`)).get('tutti_clients')).toBe(1);
    await expect(start(`0.0.0.0:${port}`, true)).rejects.toThrow(TransportError);
  });
});

test('connections that cannot be accepted do not end the program', async () => {
  const listen = vi.spyOn(net.Server.prototype, 'listen');
  try {
    await using({ engines: 0, metrics: '127.0.0.1:0' }, async (client) => {
      const { metrics } = await client.status();
      const { port } = new URL(metrics!);
      const server = (listen.mock.contexts as net.Server[]).find(
        (one) => String((one.address() as net.AddressInfo | null)?.port) === port,
      )!;
      // As Node tells of it when the process has no file descriptor left.
      const full = Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' });
      for (let i = 0; i < 3; i++) server.emit('error', full);
      await scrape(metrics!);
    });
  } finally {
    listen.mockRestore();
  }
});

test('a path that is no URL is not found, and the server lives on', () =>
  using({ engines: 0, metrics: '127.0.0.1:0' }, async (client) => {
    const { metrics } = await client.status();
    const { port } = new URL(metrics!);
    const status = await new Promise((resolve, reject) => {
      http
        .get({ port, host: '127.0.0.1', path: '//' }, (response) => resolve(response.resume().statusCode))
        .on('error', reject);
    });
    expect(status).toBe(404);
    await scrape(metrics!);
  }));

test('a quantile lies between the bounds that its rank falls into', () => {
  const bounds = [1, 2, 5, 10, 100];
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0, max: 100, noNaN: true }), { minLength: 1 }),
      fc.double({ min: 0.01, max: 1, noNaN: true }),
      (values, q) => {
        const histogram = new Histogram(bounds);
        for (const value of values) histogram.add(value);
        expect(histogram.count).toBe(values.length);
        const exact = values.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(q * values.length) - 1)]!;
        const i = bounds.findIndex((bound) => exact <= bound);
        expect(histogram.quantile(q)).toBeGreaterThanOrEqual(bounds[i - 1] ?? 0);
        expect(histogram.quantile(q)).toBeLessThanOrEqual(bounds[i]!);
      },
    ),
  );
  expect(new Histogram(bounds).quantile(0.5)).toBe(0);
});
