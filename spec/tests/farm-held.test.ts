/** Results that wait on the controller for what their tasks have printed. */
import { expect, test } from 'vitest';
import { farmHalf } from './support/farm-half.ts';

/** What is held leaves together with all that is decided in the same turn. */
const turned = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('a result waits for what its task has printed, and no other does', async () => {
  const farm = await farmHalf([0]);
  farm.submit(1);
  farm.done(farm.sent[0]!, { end: 100 });
  // The engine is free all the same.
  farm.submit(2);
  farm.done(farm.sent[1]!);
  expect(farm.settled).toEqual([2]);
  expect(farm.held).toMatchObject([{ engine: 0, end: 100 }]);
  farm.held[0]!.then(false);
  await turned();
  expect(farm.settled).toEqual([2, 1]);
});

test('an engine that is lost before that has its task run again, once', async () => {
  const farm = await farmHalf([0]);
  farm.submit(1);
  for (let life = 0; life < 2; life++) {
    expect(farm.sent).toHaveLength(life + 1);
    farm.done(farm.sent[life]!, { end: 100 });
    expect(farm.settled).toEqual([]);
    farm.lost(0);
    await turned();
    farm.joined(0);
  }
  expect(farm.sent).toHaveLength(2);
  expect(farm.settled).toEqual([1]);
});

test('an engine drains when that has been passed on', async () => {
  const farm = await farmHalf([0]);
  farm.submit(1);
  farm.done(farm.sent[0]!, { end: 100 });
  let drained = false;
  const draining = farm.drain(0).then(() => void (drained = true));
  await turned();
  expect(drained).toBe(false);
  farm.held[0]!.then(false);
  await draining;
});
