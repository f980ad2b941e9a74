/** Tasks that submit tasks: what becomes of those when the first ones are stopped. */
import { CancelledError, TimeoutError } from 'tutti';
import type { Farm } from 'tutti/paradigms';
import { describe, expect, test } from 'vitest';
import { eventually, farming, outcome } from './support/farm.ts';

/** Submits tasks that never end, and waits for them; `options`: how. */
const parent = async (options: object, also?: 'map'): Promise<unknown> => {
  const { task } = globalThis as any;
  // As a program there would name it; not as this test's own loader would.
  const paradigms: string = ['tutti', 'paradigms'].join('/');
  const { taskFarm } = await import(paradigms);
  const farm: Farm = (await task.client()).use(taskFarm).with(options);
  const forever = (): Promise<never> => new Promise(() => {});
  const all = also ? [farm.map([1, 2], forever)] : [farm.submit(forever), farm.submit(forever)];
  const settled = await Promise.allSettled(all);
  return settled.map((one) => one.status === 'rejected' && one.reason.name);
};

const COUNTS = { waiting: 0, queued: 0, running: 0 };

test('a task beside which others may run gives its place away, too', () =>
  farming(
    async (farm) => {
      const nested = async (): Promise<number> => {
        const paradigms: string = ['tutti', 'paradigms'].join('/');
        const { taskFarm } = await import(paradigms);
        const inner: Farm = (await (globalThis as any).task.client()).use(taskFarm);
        return inner.submit(() => 7);
      };
      expect(await farm.submit(nested)).toBe(7);
    },
    { engines: 1, farm: { concurrency: 2 } },
  ));

describe.each(['thread', 'process'] as const)('%s engines', (kind) => {
  test.each([
    ['cancelled', (farm: Farm) => farm.submit(parent, {}), CancelledError],
    ['cancelled, with a map', (farm: Farm) => farm.submit(parent, {}, 'map'), CancelledError],
    ['interrupted', (farm: Farm) => farm.submit(parent, {}), Error],
    ['too slow', (farm: Farm) => farm.with({ timeout: 1_500 }).submit(parent, {}), TimeoutError],
    ['late', (farm: Farm) => farm.with({ deadline: 1_500 }).submit(parent, {}), TimeoutError],
  ] as const)('%s: what it has submitted ends, too', (how, begin, error) =>
    farming(
      async (farm) => {
        const result = begin(farm);
        const ended = outcome(result);
        if (how.startsWith('cancelled') || how === 'interrupted') {
          await eventually(async () => (await farm.stats()).running).toBe(3);
          await (how === 'interrupted' ? result.interrupt() : result.cancel());
        }
        expect(await ended).toBeInstanceOf(error);
        await eventually(async () => await farm.stats()).toMatchObject(COUNTS);
        expect(await farm.submit(() => 'free')).toBe('free');
      },
      { kind },
    ),
  );
});

test('detached ones go on, and so do those of a task that has ended by itself', () =>
  farming(
    async (farm) => {
      const detached = farm.submit(parent, { detached: true, label: 'far' });
      const ended = outcome(detached);
      await eventually(async () => (await farm.stats()).running).toBe(3);
      await detached.cancel();
      await ended;
      await eventually(async () => (await farm.stats()).running).toBe(2);
      const leaves = farm.submit(async () => {
        const paradigms: string = ['tutti', 'paradigms'].join('/');
        const { taskFarm } = await import(paradigms);
        const inner: Farm = (await (globalThis as any).task.client())
          .use(taskFarm)
          .with({ detached: true, label: 'child' });
        inner.submit(() => new Promise<string>((resolve) => setTimeout(() => resolve('done'), 50)));
        await inner.accepted();
        return 'left';
      });
      expect(await leaves).toBe('left');
      expect(await farm.collect('child')).toBe('done');
    },
    { engines: 3 },
  ));
