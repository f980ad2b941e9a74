/** How many engines a cluster has that follows its work, and how it lets go of those that it does not need. */
import fc from 'fast-check';
import { cluster, UsageError } from 'tutti';
import { taskFarm } from 'tutti/paradigms';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Adviser } from '../../core/controller/adaptive.ts';
import { type Gate, openGate, pass } from './support/gate.ts';
import { using } from './support/shared.ts';

let gate: Gate;
beforeAll(async () => {
  gate = await openGate();
});
afterAll(() => gate.close());

describe('advice', () => {
  const IDLE = { tasks: 0, ms: 0 };
  const busy = (tasks: number): { tasks: number; ms: number } => ({ tasks, ms: tasks * 1_000 });

  test('goes up at once, by twice as many, and never beyond the work or the limit', () => {
    const adviser = new Adviser({ min: 0, max: 10 });
    expect(adviser.advise([busy(100)], 0, 0)).toBe(1);
    expect(adviser.advise([busy(100)], 1, 1)).toBe(2);
    expect(adviser.advise([busy(100)], 2, 2)).toBe(4);
    expect(adviser.advise([busy(2), busy(3)], 4, 3)).toBe(5);
    expect(adviser.advise([busy(100)], 8, 4)).toBe(10);
    // Many short tasks are no reason for many engines.
    expect(new Adviser({ min: 1, max: 10 }).advise([{ tasks: 500, ms: 900 }], 1, 0)).toBe(1);
  });

  test('goes down to what was wanted lately, when that has been so for a while', () => {
    const adviser = new Adviser({ min: 1, max: 10, calm: 5_000 });
    expect(adviser.advise([busy(8)], 8, 0)).toBe(8);
    for (let now = 1_000; now < 4_900; now += 1_000) expect(adviser.advise([IDLE], 8, now)).toBe(8);
    // A burst in between counts for as long.
    expect(adviser.advise([busy(6)], 8, 5_000)).toBe(6);
    expect(adviser.advise([IDLE], 6, 9_000)).toBe(6);
    expect(adviser.advise([IDLE], 6, 10_500)).toBe(1);
  });

  test('stays within its limits, and does not go up and down between', () => {
    const demand = fc.record({ tasks: fc.nat(200), ms: fc.nat(200_000) });
    fc.assert(
      fc.property(fc.array(demand, { minLength: 1, maxLength: 60 }), fc.nat(5), fc.nat(20), (demands, min, more) => {
        const max = Math.max(1, min + more);
        const adviser = new Adviser({ min, max, calm: 5_000 });
        let engines = min;
        let grown = Number.NEGATIVE_INFINITY;
        for (const [i, one] of demands.entries()) {
          const now = i * 1_000;
          const n = adviser.advise([one], engines, now);
          expect(n).toBeGreaterThanOrEqual(min);
          expect(n).toBeLessThanOrEqual(max);
          // What has just been wanted is not taken away again before it has been calm.
          if (n < engines) expect(now - grown).toBeGreaterThanOrEqual(4_000);
          if (n > engines) grown = now;
          engines = n;
        }
      }),
    );
  });
});

test('a cluster grows with its queue, and shrinks when it is empty', async () => {
  const options = { kind: 'thread' as const, adaptive: { min: 1, max: 4, horizon: 100, calm: 500 }, beat: 100 };
  await using(options, async (client) => {
    expect(client.engines).toHaveLength(1);
    const farm = client.use(taskFarm);
    const tasks = Array.from({ length: 8 }, (_, i) => farm.submit(pass, gate.port, `grow ${i}`));
    await expect.poll(() => client.engines.length, { timeout: 30_000 }).toBe(4);
    for (let i = 0; i < 8; i++) gate.open(`grow ${i}`);
    await Promise.all(tasks);
    await expect.poll(() => client.engines.length, { timeout: 30_000 }).toBe(1);
  });
});

test('an engine that is drained finishes what it has, gets nothing new, and loses no task', async () => {
  await using({ engines: 2, kind: 'thread' }, async (client) => {
    const farm = client.use(taskFarm);
    const held = farm.with({ targets: [1] }).submit(pass, gate.port, 'held');
    await gate.arrived('held');
    const removal = client.remove([1], { drain: 50_000 });
    await expect.poll(() => client.engines.find(({ id }) => id === 1)?.state).toBe('draining');
    const where = await farm.map([...Array(20).keys()], () => engine.id);
    expect(new Set(where)).toEqual(new Set([0]));
    expect(await client.all.execute('engine.id')).toEqual([0]);
    gate.open('held');
    await Promise.all([held, removal]);
    expect(client.engines.map(({ id }) => id)).toEqual([0]);
  });
});

test('what an engine has not finished in its time goes to another one', async () => {
  await using({ engines: 2, kind: 'thread' }, async (client) => {
    const farm = client.use(taskFarm);
    const tasks = [0, 1].map((i) => farm.submit(pass, gate.port, `late ${i}`));
    await Promise.all([gate.arrived('late 0'), gate.arrived('late 1')]);
    const removal = client.scale(1, { drain: 100 });
    await removal;
    expect(client.engines.map(({ id }) => id)).toEqual([0]);
    for (const i of [0, 1]) gate.open(`late ${i}`);
    await Promise.all(tasks);
  });
});

test.each<[object]>([
  [{ adaptive: { min: 3, max: 2 } }],
  [{ adaptive: { min: -1, max: 2 } }],
  [{ adaptive: { max: 2 } }],
  [{ adaptive: { min: 1, max: 2, speed: 3 } }],
  [{ engines: 1, min: 2 }],
  [{ ssh: { hosts: 'a' }, slurm: {} }],
])('%j is refused before anything starts', async (options) => {
  await expect(cluster(options)).rejects.toThrow(UsageError);
});

declare const engine: { id: number };
