/** How much engines have before them, and how long their reports may wait. */
import { expect, test } from 'vitest';
import { Chunks } from '../../paradigms/farm/client/chunks.ts';
import { farmHalf, type Sent } from './support/farm-half.ts';

/** A farm whose engine has run one task of `ran` ms, with so many more to run; and how to take what it was sent since. */
async function busyFarm(tasks: number, ran = 1) {
  const farm = await farmHalf([0]);
  farm.submit(1);
  farm.done(farm.sent.splice(0), { ran });
  farm.submit(...Array.from({ length: tasks }, (_, i) => i + 2));
  const out: Sent[] = [];
  const fetch = (): Sent[] => {
    out.push(...farm.sent.splice(0));
    return out;
  };
  return { farm, out: fetch };
}

test('an engine that runs dry has more before it each time, up to a limit', async () => {
  const { farm, out } = await busyFarm(6_000);
  const sizes: number[] = [];
  for (let report = 0; report < 9; report++) {
    sizes.push(out().length);
    farm.done(out().splice(0));
  }
  expect(sizes).toEqual([10, 20, 40, 80, 160, 320, 640, 1_000, 1_000]);
});

test('one that always has half of it left comes back to less', async () => {
  const { farm, out } = await busyFarm(8_000);
  for (let report = 0; report < 4; report++) farm.done(out().splice(0));
  expect(out()).toHaveLength(160);
  for (let report = 0; report < 1_700; report++) farm.done(out().splice(0, 4));
  expect(out().length).toBeLessThanOrEqual(12);
  expect(out().length).toBeGreaterThanOrEqual(9);
});

test('one that is idle between long tasks gets several at once, as long as many wait', async () => {
  const { farm, out } = await busyFarm(60, 100);
  let now = 1_000;
  /** It reports the first one; the next one begins so many ms after its end. */
  const report = (gap: number): void => {
    farm.done(out().shift()!, { started: now, ran: 100 });
    now += 100 + gap;
  };
  // One of them runs, and the other waits behind it.
  for (let i = 0; i < 5; i++) report(0);
  expect(out()).toHaveLength(2);
  for (let i = 0; i < 10; i++) report(120);
  expect(out().at(-1)!.patience).toBeGreaterThan(200);
  const sizes: number[] = [];
  for (let i = 0; i < 10; i++) {
    report(0);
    sizes.push(out().length);
  }
  // What has ended is made up for when about half of it has.
  const orders = sizes.filter((size, i) => size > (sizes[i - 1] ?? size));
  expect(orders.length).toBeGreaterThanOrEqual(1);
  expect(orders.length).toBeLessThanOrEqual(2);
  expect(Math.min(...orders)).toBeGreaterThanOrEqual(8);
  expect(Math.min(...sizes)).toBeGreaterThanOrEqual(4);
  while (farm.settled.length < 55) report(0);
  // Of the last ones nobody has more than a part.
  expect(out().length).toBeLessThan(5);
});

test('tasks that are given singly, and the last ones, teach nothing', async () => {
  const { farm, out } = await busyFarm(10);
  farm.done(out().splice(0));
  farm.submit(...Array.from({ length: 100 }, (_, i) => 100 + i));
  expect(out()).toHaveLength(10);
});

test('a map is drawn further ahead where its items are long, but not for long', () => {
  const ahead = (given: number | 'auto', ms: number): number => {
    const chunks = new Chunks(given, () => 2);
    expect(chunks.ahead).toBe(4);
    chunks.ran(1, ms);
    return chunks.ahead;
  };
  expect([1, 50, 100, 200, 1_000].map((ms) => ahead('auto', ms))).toEqual([4, 16, 16, 8, 4]);
  expect([1, 10, 100].map((ms) => ahead(10, ms))).toEqual([4, 16, 4]);
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
