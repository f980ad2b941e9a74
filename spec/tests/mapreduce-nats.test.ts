/** Jobs on engines that reach each other by way of NATS alone, as on hosts of their own. */
import { type Cluster, cluster } from 'tutti';
import { from, type JobSpec, mapReduce } from 'tutti/paradigms';
import { expect, test } from 'vitest';
import { mapReduceSuite } from './mapreduce-suite.ts';
import { overNats, sharedNats, withNats } from './support/nats.ts';
import { shared } from './support/shared.ts';

/** Bytes that NATS takes at once, here. */
const MAX_PAYLOAD = 64 << 10;

withNats('by way of NATS', () => {
  const server = sharedNats({ config: `max_payload: ${MAX_PAYLOAD}` });
  const open = shared((): Promise<Cluster> => {
    const url = server().url('jobs');
    return cluster({ engines: 3, launcher: overNats(() => url, { apart: true }), listen: [url], output: 'ignore' });
  });
  mapReduceSuite(open);

  test('values that are larger than what a server takes at once come whole from other engines', async () => {
    const size = 20 * MAX_PAYLOAD;
    const job: JobSpec = {
      map: (n: number, ctx) => ctx.emit(n % 3, new Uint8Array(size).fill(n)),
      reduce: (_, all: Iterable<Uint8Array>) => [...all].map((bytes) => [bytes.length, bytes[0], bytes.at(-1)]),
      reducers: 3,
    };
    const running = (await open()).use(mapReduce).run(job, { input: from([0, 1, 2, 3, 4, 5], { perSplit: 1 }) });
    const got = (await running).sort(([a], [b]) => a - b);
    expect(got).toEqual([0, 1, 2].map((key) => [key, [key, key + 3].map((n) => [size, n, n])]));
    expect(running.counters.mapreduce!['bytes from other engines']).toBeGreaterThan(size);
  });

  test('what a killed engine had left is made again', async () => {
    const client = await open();
    const { run } = client.use(mapReduce);
    const numbers = Array.from({ length: 90 }, (_, i) => i);
    const job: JobSpec = { map: (n: number, ctx) => ctx.emit(n % 7, n), reduce: (_, all) => [...all], reducers: 6 };
    await using kept = await run(job, { input: from(numbers, { perSplit: 5 }), keep: true });
    const { engine } = kept.parts[0]!;
    process.kill(client.engines.find(({ id }) => id === engine)!.pid, 'SIGKILL');
    const got: unknown[] = [];
    for await (const [key, all] of kept) got[key] = all;
    expect(got).toEqual([0, 1, 2, 3, 4, 5, 6].map((key) => numbers.filter((n) => n % 7 === key)));
    await client.restart([engine]);
  });
});
