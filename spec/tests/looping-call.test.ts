import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Deferred, LoopingCall, TestClock } from '../../core/deferred/index.ts';
import { CancelledError, UsageError } from '../../core/errors.ts';
import { errorOf, outcome, resultOf } from './support/outcome.ts';

test('calls on the grid, leaves out what it missed, and counts it', () => {
  const steps = fc.array(fc.integer({ min: 0, max: 35 }), { maxLength: 40 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10 }), fc.boolean(), steps, (interval, now, pumped) => {
      const clock = new TestClock();
      clock.advance(7);
      const seen: [number, number][] = [];
      const loop = LoopingCall.withCount((count) => seen.push([clock.now(), count]), clock);
      loop.start(interval, { now });
      const expected: [number, number][] = now ? [[7, 1]] : [];
      let tick = 0;
      for (const ms of pumped) {
        clock.advance(ms);
        const passed = Math.floor((clock.now() - 7) / interval);
        if (passed > tick) expected.push([clock.now(), passed - tick]);
        tick = passed;
      }
      expect(seen).toEqual(expected);
      expect(clock.calls.map(({ due }) => due)).toEqual([7 + (tick + 1) * interval]);
    }),
  );
});

test('the counts of calls that take their time add up to the times of the grid', () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('advance' as const), ms: fc.integer({ min: 0, max: 35 }) }),
    fc.constant({ do: 'finish' } as const),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (script) => {
      const clock = new TestClock();
      let running: Deferred<void> | undefined;
      let total = 0;
      const loop = LoopingCall.withCount((count) => {
        expect(running).toBeUndefined();
        total += count;
        running = new Deferred<void>();
        return running;
      }, clock);
      loop.start(10);
      for (const { do: action, ...rest } of script) {
        const before = running;
        if (action === 'advance') clock.advance((rest as { ms: number }).ms);
        else if (before) {
          running = undefined;
          before.callback();
        }
        expect(clock.pending).toBe(running ? 0 : 1);
        if (!running) continue;
        const passed = 1 + Math.floor(clock.now() / 10);
        expect(total).toBeLessThanOrEqual(passed);
        if (running !== before) expect(total).toBe(passed);
      }
    }),
  );
});

test('a timer that comes early is not given the same time of the grid again', () => {
  const clock = new TestClock();
  const early = { now: () => clock.now() * 0.999, callLater: clock.callLater.bind(clock) };
  let calls = 0;
  new LoopingCall(() => calls++, early).start(10, { now: false });
  for (let i = 0; i < 10; i++) clock.advance(10);
  expect(calls).toBeLessThanOrEqual(10);
  expect(calls).toBeGreaterThanOrEqual(9);
});

test('an interval of 0 calls as often as the clock lets it', () => {
  const clock = new TestClock();
  let calls = 0;
  const loop = LoopingCall.withCount((count) => {
    calls += count;
    if (calls === 5) loop.stop();
  }, clock);
  const done = loop.start(0);
  expect(calls).toBe(1);
  clock.advance(0);
  expect(calls).toBe(5);
  expect(resultOf(done)).toBe(loop);
});

describe('ends', () => {
  test('by stop, at once', () => {
    const clock = new TestClock();
    const loop = new LoopingCall(() => {}, clock);
    const done = loop.start(10);
    expect(loop.running).toBe(true);
    loop.stop();
    expect([loop.running, clock.pending, resultOf(done)]).toEqual([false, 0, loop]);
    expect(() => loop.stop()).toThrow(UsageError);
    expect(() => loop.reset()).toThrow(UsageError);
    loop.start(10);
    expect(clock.pending).toBe(1);
  });

  test('by stop during a call, when that is through', () => {
    const clock = new TestClock();
    const running = new Deferred<void>();
    const loop = new LoopingCall(() => running, clock);
    const done = loop.start(10);
    loop.stop();
    expect([loop.running, outcome(done)]).toEqual([false, undefined]);
    expect(() => loop.start(10)).toThrow(UsageError);
    running.callback();
    expect([resultOf(done), clock.pending]).toEqual([loop, 0]);
  });

  test('by an error, which start gives', async () => {
    const clock = new TestClock();
    let calls = 0;
    const loop = new LoopingCall(() => {
      if (++calls === 2) throw 'bad';
    }, clock);
    const done = loop.start(10);
    clock.advance(10);
    expect([errorOf(done), loop.running, clock.pending]).toEqual(['bad', false, 0]);
    await expect(new LoopingCall(async () => Promise.reject('later'), clock).start(10)).rejects.toBe('later');
  });

  test('by cancelling, what it waits for included', () => {
    const clock = new TestClock();
    const idle = new LoopingCall(() => {}, clock).start(10);
    idle.cancel('enough');
    expect([errorOf(idle).cause, clock.pending]).toEqual(['enough', 0]);

    const inner = new Deferred<void>();
    const loop = new LoopingCall(() => inner, clock);
    const busy = loop.start(10);
    busy.cancel();
    expect(errorOf(busy)).toBeInstanceOf(CancelledError);
    expect([inner.called, loop.running, clock.pending]).toEqual([true, false, 0]);
  });
});

test('reset begins a new grid', () => {
  const clock = new TestClock();
  const seen: [number, number][] = [];
  const loop = LoopingCall.withCount((count) => seen.push([clock.now(), count]), clock);
  loop.start(10);
  clock.advance(4);
  loop.reset();
  clock.pump([6, 4, 10, 25]);
  expect(seen).toEqual([
    [0, 1],
    [14, 1],
    [24, 1],
    [49, 2],
  ]);
});

test('an interval that makes no sense is refused', () => {
  for (const bad of [-1, Number.NaN]) expect(() => new LoopingCall(() => {}).start(bad)).toThrow(UsageError);
});
