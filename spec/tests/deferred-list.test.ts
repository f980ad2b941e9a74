import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Deferred, DeferredList, gatherResults, TestClock } from '../../core/deferred/index.ts';
import { CancelledError, FirstError, TimeoutError } from '../../core/errors.ts';
import { errorOf, outcome, resultOf } from './support/outcome.ts';

/** Deferreds, and what happens to them in which order: each fires once, with a value or an error. */
const script = fc
  .array(fc.boolean(), { maxLength: 6 })
  .chain((oks) =>
    fc.tuple(fc.constant(oks), fc.shuffledSubarray([...oks.keys()], { minLength: oks.length, maxLength: oks.length })),
  );
const flags = fc.record({
  fireOnOneCallback: fc.boolean(),
  fireOnOneErrback: fc.boolean(),
  consumeErrors: fc.boolean(),
  cancelRest: fc.boolean(),
});

function fire(deferred: Deferred<unknown>, index: number, ok: boolean): void {
  if (deferred.called) return;
  if (ok) deferred.callback(`v${index}`);
  else deferred.errback(`e${index}`);
}

describe('DeferredList', () => {
  test('fires when its rules say so, with what they say, and leaves in the sources what they say', () => {
    fc.assert(
      fc.property(script, flags, ([oks, order], options) => {
        const sources = oks.map(() => new Deferred<unknown>());
        const list = new DeferredList(sources as Deferred<unknown>[], options);
        const all = oks.map((ok, i) => [ok, ok ? `v${i}` : `e${i}`]);
        const deciding = order.find((i) => (oks[i] ? options.fireOnOneCallback : options.fireOnOneErrback));
        for (const [at, i] of order.entries()) {
          const before = list.called;
          fire(sources[i]!, i, oks[i]!);
          const expected = i === deciding || (deciding === undefined && at === order.length - 1);
          expect(list.called).toBe(before || expected);
        }
        if (deciding !== undefined && oks[deciding]) expect(resultOf(list)).toEqual([`v${deciding}`, deciding]);
        else if (deciding !== undefined) {
          expect(errorOf(list)).toBeInstanceOf(FirstError);
          expect(errorOf(list)).toMatchObject({ index: deciding, cause: `e${deciding}` });
        } else if (oks.length > 0 || !options.fireOnOneCallback) expect(resultOf(list)).toEqual(all);
        else expect(outcome(list)).toBeUndefined();

        const until = deciding !== undefined && options.cancelRest ? order.indexOf(deciding) : order.length - 1;
        for (const [at, i] of order.entries()) {
          const left = outcome(sources[i]!);
          if (at > until) {
            if (options.consumeErrors) expect(left).toEqual({ value: undefined });
            else expect(errorOf(sources[i]!)).toBeInstanceOf(CancelledError);
          } else if (oks[i]) expect(left).toEqual({ value: `v${i}` });
          else expect(left).toEqual(options.consumeErrors ? { value: undefined } : { error: `e${i}` });
        }
      }),
    );
  });

  test('goes on counting after it fired early', () => {
    const [a, b] = [new Deferred<number>(), new Deferred<number>()];
    const list = new DeferredList([a, b], { fireOnOneCallback: true });
    a.callback(1);
    b.callback(2);
    expect(resultOf(list)).toEqual([1, 0]);
    expect(resultOf(b)).toBe(2);
  });

  test('takes promises, and sources that have fired', async () => {
    const list = new DeferredList([Promise.resolve(1), Deferred.succeed('two'), Promise.reject('three')]);
    expect(await list).toEqual([
      [true, 1],
      [true, 'two'],
      [false, 'three'],
    ]);
  });

  test('cancelling it cancels every source, also if a canceller throws, and tells what became of them', () => {
    const done = Deferred.succeed('done');
    const rude = new Deferred<number>(() => {
      throw 'rude';
    });
    const plain = new Deferred<number>();
    const list = new DeferredList([done, rude, plain]);
    list.cancel('enough');
    expect(resultOf(list)).toEqual([
      [true, 'done'],
      [false, 'rude'],
      [false, expect.objectContaining({ code: 'CANCELLED', cause: 'enough' })],
    ]);
    list.cancel('too late');
  });

  test('what a canceller throws after firing comes out, once all are cancelled', () => {
    const rude = new Deferred<number>((d) => {
      d.callback(1);
      throw 'rude';
    });
    const plain = new Deferred<number>();
    const list = new DeferredList([rude, plain]);
    expect(() => list.cancel()).toThrow('rude');
    expect(resultOf(list)).toEqual([
      [true, 1],
      [false, expect.any(CancelledError)],
    ]);
  });

  test('cancels through a promise-like source that can be cancelled', async () => {
    const reasons: unknown[] = [];
    const source = Object.assign(new Promise<number>(() => {}), { cancel: (reason: unknown) => reasons.push(reason) });
    const list = new DeferredList([source]);
    list.cancel('enough');
    expect(reasons).toEqual(['enough']);
    expect(resultOf(list)).toEqual([[false, expect.any(CancelledError)]]);
  });
});

describe('gatherResults', () => {
  test('gives the values in the order given, whatever order they come in', () => {
    fc.assert(
      fc.property(script, ([oks, order]) => {
        const sources = oks.map(() => new Deferred<unknown>());
        const all = gatherResults(sources);
        for (const i of order) sources[i]!.callback(i);
        expect(resultOf(all)).toEqual([...oks.keys()]);
      }),
    );
  });

  test('fails with the first error; the others go on', () => {
    const [a, b] = [new Deferred<number>(), new Deferred<number>()];
    const all = gatherResults([a, b]);
    b.errback(new RangeError('far'));
    expect(errorOf(all)).toMatchObject({
      code: 'FIRST_ERROR',
      index: 1,
      message: expect.stringContaining('RangeError: far'),
    });
    expect(a.called).toBe(false);
    a.callback(1);
    expect(resultOf(a)).toBe(1);
  });

  test('cancelRest: whoever is told finds the others cancelled', () => {
    const [a, b] = [new Deferred<number>(), new Deferred<number>()];
    const seen: unknown[] = [];
    gatherResults([a, b], { cancelRest: true }).addErrback((error) => seen.push((error as FirstError).index, b.called));
    a.errback('bad');
    expect(seen).toEqual([0, true]);
    expect(errorOf(b)).toBeInstanceOf(CancelledError);
  });

  test('a timeout cancels all, and is a TimeoutError', () => {
    const clock = new TestClock();
    const sources = [new Deferred<number>(), new Deferred<number>()];
    const all = gatherResults(sources).addTimeout(10, clock);
    clock.advance(10);
    expect(errorOf(all)).toBeInstanceOf(TimeoutError);
    expect(sources.map((s) => s.called)).toEqual([true, true]);
  });
});

test('an error that comes after the list fired is reported, unless the list consumes errors or caused it', async () => {
  const reported: unknown[] = [];
  const others = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection').on('unhandledRejection', (e) => reported.push((e as Error).cause));
  try {
    for (const options of [{}, { consumeErrors: true }, { cancelRest: true }]) {
      const [a, b] = [new Deferred<number>(), new Deferred<number>()];
      gatherResults([a, b], options).addErrback(() => 0);
      a.errback('first');
      if (!b.called) b.errback(`second ${Object.keys(options)}`);
    }
    await expect.poll(() => reported).toEqual(['second ']);
    for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(reported).toEqual(['second ']);
  } finally {
    process.removeAllListeners('unhandledRejection');
    for (const other of others) process.on('unhandledRejection', other);
  }
});
