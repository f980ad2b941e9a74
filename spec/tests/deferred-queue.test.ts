import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Deferred, DeferredQueue } from '../../core/deferred/index.ts';
import {
  CancelledError,
  QueueClosedError,
  QueueOverflowError,
  QueueUnderflowError,
  UsageError,
} from '../../core/errors.ts';
import { errorOf, outcome, resultOf } from './support/outcome.ts';

test('every value goes to who has waited longest, in order, within the limits', () => {
  const limit = fc.option(fc.nat(3), { nil: undefined });
  const steps = fc.array(
    fc.oneof(
      fc.constant({ do: 'put' } as const),
      fc.constant({ do: 'get' } as const),
      fc.record({ do: fc.constant('cancel' as const), of: fc.nat(9) }),
    ),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(limit, limit, steps, (size, backlog, script) => {
      const queue = new DeferredQueue<number>({ size, backlog });
      const log: string[] = [];
      const expected: string[] = [];
      const getters: Deferred<unknown>[] = [];
      const model = { values: [] as number[], line: [] as number[] };
      for (const [i, step] of script.entries()) {
        if (step.do === 'put') {
          const getter = model.line.shift();
          if (getter !== undefined) expected.push(`${getter} got ${i}`);
          else if (model.values.length < (size ?? Number.POSITIVE_INFINITY)) model.values.push(i);
          else {
            expect(() => queue.put(i)).toThrow(QueueOverflowError);
            continue;
          }
          queue.put(i);
        } else if (step.do === 'get') {
          if (model.values.length === 0 && model.line.length >= (backlog ?? Number.POSITIVE_INFINITY)) {
            expect(() => queue.get()).toThrow(QueueUnderflowError);
            continue;
          }
          const id = getters.length;
          if (model.values.length > 0) expected.push(`${id} got ${model.values.shift()}`);
          else model.line.push(id);
          getters.push(
            queue.get().addCallbacks(
              (value) => log.push(`${id} got ${value}`),
              (error) => log.push(`${id} ${(error as Error).name}`),
            ),
          );
        } else {
          if (model.line.includes(step.of)) expected.push(`${step.of} CancelledError`);
          model.line = model.line.filter((id) => id !== step.of);
          getters[step.of]?.cancel();
        }
        expect(log).toEqual(expected);
        expect([queue.size, queue.waiting]).toEqual([model.values.length, model.line.length]);
      }
    }),
  );
});

describe('close', () => {
  test('ends who waits, refuses what comes, and gives what is left', () => {
    const queue = new DeferredQueue<number>();
    const waiting = queue.get();
    queue.close();
    queue.close();
    expect(errorOf(waiting)).toBeInstanceOf(QueueClosedError);
    expect(() => queue.put(1)).toThrow(QueueClosedError);

    const full = new DeferredQueue<number>();
    full.put(1);
    full.close();
    expect(resultOf(full.get())).toBe(1);
    expect(errorOf(full.get())).toBeInstanceOf(QueueClosedError);
  });
});

describe('iterating', () => {
  test('takes values until the queue is closed and empty', async () => {
    const queue = new DeferredQueue<number>();
    queue.put(1);
    const seen: number[] = [];
    const reading = (async () => {
      for await (const value of queue) {
        seen.push(value);
        if (value === 2) queue.put(3);
        if (value === 3) queue.close();
      }
    })();
    queue.put(2);
    await reading;
    expect(seen).toEqual([1, 2, 3]);
  });

  test('that is left takes nothing more, and gives up its place in line', async () => {
    const queue = new DeferredQueue<number>();
    queue.put(1);
    queue.put(2);
    for await (const value of queue) if (value === 1) break;
    expect(queue.size).toBe(1);
    expect(resultOf(queue.get())).toBe(2);

    const iterator = queue[Symbol.asyncIterator]();
    const next = iterator.next();
    expect(queue.waiting).toBe(1);
    await iterator.return!();
    expect(await next).toEqual({ done: true, value: undefined });
    expect(queue.waiting).toBe(0);
    queue.put(3);
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
    expect(queue.size).toBe(1);
  });

  test('with too many in line fails', async () => {
    const queue = new DeferredQueue<number>({ backlog: 0 });
    await expect(queue[Symbol.asyncIterator]().next()).rejects.toBeInstanceOf(QueueUnderflowError);
  });
});

test('a get that is cancelled late keeps its value', () => {
  const queue = new DeferredQueue<number>();
  const get = queue.get();
  queue.put(1);
  get.cancel();
  expect(resultOf(get)).toBe(1);
  const other = queue.get();
  other.cancel();
  expect(errorOf(other)).toBeInstanceOf(CancelledError);
  queue.put(2);
  expect([queue.size, outcome(queue.get())]).toEqual([1, { value: 2 }]);
});

test('limits that make no sense are refused', () => {
  for (const bad of [-1, 0.5, Number.NaN]) {
    expect(() => new DeferredQueue({ size: bad })).toThrow(UsageError);
    expect(() => new DeferredQueue({ backlog: bad })).toThrow(UsageError);
  }
});
