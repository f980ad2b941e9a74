import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type DelayedCall, realClock, TestClock } from '../../core/deferred/index.ts';
import { UsageError } from '../../core/errors.ts';

test('a TestClock makes its calls in order of time, ties in the order in which they were asked for or moved', () => {
  const ms = fc.nat(20);
  const of = fc.nat(9);
  const steps = fc.array(
    fc.oneof(
      fc.record({ do: fc.constant('call' as const), ms }),
      fc.record({ do: fc.constant('advance' as const), ms }),
      fc.record({ do: fc.constant('cancel' as const), of }),
      fc.record({ do: fc.constant('reset' as const), of, ms }),
      fc.record({ do: fc.constant('delay' as const), of, ms: fc.integer({ min: -20, max: 20 }) }),
    ),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(steps, (script) => {
      const clock = new TestClock();
      const calls: DelayedCall[] = [];
      const log: string[] = [];
      const expected: string[] = [];
      let now = 0;
      let model: { id: number; due: number; asked: number }[] = [];
      for (const [asked, step] of script.entries()) {
        if (step.do === 'call') {
          const id = calls.length;
          calls.push(clock.callLater(step.ms, () => log.push(`${id}@${clock.now()}`)));
          model.push({ id, due: now + step.ms, asked });
        } else if (step.do === 'advance') {
          clock.advance(step.ms);
          now += step.ms;
          const due = model.filter((call) => call.due <= now).sort((a, b) => a.due - b.due || a.asked - b.asked);
          expected.push(...due.map(({ id }) => `${id}@${now}`));
          model = model.filter((call) => call.due > now);
        } else if (calls[step.of]) {
          const call = calls[step.of]!;
          const known = model.find(({ id }) => id === step.of);
          expect(call.active).toBe(known !== undefined);
          if (step.do === 'cancel') {
            call.cancel();
            model = model.filter((other) => other !== known);
          } else if (!known) {
            expect(() => call[step.do](step.ms)).toThrow(UsageError);
          } else {
            call[step.do](step.ms);
            known.due = step.ms + (step.do === 'reset' ? now : known.due);
            known.asked = asked;
          }
        }
        expect(log).toEqual(expected);
        expect(clock.pending).toBe(model.length);
        expect(clock.calls.map(({ due }) => due)).toEqual(model.map(({ due }) => due).sort((a, b) => a - b));
      }
    }),
  );
});

test('what a call throws comes out of advance; those behind it are made by the next one', () => {
  const clock = new TestClock();
  const log: string[] = [];
  clock.callLater(1, () => {
    throw new Error('from a call');
  });
  clock.callLater(2, () => log.push('behind'));
  expect(() => clock.advance(5)).toThrow('from a call');
  clock.advance(0);
  expect(log).toEqual(['behind']);
});

test('pump advances step by step', () => {
  const clock = new TestClock();
  const seen: number[] = [];
  clock.callLater(5, () => seen.push(clock.now()));
  clock.callLater(6, () => seen.push(clock.now()));
  clock.pump([2, 3, 5]);
  expect(seen).toEqual([5, 10]);
});

describe('the real clock', () => {
  test('moves calls, and knows which are still to be made', async () => {
    const log: string[] = [];
    const far = realClock.callLater(1_000_000, () => log.push('far'));
    const near = realClock.callLater(1_000_000, () => log.push('near'));
    await new Promise<void>((resolve) => {
      far.reset(1);
      near.delay(-1_000_000);
      near.delay(0);
      const both = () => (log.length === 2 ? resolve() : realClock.callLater(1, both));
      both();
    });
    expect([far.active, near.active]).toEqual([false, false]);
    expect(() => far.reset(1)).toThrow(UsageError);
    expect(() => near.delay(1)).toThrow(UsageError);
    const cancelled = realClock.callLater(1_000_000, () => {});
    expect(cancelled.active).toBe(true);
    cancelled.cancel();
    cancelled.cancel();
    expect(cancelled.active).toBe(false);
  });
});
