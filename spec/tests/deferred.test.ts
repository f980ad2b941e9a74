import { describe, expect, test } from 'vitest';
import { Deferred } from '../../core/deferred/index.ts';
import { AlreadyCalledError, UsageError } from '../../core/errors.ts';

/** The outcome at this moment, without waiting; handles an error. */
function outcome(deferred: Deferred<any>): unknown[] {
  let seen: unknown[] = ['none'];
  deferred.tap(
    (value) => (seen = ['value', value]),
    (error) => (seen = ['error', error]),
  );
  return seen;
}

describe('lanes', () => {
  test('callbacks run in the stack of whoever fires, in order, each on what the one before returned', () => {
    const log: number[] = [];
    const d = new Deferred<number>();
    d.addCallback((x) => x + 1)
      .addCallback((x) => x * 10)
      .addCallback((x) => log.push(x));
    d.callback(1);
    expect(log).toEqual([20]);
  });

  test('a callback added after firing runs at once', () => {
    expect(outcome(Deferred.succeed(1).addCallback((x) => x + 1))).toEqual(['value', 2]);
  });

  test('a throw switches to errors, a returning errback back to values', () => {
    const d = Deferred.succeed(1)
      .addCallback(() => {
        throw 'boom';
      })
      .addCallback(() => 'skipped')
      .addErrback((error) => [error]);
    expect(outcome(d)).toEqual(['value', ['boom']]);
  });

  test('the errback of a pair does not see the error of its callback', () => {
    const seen: unknown[] = [];
    const error = new Error('mine');
    const d = Deferred.succeed(1).addCallbacks(
      () => {
        throw error;
      },
      (e) => seen.push(e),
    );
    expect(outcome(d)).toEqual(['error', error]);
    expect(seen).toEqual([]);
  });

  test('addBoth is told which it got', () => {
    expect(outcome(Deferred.succeed(1).addBoth((x, failed) => [x, failed]))).toEqual(['value', [1, false]]);
    expect(outcome(Deferred.fail(2).addBoth((x, failed) => [x, failed]))).toEqual(['value', [2, true]]);
  });

  test('a callback added by a callback runs after it, last in line', () => {
    const log: string[] = [];
    const d = new Deferred<number>();
    d.addCallback(() => {
      d.addCallback(() => log.push('added'));
      log.push('first');
    });
    d.addCallback(() => log.push('second'));
    d.callback(1);
    expect(log).toEqual(['first', 'second', 'added']);
  });

  test('fires once', () => {
    const d = Deferred.succeed(1);
    expect(() => d.callback(2)).toThrow(AlreadyCalledError);
    expect(() => d.errback(2)).toThrow(AlreadyCalledError);
    expect(outcome(d)).toEqual(['value', 1]);
  });

  test('what a tap throws becomes the error', () => {
    const d = Deferred.succeed(1).tap(
      () => {
        throw 'tapped';
      },
      () => {},
    );
    expect(outcome(d)).toEqual(['error', 'tapped']);
  });
});

describe('waiting for another', () => {
  test('takes its outcome over and leaves undefined behind', () => {
    const inner = new Deferred<number>();
    const outer = Deferred.succeed(1).addCallback(() => inner);
    expect(outcome(outer)).toEqual(['none']);
    inner.callback(5);
    expect(outcome(outer)).toEqual(['value', 5]);
    expect(outcome(inner)).toEqual(['value', undefined]);
  });

  test('an error too', () => {
    const inner = Deferred.fail('bad');
    expect(outcome(Deferred.succeed(1).addCallback(() => inner))).toEqual(['error', 'bad']);
    expect(outcome(inner)).toEqual(['value', undefined]);
  });

  test('firing with a Deferred adopts it', () => {
    const inner = new Deferred<number>();
    const outer = new Deferred<number>();
    outer.callback(inner);
    expect(outer.called).toBe(true);
    expect(outcome(outer)).toEqual(['none']);
    inner.callback(3);
    expect(outcome(outer)).toEqual(['value', 3]);
  });

  test('any thenable is waited for', async () => {
    expect(await Deferred.succeed(1).addCallback(async (x) => x + 1)).toBe(2);
    const twice = { then: (f: (x: number) => void) => [f(1), f(2)] } as unknown as PromiseLike<number>;
    expect(await Deferred.succeed(twice)).toBe(1);
    await expect(Deferred.succeed(1).addCallback(() => Promise.reject('no'))).rejects.toBe('no');
  });

  test('a `then` that cannot be read is an error, also when firing with it', () => {
    const broken = Object.defineProperty({}, 'then', {
      get() {
        throw 'unreadable';
      },
    });
    expect(outcome(Deferred.succeed(broken))).toEqual(['error', 'unreadable']);
    expect(outcome(Deferred.succeed(1).addCallback(() => broken))).toEqual(['error', 'unreadable']);
  });

  test('for itself is a TypeError', () => {
    const d: Deferred<unknown> = new Deferred();
    d.addCallback(() => d);
    d.callback(1);
    expect(outcome(d)).toEqual(['error', expect.any(TypeError)]);
    const e = new Deferred<unknown>();
    e.callback(e);
    expect(outcome(e)).toEqual(['error', expect.any(TypeError)]);
  });

  test('in a circle: cancel says so instead of looking for ever', () => {
    const a: Deferred<unknown> = new Deferred();
    const b: Deferred<unknown> = new Deferred();
    a.callback(b);
    b.callback(a);
    expect(() => a.cancel()).toThrow(UsageError);
  });

  test('the waiter goes before what stands in line behind it, which goes on afterwards', () => {
    const log: string[] = [];
    const inner = new Deferred<number>();
    const outer = new Deferred<number>();
    outer.callback(inner);
    inner.addCallback((x) => log.push(`inner ${x}`));
    outer.addCallback((x) => {
      log.push(`outer ${x}`);
      return new Deferred<void>();
    });
    inner.callback(1);
    expect(log).toEqual(['outer 1', 'inner undefined']);
  });

  test('a waiter that waits for the one that is just passing its outcome on', () => {
    const inner = new Deferred<unknown>();
    const outer = new Deferred<unknown>();
    outer.callback(inner);
    inner.addCallback(() => 'rest');
    outer.addCallback(() => inner);
    inner.callback('first');
    expect(outcome(outer)).toEqual(['value', 'rest']);
  });
});

