/** How much engines have before them, and how long their reports may wait. */
import { expect, test } from 'vitest';
import { farmHalf, type Sent } from './support/farm-half.ts';

/** A farm whose engine has run one task of 1 ms, with so many more to run; and how to take what it was sent since. */
async function busyFarm(tasks: number) {
  const farm = await farmHalf([0]);
  farm.submit(1);
  farm.done(farm.sent.splice(0));
  farm.submit(...Array.from({ length: tasks }, (_, i) => i + 2));
  const out: Sent[] = [];
  const fetch = (): Sent[] => {
    out.push(...farm.sent.splice(0));
    return out;
  };
  return { farm, out: fetch };
}

test('an engine that runs dry has more before it each time, up to a limit', async () => {
  const { farm, out } = await busyFarm(2_000);
  const sizes: number[] = [];
  for (let report = 0; report < 8; report++) {
    sizes.push(out().length);
    farm.done(out().splice(0));
  }
  expect(sizes.slice(0, 3)).toEqual([10, 20, 40]);
  expect(sizes.slice(3)).toEqual([60, 60, 60, 60, 60]);
});

test('one that always has half of it left comes back to less', async () => {
  const { farm, out } = await busyFarm(3_000);
  for (let report = 0; report < 4; report++) farm.done(out().splice(0));
  expect(out()).toHaveLength(60);
  for (let report = 0; report < 300; report++) farm.done(out().splice(0, 4));
  expect(out().length).toBeLessThanOrEqual(12);
  expect(out().length).toBeGreaterThanOrEqual(9);
});

test('tasks that are given singly, and the last ones, teach nothing', async () => {
  const { farm, out } = await busyFarm(10);
  farm.done(out().splice(0));
  farm.submit(...Array.from({ length: 100 }, (_, i) => 100 + i));
  expect(out()).toHaveLength(10);
});

test('reports may wait where many tasks do', async () => {
  const { farm, out } = await busyFarm(100);
  expect(new Set(out().map(({ patience }) => patience))).toEqual(new Set([30]));
  while (farm.settled.length < 95) farm.done(out().splice(0, 2));
  expect(out().at(-1)!.patience).toBe(4);
});

test('an idle engine gets what another has not begun; one that has begun all of it is asked once', async () => {
  const farm = await farmHalf([0, 1]);
  farm.submit(1);
  farm.done(farm.sent.splice(0));
  farm.submit(...Array.from({ length: 16 }, (_, i) => i + 2));
  const [mine, others] = [0, 1].map((id) => farm.sent.filter(({ engine }) => engine === id));
  expect([mine!.length, others!.length]).toEqual([8, 8]);
  farm.sent.splice(0);
  farm.done(others!);
  expect(farm.recalls).toEqual([{ engine: 0, call: mine![4]!.call }]);
  farm.givesBack(
    mine![0]!,
    mine!.slice(4).map(({ ticket }) => ticket),
  );
  const moved = farm.sent.splice(0);
  expect(moved.map(({ engine, call }) => [engine, call])).toEqual(mine!.slice(4).map(({ call }) => [1, call]));
  farm.done(moved);
  expect(farm.recalls).toHaveLength(2);
  farm.givesBack(mine![0]!, []);
  expect(farm.recalls).toHaveLength(2);
  // What comes later is another matter.
  farm.submit(100, 101, 102, 103, 104, 105, 106, 107);
  farm.done(farm.sent.splice(0).filter(({ engine }) => engine === 1));
  expect(farm.recalls).toHaveLength(3);
});
