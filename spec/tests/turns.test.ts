/** Tasks take turns: what one has told is on its way before the next one holds the thread, however it has ended. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { cluster } from 'tutti';
import { expect, test } from 'vitest';

test.each<[string, () => number | Promise<number>]>([
  ['a synchronous one', () => 1],
  ['an asynchronous one that does not wait', async () => 1],
  [
    'one that waits',
    async () => {
      await sleep(1);
      return 1;
    },
  ],
])('%s', async (_, brief) => {
  // Of its own for each: what has always been over at once may enter along with others.
  await using c = await cluster({ engines: 1, kind: 'thread' });
  const one = c.engine(0);
  const results = [one.apply(brief), one.apply(brief)];
  // Ends when this thread, which has the results of those before, says so.
  const flag = new Int32Array(new SharedArrayBuffer(4));
  const next = one.apply((heard: Int32Array) => void Atomics.wait(heard, 0, 0), flag);
  assert.deepEqual(await Promise.all(results), [1, 1]);
  Atomics.store(flag, 0, 1);
  Atomics.notify(flag, 0);
  await next;
});

test.each<[string, () => unknown]>([
  [
    'a promise whose then throws',
    () =>
      Object.assign(Promise.resolve(1), {
        then() {
          throw new RangeError('not so');
        },
      }),
  ],
  [
    'a then that cannot be read',
    () => ({
      get then() {
        throw new RangeError('not so');
      },
    }),
  ],
])('a task that returns %s fails, and the next one has its turn', async (_, returns) => {
  await using c = await cluster({ engines: 1, kind: 'thread' });
  const one = c.engine(0);
  await expect(one.apply(returns)).rejects.toThrow('not so');
  assert.equal(await one.apply(() => 2), 2);
});
