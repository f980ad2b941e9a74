/** Results that wait on the controller for what their tasks have told. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PassedOn } from '../../core/controller/passed-on.ts';

test('each is let go at once when what it waits for has come, in whatever order they are asked', () => {
  const step = fc.oneof(
    fc.record({ when: fc.integer({ min: 1, max: 100 }) }),
    fc.record({ upTo: fc.integer({ min: 1, max: 100 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const passed = new PassedOn();
      let come = 0;
      let waiting: number[] = [];
      const free: number[] = [];
      for (const step of steps) {
        if ('when' in step) {
          waiting.push(step.when);
          passed.when(step.when, (lost) => {
            assert.ok(!lost);
            free.push(step.when);
          });
        } else {
          come = Math.max(come, step.upTo);
          passed.upTo(step.upTo);
        }
        const due = waiting.filter((end) => end <= come).sort((a, b) => a - b);
        waiting = waiting.filter((end) => end > come);
        assert.deepEqual(free.splice(0), due);
      }
    }),
  );
});

test('a supervisor that is gone holds nobody; the next one says how far it is', () => {
  const passed = new PassedOn();
  const seen: string[] = [];
  const when = (end: number): void => passed.when(end, (lost) => seen.push(`${end}${lost ? ' lost' : ''}`));
  passed.from(0);
  when(10);
  when(20);
  passed.broken();
  expect(seen.splice(0)).toEqual(['10', '20']);
  when(30);
  expect(seen.splice(0)).toEqual(['30']);
  passed.from(40);
  when(40);
  when(41);
  expect(seen.splice(0)).toEqual(['40']);
  // One in place of another, without an end between.
  passed.from(45);
  expect(seen.splice(0)).toEqual(['41']);
  when(50);
  passed.lost();
  when(60);
  expect(seen).toEqual(['50 lost', '60']);
});

test('what makes no sense holds nobody', () => {
  const passed = new PassedOn();
  let freed = 0;
  passed.when(Number.NaN, () => freed++);
  passed.upTo(Number.NaN);
  passed.when(1, () => freed++);
  passed.upTo(2);
  expect(freed).toBe(2);
});

test('who is let go may wait again', () => {
  const passed = new PassedOn();
  const seen: number[] = [];
  const again = (end: number): void =>
    passed.when(end, () => {
      seen.push(end);
      if (end < 5) again(end + 1);
    });
  again(1);
  passed.upTo(3);
  expect(seen).toEqual([1, 2, 3]);
  passed.upTo(9);
  expect(seen).toEqual([1, 2, 3, 4, 5]);
});
