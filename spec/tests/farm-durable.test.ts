/** Tasks that outlive their client, and their controller. */
import { readFileSync } from 'node:fs';
import { cluster, connect } from 'tutti';
import { taskFarm } from 'tutti/paradigms';
import { expect, test } from 'vitest';
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

test(
  'a controller that is killed, three times, loses none of the tasks it had accepted, and repeats none that it knew to be done',
  () =>
    inFolder(async (folder) => {
      const file = `${folder}/lines`;
      const total = 3_000;
      const start = () =>
        cluster({ engines: 2, controller: 'process', durable: `${folder}/store`, output: 'ignore', window: 200 });
      let c = await start();
      const farm = c.use(taskFarm).with({ detached: true });
      for (let n = 0; n < total; n++) farm.submit(leaveLine, file, n).catch(() => {});
      await farm.accepted();
      const lines = () => {
        try {
          return readFileSync(file, 'utf8').trim().split('\n');
        } catch {
          return [];
        }
      };
      for (const share of [0.1, 0.3, 0.5]) {
        await eventually(() => lines().length).toBeGreaterThan(share * total);
        process.kill((await c.status()).pid, 'SIGKILL');
        await c.close().catch(() => {});
        c = await start();
        await c.use(taskFarm).stats();
      }
      await eventually(async () => (await c.use(taskFarm).detached()).every(({ state }) => state === 'done')).toBe(
        true,
      );
      const done = new Set(lines().map((line) => Number(line.split(' ')[0])));
      expect(done.size).toBe(total);
      // Those that ran when it was killed may have run twice; no others have.
      expect(lines().length - total).toBeLessThanOrEqual(3 * 2 * 1_100);
      const [one] = await c.use(taskFarm).detached();
      if (one) expect(typeof (await c.use(taskFarm).collect(one.id))).toBe('number');
      await c.close();
    }),
  120_000,
);