describe('100,000 links need no stack', () => {
  const N = 100_000;

  test('callbacks of one Deferred', () => {
    const d = new Deferred<number>();
    for (let i = 0; i < N; i++) d.addCallback((x) => x + 1);
    d.callback(0);
    expect(outcome(d)).toEqual(['value', N]);
  });

  test('Deferreds that each wait for the next, and the cancel that goes through them', () => {
    for (const finish of [(d: Deferred<number>) => d.callback(7), (d: Deferred<number>) => d.errback(7)]) {
      const all = Array.from({ length: N }, () => new Deferred<number>());
      all.forEach((d, i) => {
        if (i < N - 1) d.callback(all[i + 1]!);
      });
      finish(all[N - 1]!);
      expect(outcome(all[0]!)[1]).toBe(7);
    }
    let cancelled = 0;
    const last = new Deferred<number>(() => cancelled++);
    let first = last;
    for (let i = 0; i < N; i++) {
      const next = first;
      first = Deferred.succeed(0).addCallback(() => next);
    }
    first.cancel('enough');
    expect(cancelled).toBe(1);
    expect(outcome(first)).toEqual(['error', expect.objectContaining({ cause: 'enough' })]);
  });

  test('with more callbacks behind each waiter', () => {
    const all = Array.from({ length: N }, () => new Deferred<number>());
    let behind = 0;
    all.forEach((d, i) => {
      if (i < N - 1) d.callback(all[i + 1]!);
      if (i > 0) d.addCallback(() => behind++);
    });
    all[N - 1]!.callback(7);
    expect(behind).toBe(N - 1);
    expect(outcome(all[0]!)).toEqual(['value', 7]);
  });
});

describe('pause', () => {
  test('counts', () => {
    const d = new Deferred<number>();
    d.pause();
    d.pause();
    d.callback(1);
    d.unpause();
    expect(outcome(d)).toEqual(['none']);
    const seen: unknown[] = [];
    d.addCallback((x) => seen.push(x));
    d.unpause();
    expect(seen).toEqual([1]);
    expect(() => d.unpause()).toThrow(UsageError);
  });

  test('holds up those who wait for it, and cannot be used to stop waiting', () => {
    const inner = new Deferred<number>();
    const outer = new Deferred<number>();
    outer.callback(inner);
    inner.pause();
    inner.callback(1);
    expect(outcome(outer)).toEqual(['none']);
    expect(() => outer.unpause()).toThrow(UsageError);
    inner.unpause();
    expect(outcome(outer)).toEqual(['value', 1]);
  });

  test('by a callback holds up the next one', () => {
    const d = new Deferred<number>();
    const log: string[] = [];
    d.addCallback(() => d.pause()).addCallback(() => log.push('later'));
    d.callback(1);
    expect(log).toEqual([]);
    d.unpause();
    expect(log).toEqual(['later']);
  });
});

test('maybe: a value, a throw, a promise, a Deferred', async () => {
  const d = new Deferred<number>();
  expect(Deferred.maybe(() => d)).toBe(d);
  expect(outcome(Deferred.maybe(() => 1))).toEqual(['value', 1]);
  expect(
    outcome(
      Deferred.maybe(() => {
        throw 'no';
      }),
    ),
  ).toEqual(['error', 'no']);
  expect(await Deferred.maybe(async () => 2)).toBe(2);
});
