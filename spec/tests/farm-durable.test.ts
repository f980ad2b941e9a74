/** Tasks that outlive their client, and their controller. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { type Cluster, type ClusterOptions, cluster, connect, lmdbStores } from 'tutti';
import { taskFarm } from 'tutti/paradigms';
import { expect, test } from 'vitest';
import { isRunning } from '../fixtures/cli/terminal.ts';
import { eventually, farming, outcome } from './support/farm.ts';
import { inFolder } from './support/shared.ts';

/** Leaves a line in a file: which task, in which attempt. */
const leaveLine = (file: string, n: number): number => {
  process.getBuiltinModule('node:fs').appendFileSync(file, `${n} ${(globalThis as any).task.attempt}\n`);
  return n;
};

test('a detached task outlives its client, and is collected by another one, once', () =>
  farming(
    async (farm, c) => {
      const other = await connect(c.connection, { output: 'ignore' });
      const detached = other.use(taskFarm).with({ detached: true, label: 'far' });
      const slow = detached.submit(
        (x: number) => new Promise<number>((resolve) => setTimeout(() => resolve(x * 2), 100)),
        21,
      );
      slow.catch(() => {});
      const gone = other.use(taskFarm).submit(() => new Promise(() => {}));
      gone.catch(() => {});
      await detached.accepted();
      const { id } = slow;
      await other.close();
      expect((await farm.detached()).map(({ label }) => label)).toEqual(['far']);
      expect(await farm.collect('far')).toBe(42);
      await eventually(async () => (await farm.stats()).running).toBe(0);
      expect(await outcome(farm.collect(id))).toMatchObject({ code: 'USAGE' });
      const fails = farm.with({ detached: true, label: 'bad' }).submit(() => {
        throw new RangeError('deep');
      });
      expect(await outcome(fails)).toMatchObject({ name: 'RangeError' });
      await eventually(() => farm.detached()).toEqual([]);
    },
    { listen: ['tcp://127.0.0.1:0'] },
  ));

test('memo: what has been computed, or is being computed, is not computed again', () =>
  inFolder((folder) =>
    farming(async (farm) => {
      const file = `${folder}/lines`;
      const memo = farm.with({ memo: true });
      expect(await Promise.all([1, 1, 1, 2].map((n) => memo.submit(leaveLine, file, n)))).toEqual([1, 1, 1, 2]);
      expect(await memo.submit(leaveLine, file, 1)).toBe(1);
      expect(await farm.submit(leaveLine, file, 1)).toBe(1);
      expect(readFileSync(file, 'utf8').trim().split('\n').sort()).toEqual(['1 1', '1 1', '2 1']);
    }),
  ));

const start = (folder: string, options: object = {}) =>
  cluster({
    ...{ engines: 2, controller: 'process', durable: `${folder}/store`, output: 'ignore', window: 200 },
    ...options,
  } as ClusterOptions);

/** Kills the controller; resolves when it and its engines are gone. */
async function crash(c: Cluster): Promise<void> {
  const { pid } = await c.status();
  const pids = [pid, ...c.engines.map((engine) => engine.pid)];
  process.kill(pid, 'SIGKILL');
  await eventually(() => pids.filter(isRunning)).toEqual([]);
  await c.close().catch(() => {});
}

/** Names of the tasks in the journal that are not done. */
async function unfinished(folder: string): Promise<Set<string>> {
  const provider = lmdbStores(`${folder}/store`);
  const names = new Set<string>();
  for await (const [key] of (await provider.open('farm')).entries({ prefix: 't/' })) names.add(key);
  await provider.close();
  return names;
}

