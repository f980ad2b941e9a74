import { AsyncLocalStorage } from 'node:async_hooks';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { co, Deferred, TestClock, wait } from '../../core/deferred/index.ts';
import { CancelledError, TimeoutError, UsageError } from '../../core/errors.ts';
import { errorOf, outcome, resultOf } from './support/outcome.ts';

describe('co', () => {
  test('gives what the function returns, after waiting for it, or throws', async () => {
    expect(
      resultOf(
        co(function* () {
          const a = yield* wait(Deferred.succeed(1));
          const b = yield* wait(2);
          return a + b;
        }),
      ),
    ).toBe(3);
    expect(
      await co(function* () {
        return Promise.resolve((yield* wait(Promise.resolve('x'))) + 1);
      }),
    ).toBe('x1');
    expect(
      errorOf(
        co(function* () {
          yield* wait(Deferred.fail('bad'));
        }),
      ),
    ).toBe('bad');
  });

  test('runs at once, and goes on in the stack of whoever fires', () => {
    const log: unknown[] = [];
    const d = new Deferred<string>();
    const result = co(function* () {
      log.push('started');
      log.push(yield* wait(d));
    });
    log.push('waiting');
    d.callback('fired');
    expect(log).toEqual(['started', 'waiting', 'fired']);
    expect(outcome(result)).toEqual({ value: undefined });
    expect(resultOf(d)).toBe('fired');
  });

  test('throws errors at their yield*, where they can be caught', () => {
    const d = new Deferred<number>();
    const result = co(function* () {
      try {
        return yield* wait(d);
      } catch (error) {
        return `caught ${error}`;
      } finally {
        yield* wait(0);
      }
    });
    d.errback('it');
    expect(resultOf(result)).toBe('caught it');
  });

  test('needs no stack for 100,000 outcomes that are there', () => {
    expect(
      resultOf(
        co(function* () {
          let sum = 0;
          for (let i = 0; i < 100_000; i++) sum += yield* wait(i % 2 ? Deferred.succeed(1) : 1);
          return sum;
        }),
      ),
    ).toBe(100_000);
  });

  test('of several coroutines, each goes on when what it waits for is there, in any order', () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 });
    const script = lengths.chain((ns) =>
      fc.tuple(
        fc.constant(ns),
        fc.shuffledSubarray(
          ns.flatMap((n, i) => Array<number>(n).fill(i)),
          { minLength: ns.reduce((a, b) => a + b) },
        ),
      ),
    );
    fc.assert(
      fc.property(script, ([ns, order]) => {
        const log: number[] = [];
        const gates = ns.map((n) => Array.from({ length: n }, () => new Deferred<void>()));
        const results = gates.map((mine, i) =>
          co(function* () {
            for (const gate of mine) {
              yield* wait(gate);
              log.push(i);
            }
            return i;
          }),
        );
        const at = ns.map(() => 0);
        for (const i of order) gates[i]![at[i]!++]!.callback();
        expect(log).toEqual(order);
        expect(results.map(resultOf)).toEqual([...ns.keys()]);
      }),
    );
  });

  test('keeps the AsyncLocalStorage values of its start', () => {
    const storage = new AsyncLocalStorage<string>();
    const d = new Deferred<void>();
    const seen: unknown[] = [];
    storage.run('mine', () =>
      co(function* () {
        seen.push(storage.getStore());
        yield* wait(d);
        seen.push(storage.getStore());
      }),
    );
    storage.run('other', () => d.callback());
    expect(seen).toEqual(['mine', 'mine']);
  });

  test('refuses what is no generator function', () => {
    expect(() => co((() => 1) as never)).toThrow(UsageError);
  });
});

describe('cancelling', () => {
  test('cancels what it waits for, and the error shows up there', () => {
    const asked: unknown[] = [];
    const log: string[] = [];
    const result = co(function* () {
      try {
        yield* wait(new Deferred<void>((_, reason) => asked.push(reason)));
      } finally {
        log.push('cleaned up');
      }
    });
    result.cancel('enough');
    expect([asked, log]).toEqual([['enough'], ['cleaned up']]);
    expect(errorOf(result)).toMatchObject({ code: 'CANCELLED', cause: 'enough' });
  });

  test('may be caught: the function goes on and gives a value', () => {
    const later = new Deferred<string>();
    const result = co(function* () {
      try {
        yield* wait(new Deferred<void>());
      } catch (error) {
        expect(error).toBeInstanceOf(CancelledError);
      }
      return yield* wait(later);
    });
    const got: unknown[] = [];
    result.tap(
      (value) => got.push(value),
      () => {},
    );
    result.cancel();
    expect(got).toEqual([]);
    later.callback('after all');
    expect(got).toEqual(['after all']);
  });

  test('any number of times', () => {
    const other = co(function* () {
      for (let i = 0; ; i++) {
        try {
          yield* wait(new Deferred<void>());
        } catch (error) {
          if (i === 2) throw error;
        }
      }
    });
    const got: unknown[] = [];
    other.addErrback((error) => got.push(error));
    for (let i = 0; i < 3; i++) {
      expect(got).toEqual([]);
      other.cancel();
    }
    expect(got).toEqual([expect.any(CancelledError)]);
  });

  test('goes through coroutines that wait for each other, and promises', async () => {
    const inner = co(function* () {
      yield* wait(new Promise<void>(() => {}));
    });
    const outer = co(function* () {
      yield* wait(inner);
    });
    outer.cancel();
    expect(errorOf(outer)).toBeInstanceOf(CancelledError);
    expect(errorOf(inner)).toBe(errorOf(outer));
  });

  test('while it runs cancels the next thing it waits for', () => {
    const gate = new Deferred<void>();
    const next = new Deferred<void>();
    const result: Deferred<void> = co(function* () {
      yield* wait(gate);
      result.cancel('from inside');
      yield* wait(next);
    });
    gate.callback();
    expect(next.called).toBe(true);
    expect(errorOf(result)).toMatchObject({ cause: 'from inside' });
  });

  test('by a timeout', () => {
    const clock = new TestClock();
    const result = co(function* () {
      yield* wait(new Deferred<void>());
    }).addTimeout(10, clock);
    clock.advance(10);
    expect(errorOf(result)).toBeInstanceOf(TimeoutError);
  });

  test('after the end does nothing', () => {
    const result = co(function* () {
      return yield* wait(1);
    });
    result.cancel();
    expect(resultOf(result)).toBe(1);
  });
});
