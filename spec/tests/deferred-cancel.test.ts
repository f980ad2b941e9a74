import { describe, expect, test } from 'vitest';
import { Deferred, realClock, TestClock } from '../../core/deferred/index.ts';
import { AlreadyCalledError, CancelledError, TimeoutError, UsageError } from '../../core/errors.ts';

function errorOf(deferred: Deferred<any>): any {
  let seen: unknown;
  deferred.tap(
    () => {},
    (error) => (seen = error),
  );
  return seen;
}

describe('cancel', () => {
  test('asks the canceller, with the reason, then fails', () => {
    const asked: unknown[] = [];
    const d = new Deferred<number>((self, reason) => asked.push(self, reason));
    d.cancel('enough');
    d.cancel('again');
    expect(asked).toEqual([d, 'enough']);
    expect(errorOf(d)).toBeInstanceOf(CancelledError);
    expect(errorOf(d)).toMatchObject({ message: 'Cancelled: enough', cause: 'enough' });
  });

  test('a reason that is an Error is the cause; a CancelledError is kept', () => {
    const reason = new RangeError('far');
    const d = new Deferred<number>();
    d.cancel(reason);
    expect(errorOf(d)).toMatchObject({ code: 'CANCELLED', message: 'Cancelled: far', cause: reason });
    const again = new Deferred<number>();
    again.cancel(errorOf(d));
    expect(errorOf(again)).toBe(errorOf(d));
  });

  test('the canceller may fire, cancel again, or throw', () => {
    const value = new Deferred<number>((d) => d.callback(5));
    value.cancel();
    let got: unknown;
    value.addCallback((x) => (got = x));
    expect(got).toBe(5);

    const again = new Deferred<number>((d) => d.cancel());
    again.cancel();
    expect(errorOf(again)).toBeInstanceOf(CancelledError);

    const error = new Error('no');
    const throwing = new Deferred<number>(() => {
      throw error;
    });
    throwing.cancel();
    expect(errorOf(throwing)).toBe(error);
  });

  test('without a canceller, one late result is swallowed; with one, none', () => {
    const d = new Deferred<number>();
    d.cancel();
    d.callback(1);
    expect(() => d.callback(2)).toThrow(AlreadyCalledError);
    expect(errorOf(d)).toBeInstanceOf(CancelledError);
    const e = new Deferred<number>(() => {});
    e.cancel();
    expect(() => e.errback(1)).toThrow(AlreadyCalledError);
    errorOf(e);
  });

  test('with a result does nothing; while waiting cancels what is waited for', () => {
    const done = Deferred.succeed(1);
    done.cancel();
    expect(errorOf(done)).toBeUndefined();
    const inner = new Deferred<number>();
    const outer = new Deferred<number>();
    outer.callback(inner);
    outer.cancel();
    expect(inner.called).toBe(true);
    expect(errorOf(outer)).toBeInstanceOf(CancelledError);
    expect(errorOf(inner)).toBeUndefined();
  });

  test('while waiting for a promise: fails at once, and the promise may do what it likes', async () => {
    const { promise, reject } = withResolvers();
    const d = Deferred.succeed(1).addCallback(() => promise);
    d.cancel();
    expect(errorOf(d)).toBeInstanceOf(CancelledError);
    reject(new Error('late'));
    await promise.catch(() => {});
  });
});

describe('addTimeout', () => {
  test('cancels, and says how long', () => {
    const clock = new TestClock();
    let cancelled = 0;
    const d = new Deferred<number>(() => cancelled++).addTimeout(50, clock);
    clock.advance(49);
    expect(d.called).toBe(false);
    clock.advance(1);
    expect(cancelled).toBe(1);
    expect(errorOf(d)).toBeInstanceOf(TimeoutError);
    expect(errorOf(d).message).toContain('50 ms');
  });

  test('is gone once there is an outcome', () => {
    const clock = new TestClock();
    for (const settle of [(d: Deferred<number>) => d.callback(1), (d: Deferred<number>) => d.errback('bad')]) {
      const d = new Deferred<number>().addTimeout(50, clock);
      expect(clock.pending).toBe(1);
      settle(d);
      expect(clock.pending).toBe(0);
      expect([undefined, 'bad']).toContain(errorOf(d));
    }
  });

  test('covers the callbacks added before it, not those added after', () => {
    const clock = new TestClock();
    const before = Deferred.succeed(1)
      .addCallback(() => new Deferred<number>())
      .addTimeout(50, clock);
    const after = Deferred.succeed(1)
      .addTimeout(50, clock)
      .addCallback(() => new Deferred<number>());
    let touched = false;
    after.addBoth(() => (touched = true));
    clock.advance(100);
    expect(errorOf(before)).toBeInstanceOf(TimeoutError);
    expect(touched).toBe(false);
  });

  test('a cancel by hand stays a CancelledError, another outcome of the canceller what it is', () => {
    const clock = new TestClock();
    const byHand = new Deferred<number>().addTimeout(50, clock);
    byHand.cancel();
    expect(errorOf(byHand)).toBeInstanceOf(CancelledError);
    const other = new Deferred<number>((d) => d.errback('other')).addTimeout(50, clock);
    clock.advance(50);
    expect(errorOf(other)).toBe('other');
  });

  test('with the real clock', async () => {
    await expect(new Deferred<number>().addTimeout(1)).rejects.toBeInstanceOf(TimeoutError);
  });
});

describe('clocks', () => {
  test('a TestClock moves first, then calls in order of time, those included that a call adds', () => {
    const clock = new TestClock();
    const log: string[] = [];
    const call = (name: string, ms: number) => clock.callLater(ms, () => log.push(`${name}@${clock.now()}`));
    call('b', 20);
    call('a', 10);
    call('c', 20);
    call('never', 15).cancel();
    call('late', 31);
    clock.callLater(5, () => call('added', 0));
    clock.advance(30);
    expect(log).toEqual(['a@30', 'b@30', 'c@30', 'added@30']);
    expect(clock.pending).toBe(1);
  });

  test('refuse delays that cannot be', () => {
    for (const clock of [new TestClock(), realClock]) {
      for (const ms of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
        expect(() => clock.callLater(ms, () => {})).toThrow(UsageError);
      }
    }
    expect(() => new TestClock().advance(-1)).toThrow(UsageError);
  });

  test('the real clock calls later and cancels', async () => {
    const start = realClock.now();
    const log: string[] = [];
    await new Promise<void>((resolve) => {
      realClock.callLater(1, () => log.push('cancelled')).cancel();
      realClock.callLater(2, resolve);
    });
    expect(log).toEqual([]);
    expect(realClock.now()).toBeGreaterThanOrEqual(start);
  });
});

function withResolvers() {
  let reject!: (error: unknown) => void;
  const promise = new Promise<number>((_, r) => {
    reject = r;
  });
  return { promise, reject };
}