test(
  'a controller that is killed, three times, loses none of 10,000 tasks, and repeats none of which it knew that it was done',
  () =>
    inFolder(async (folder) => {
      const file = `${folder}/lines`;
      const total = 10_000;
      const effect = (path: string, n: number): void => {
        process.getBuiltinModule('node:fs').appendFileSync(path, `${n} ${(globalThis as any).task.attempt}\n`);
        // So that the controller can be killed on the way.
        for (const until = performance.now() + 0.15; performance.now() < until; );
      };
      const lines = (): string[] => (existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []);
      let c = await start(folder);
      const farm = c.use(taskFarm);
      const names = new Map<number, string>();
      for (let n = 0; n < total; n++) {
        const result = farm.submit(effect, file, n);
        result.catch(() => {});
        names.set(n, `t/000001/${result.id}`);
      }
      await farm.accepted();
      const snapshots: { done: number[]; effects: string[] }[] = [];
      for (const share of [0.1, 0.3, 0.5]) {
        await eventually(() => lines().length).toBeGreaterThan(share * total);
        await crash(c);
        const left = await unfinished(folder);
        expect(left.size).toBeGreaterThan(0);
        const done = [...names].filter(([, name]) => !left.has(name)).map(([n]) => n);
        snapshots.push({ done, effects: lines() });
        c = await start(folder);
        await c.use(taskFarm).stats();
      }
      await eventually(async () => await c.use(taskFarm).stats()).toMatchObject({ waiting: 0, queued: 0, running: 0 });
      const all = lines();
      expect(new Set(all.map((line) => Number(line.split(' ')[0]))).size).toBe(total);
      // Attempts tell runs apart, also those under different controllers.
      expect(new Set(all).size).toBe(all.length);
      for (const { done, effects } of snapshots) {
        const known = new Set(done);
        const of = (some: string[]) => some.filter((line) => known.has(Number(line.split(' ')[0])));
        expect(done.length).toBeGreaterThan(0);
        expect(of(all)).toEqual(of(effects));
      }
      await c.close();
      expect(await unfinished(folder)).toEqual(new Set());
    }),
  120_000,
);

test(
  'what depends on others goes on after a crash, with the values of those that were done',
  () =>
    inFolder(async (folder) => {
      const file = `${folder}/lines`;
      const gate = `${folder}/gate`;
      let c = await start(folder);
      const farm = c.use(taskFarm);
      const plus = 2;
      const small = farm.submit(leaveLine, file, 7);
      const large = farm.submit((n: number) => new Float64Array(n).fill(1), 20_000);
      const held = farm.submit(async (path: string) => {
        const fs = process.getBuiltinModule('node:fs');
        while (!fs.existsSync(path)) await new Promise((resolve) => setTimeout(resolve, 10));
        return 1;
      }, gate);
      const fails = farm.submit(() => {
        throw new RangeError('rotten');
      });
      const add = (x: number, y: number, { xs }: { xs: Float64Array }, f: (n: number) => number) =>
        f(x + y + xs.length);
      const more = (n: number): number => n + plus;
      const sum = farm.with({ label: 'sum' }).submit(add, small, held, { xs: large }, more);
      const last = farm.with({ label: 'last', after: held }).submit((x: number) => x * 2, sum);
      const lost = farm.with({ label: 'lost' }).submit((x: unknown) => x, fails);
      for (const result of [small, large, held, fails, sum, last, lost]) Promise.resolve(result).catch(() => {});
      await farm.accepted();
      await eventually(async () => (await farm.stats()).done).toBe(2);
      await farm.accepted();
      await crash(c);
      c = await start(folder);
      await c.use(taskFarm).accepted();
      await crash(c);
      writeFileSync(gate, '');
      c = await start(folder);
      const again = c.use(taskFarm);
      expect(await again.collect('sum')).toBe(7 + 1 + 20_000 + 2);
      expect(await again.collect('last')).toBe(2 * (7 + 1 + 20_000 + 2));
      expect(readFileSync(file, 'utf8')).toBe('7 1\n');
      await c.close();
    }),
  120_000,
);

test('what a client has read, or has given up, leaves nothing in the journal', () =>
  inFolder(async (folder) => {
    const c = await start(folder, { controller: 'embedded', listen: ['tcp://127.0.0.1:0'] });
    const farm = c.use(taskFarm);
    expect(await farm.map([1, 2, 3], (x: number) => x * plus)).toEqual([2, 4, 6]);
    const visitor = await connect(c.connection, { output: 'ignore' });
    visitor
      .use(taskFarm)
      .submit(() => new Promise(() => {}))
      .catch(() => {});
    await eventually(async () => (await farm.stats()).running).toBe(1);
    await visitor.close();
    await eventually(async () => (await farm.stats()).running).toBe(0);
    expect(await farm.detached()).toEqual([]);
    await c.close();
    const provider = lmdbStores(`${folder}/store`);
    const keys: string[] = [];
    for await (const [key] of (await provider.open('farm')).entries()) keys.push(key.slice(0, 2));
    await provider.close();
    expect(keys.filter((key) => key === 't/' || key === 'd/')).toEqual([]);
  }));

const plus = 2;
