/** What goes by way of three servers that are one NATS cluster, one of which is killed on the way. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Client, type Cluster, cluster, connect } from 'tutti';
import { from, type JobSpec, mapReduce, mpi, taskFarm, tupleSpace } from 'tutti/paradigms';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mapReduceSuite } from './mapreduce-suite.ts';
import { spaceSuite } from './space-suite.ts';
import { eventually } from './support/farm.ts';
import { type NatsServer, natsCluster, overNats, withNats } from './support/nats.ts';
import { viewSuite } from './view-suite.ts';

/** Tests of the suites that have passed before a server is killed, and how many more before it is back. */
const BEFORE = 20;

withNats('three NATS servers', () => {
  let three: NatsServer[];
  let home: Cluster;
  let guest: Client;
  let tests = 0;
  const folder = mkdtempSync(path.join(tmpdir(), 'tutti-three-'));
  const open = async (): Promise<Client> => {
    const victim = three[Math.floor(tests / (2 * BEFORE)) % 3]!;
    if (++tests % (2 * BEFORE) === BEFORE) void victim.end();
    else if (tests % (2 * BEFORE) === 0) await victim.again();
    return guest;
  };
  beforeAll(async () => {
    three = await natsCluster();
    const url = `${three[0]!.url('three')}?servers=${three.map(({ address }) => address).join()}`;
    const launcher = overNats(() => url, { apart: true });
    home = await cluster({ engines: 3, launcher, output: 'ignore', listen: [url] });
    guest = await connect({ ...home.connection, urls: [url] }, { output: 'ignore' });
  });
  afterAll(async () => {
    await guest.close();
    await home.close();
    for (const server of three) await server.remove();
    rmSync(folder, { recursive: true });
  });

  describe('views', () => viewSuite(open, { test }));
  describe('tuple space', () =>
    spaceSuite({
      near: true,
      space: async (name, options = {}) => (await open()).use(tupleSpace, { name, ...options }),
    }));
  describe('MapReduce', () => mapReduceSuite(open));

  test('a farm, while one server after the other is away', async () => {
    const farm = guest.use(taskFarm);
    const items = Array.from({ length: 600 }, (_, i) => i);
    const later = (x: number): Promise<number> => new Promise((resolve) => setTimeout(() => resolve(x + 1), 5));
    let done = 0;
    const mapped = farm.map(items, later);
    mapped.progress$.subscribe((progress) => (done = progress.done));
    const all = mapped.then((values) => values); // a map is lazy
    for (const [i, server] of three.entries()) {
      await eventually(() => done).toBeGreaterThan(100 * (i + 1));
      await server.end();
      await eventually(() => done).toBeGreaterThan(100 * (i + 1) + 50);
      await server.again();
    }
    expect(await all).toEqual(items.map((i) => i + 1));
  });

  test('a shuffle, while one server after the other is away', async () => {
    const job: JobSpec = {
      map(n: number, ctx) {
        for (let key = 0; key < 24; key++) ctx.emit(key, new Uint8Array(40_000).fill(n));
      },
      async reduce(key: number, all) {
        await new Promise((resolve) => setTimeout(resolve, 100));
        return [key, [...all].reduce((sum: number, bytes) => sum + (bytes as Uint8Array)[39_999]!, 0)];
      },
      partition: (key: number, n: number) => key % n,
      reducers: 24,
    };
    const numbers = Array.from({ length: 24 }, (_, i) => i);
    const running = guest.use(mapReduce).run(job, { input: from(numbers, { perSplit: 2 }) });
    let reduced = 0;
    running.progress$.subscribe(({ phases }) => {
      reduced = phases.find(({ phase }) => phase === 'reduce')?.done ?? 0;
    });
    const values = running.then((all) => all);
    for (const [i, server] of three.entries()) {
      await eventually(() => reduced).toBeGreaterThan(6 * i + 1);
      await server.end();
      await eventually(() => reduced).toBeGreaterThan(6 * i + 4);
      await server.again();
    }
    const sum = numbers.reduce((a, b) => a + b, 0);
    expect((await values).sort(([a], [b]) => a - b)).toEqual(numbers.map((key) => [key, [key, sum]]));
    expect(running.counters.mapreduce!['bytes from other engines']).toBeGreaterThan(1_000_000);
  });

  test('ranks, whose messages are under way when a server is killed', async () => {
    const rounds = 5_000;
    const file = path.join(folder, 'round');
    const running = guest.use(mpi).run(
      async (comm, count: number, file: string) => {
        const next = (comm.rank + 1) % comm.size;
        const before = (comm.rank + comm.size - 1) % comm.size;
        let token = comm.rank;
        for (let i = 0; i < count; i++) {
          const [got] = await Promise.all([comm.recv(before), comm.send(token, next)]);
          token = got as number;
          if (i % 100 === 0 && comm.rank === 0) process.getBuiltinModule('node:fs').writeFileSync(file, String(i));
        }
        return [token, await comm.allreduce(comm.rank)];
      },
      { ranks: 3, args: [rounds, file] },
    );
    let over = false;
    const settled = running.then((values: unknown) => {
      over = true;
      return values;
    });
    for (const [i, server] of three.entries()) {
      await eventually(() => (existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0)).toBeGreaterThan(
        ((i + 1) * rounds) / 10,
      );
      expect(over).toBe(false);
      await server.end();
      await server.again();
    }
    const shift = rounds % 3;
    expect(await settled).toEqual([0, 1, 2].map((rank) => [(rank + 3 - shift) % 3, 3]));
  });
});
