/** What has always been brief is entered lightly. When it goes on for ever all the same, it is stopped like anything else. */
import assert from 'node:assert/strict';
import { type Cluster, cluster, InterruptedError } from 'tutti';
import { taskFarm } from 'tutti/paradigms';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { eventually } from './support/farm.ts';

type Shape = 'brief' | 'counts' | 'empty' | 'sorts' | 'catches';

/** Forms of a function that has been seen to be over at once. */
const shaped = (shape: Shape): string => {
  if (shape === 'brief') return shape;
  if (shape === 'empty') while (true);
  if (shape === 'sorts')
    return [1, 2, 3]
      .sort(() => {
        for (let i = 0; ; i++) Math.sqrt(i);
      })
      .join();
  if (shape === 'catches')
    for (;;)
      try {
        JSON.parse('{');
      } catch {
        // That is what it does.
      }
  let i = 0;
  while (true) i++;
};

for (const kind of ['process', 'thread'] as const)
  describe(`${kind} engines`, () => {
    let c: Cluster;
    beforeAll(async () => {
      c = await cluster({ engines: 1, kind, output: 'ignore' });
      await c.engine(0).push({ kept: 'kept' });
    });
    afterAll(() => c?.close());

    for (const shape of ['counts', 'empty', 'sorts', 'catches'] as const)
      test(`a call that ${shape}`, async () => {
        const one = c.engine(0);
        const { incarnation } = c.engines[0]!;
        // On a busy machine nothing is over at once, and then it is entered like anything else.
        for (let outcome = '', tries = 0; outcome !== 'unwound'; tries++) {
          assert.ok(tries < 20, 'it is always entered through the inspector');
          const call = one.wrap(shaped);
          for (let n = 0; n < 3; n++) assert.equal(await call('brief'), 'brief');
          // They come together, so they enter together.
          const before = [call('brief'), call('brief')];
          const looping = call(shape);
          const after = [call('brief'), one.execute('1 + 1'), call('brief')];
          looping.catch(() => {});
          while (looping.status === 'pending') await new Promise((resolve) => setTimeout(resolve, 5));
          const [stopped] = await looping.interrupt('enough');
          outcome = stopped!.outcome;
          assert.ok(['unwound', 'landed'].includes(outcome), outcome);
          await assert.rejects(async () => looping, { name: 'InterruptedError', message: 'enough' });
          assert.deepEqual(await Promise.all(before), ['brief', 'brief']);
          assert.deepEqual(await Promise.all(after), ['brief', 2, 'brief']);
          assert.equal(await one.pull('kept'), 'kept');
          // Timers, immediates and what is at its await live on.
          assert.equal(
            await one.apply(async () => {
              await new Promise((resolve) => setTimeout(resolve, 1));
              await new Promise((resolve) => setImmediate(resolve));
              return 'alive';
            }),
            'alive',
          );
        }
        assert.equal(c.engines[0]!.incarnation, incarnation);
      });

    test('nothing that is known waits for a call, or a task, that is not', async () => {
      const one = c.engine(0);
      const farm = c.use(taskFarm);
      const short = (x: number): number => x + 1;
      const endless = (): void => {
        for (;;);
      };
      for (const [known, unknown] of [
        [() => one.apply(short, 1), () => one.apply(endless)],
        [() => farm.submit(short, 1), () => farm.submit(endless)],
      ] as const) {
        const results = [known(), known(), known()];
        const loops = unknown();
        loops.catch(() => {});
        assert.deepEqual(await Promise.all(results), [2, 2, 2]);
        await loops.cancel();
      }
    });

    for (const shape of ['counts', 'empty'] as const)
      test(`a task that ${shape}`, async () => {
        const farm = c.use(taskFarm);
        const { incarnation } = c.engines[0]!;
        for (let n = 0; n < 3; n++) assert.equal(await farm.submit(shaped, 'brief'), 'brief');
        const before = farm.submit(shaped, 'brief');
        const looping = farm.submit(shaped, shape);
        const after = farm.submit(shaped, 'brief');
        looping.catch(() => {});
        await eventually(() => looping.status).toBe('running');
        await looping.interrupt();
        assert.ok((await looping.then(String, (error) => error)) instanceof InterruptedError);
        assert.deepEqual(await Promise.all([before, after]), ['brief', 'brief']);
        assert.deepEqual(await farm.map([1, 2, 3], (x: number) => x * 2), [2, 4, 6]);
        assert.equal(c.engines[0]!.incarnation, incarnation);
      });
  });
