import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Deferred, DeferredLock, DeferredSemaphore } from '../../core/deferred/index.ts';
import { CancelledError, UsageError } from '../../core/errors.ts';
import { errorOf, outcome, resultOf } from './support/outcome.ts';

test('tokens go to who asked first, never more than there are; who cancels leaves the line', () => {
  const steps = fc.array(
    fc.oneof(
      fc.constant({ do: 'acquire' } as const),
      fc.constant({ do: 'release' } as const),
      fc.record({ do: fc.constant('cancel' as const), of: fc.nat(9) }),
    ),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3 }), steps, (limit, script) => {
      const semaphore = new DeferredSemaphore(limit);
      const got: number[] = [];
      const asked: Deferred<unknown>[] = [];
      const model = { free: limit, line: [] as number[], got: [] as number[] };
      const serve = () => {
        while (model.free > 0 && model.line.length > 0) {
          model.free--;
          model.got.push(model.line.shift()!);
        }
      };
      for (const step of script) {
        if (step.do === 'acquire') {
          const id = asked.length;
          asked.push(
            semaphore.acquire().addCallbacks(
              () => got.push(id),
              () => {},
            ),
          );
          model.line.push(id);
        } else if (step.do === 'cancel') {
          asked[step.of]?.cancel();
          model.line = model.line.filter((id) => id !== step.of);
        } else if (model.free === limit) {
          expect(() => semaphore.release()).toThrow(UsageError);
        } else {
          semaphore.release();
          model.free++;
        }
        serve();
        expect(got).toEqual(model.got);
        expect([semaphore.tokens, semaphore.waiting]).toEqual([model.free, model.line.length]);
      }
    }),
  );
});

describe('run', () => {
  test('gives the token back on success, on failure and on cancel', () => {
    const lock = new DeferredLock();
    expect(resultOf(lock.run(() => 1))).toBe(1);
    expect(
      errorOf(
        lock.run(() => {
          throw 'bad';
        }),
      ),
    ).toBe('bad');
    const running = lock.run(() => new Deferred<number>());
    const next = lock.run(() => 'next');
    expect([lock.locked, lock.waiting, outcome(next)]).toEqual([true, 1, undefined]);
    running.cancel();
    expect(errorOf(running)).toBeInstanceOf(CancelledError);
    expect(resultOf(next)).toBe('next');
    expect(lock.locked).toBe(false);
  });

  test('that is cancelled in the line never calls, and takes no token', () => {
    const lock = new DeferredLock();
    lock.acquire();
    let calls = 0;
    const waiting = lock.run(() => calls++);
    waiting.cancel();
    expect(errorOf(waiting)).toBeInstanceOf(CancelledError);
    lock.release();
    expect([calls, lock.tokens, lock.waiting]).toEqual([0, 1, 0]);
  });

  test('of 100,000 in one line needs no stack', () => {
    const lock = new DeferredLock();
    lock.acquire();
    let calls = 0;
    for (let i = 0; i < 100_000; i++) lock.run(() => calls++);
    lock.release();
    expect([calls, lock.tokens]).toEqual([100_000, 1]);
  });
});

test('what is held goes back at the end of its block, once', async () => {
  const semaphore = new DeferredSemaphore(2);
  {
    await using held = await semaphore.hold();
    expect(semaphore.tokens).toBe(1);
    held.release();
    held.release();
    expect(semaphore.tokens).toBe(2);
  }
  expect(semaphore.tokens).toBe(2);
  await expect(
    (async () => {
      await using _held = await semaphore.hold();
      throw new Error('inside');
    })(),
  ).rejects.toThrow('inside');
  expect(semaphore.tokens).toBe(2);
});

test('of less than one token is refused', () => {
  for (const limit of [0, -1, 1.5, Number.NaN]) expect(() => new DeferredSemaphore(limit)).toThrow(UsageError);
  expect(() => new DeferredLock().release()).toThrow(UsageError);
});
