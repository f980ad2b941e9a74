import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Deferred, race, TestClock } from '../../core/deferred/index.ts';
import { AllFailedError, CancelledError, TimeoutError, UsageError } from '../../core/errors.ts';
import { errorOf, resultOf } from './support/outcome.ts';

test('the first value wins and the rest is cancelled; without one, all errors in the order given', () => {
  const script = fc
    .array(fc.boolean(), { minLength: 1, maxLength: 6 })
    .chain((oks) =>
      fc.tuple(
        fc.constant(oks),
        fc.shuffledSubarray([...oks.keys()], { minLength: oks.length, maxLength: oks.length }),
      ),
    );
  fc.assert(
    fc.property(script, ([oks, order]) => {
      const cancelled: number[] = [];
      const runners = oks.map((_, i) => new Deferred<string>(() => cancelled.push(i)));
      const result = race(runners);
      const winner = order.find((i) => oks[i]);
      for (const i of order) {
        expect(result.called).toBe(winner !== undefined && order.indexOf(i) > order.indexOf(winner));
        if (runners[i]!.called) continue;
        if (oks[i]) runners[i]!.callback(`v${i}`);
        else runners[i]!.errback(`e${i}`);
      }
      const rest = winner === undefined ? [] : order.slice(order.indexOf(winner) + 1);
      expect(cancelled).toEqual(rest.sort());
      if (winner !== undefined) expect(resultOf(result)).toEqual([winner, `v${winner}`]);
      else {
        expect(errorOf(result)).toBeInstanceOf(AllFailedError);
        expect(errorOf(result).errors).toEqual(oks.map((_, i) => `e${i}`));
      }
      for (const runner of runners) expect(resultOf(runner)).toBeUndefined();
    }),
  );
});

test('a loser that finishes when it is cancelled does not win', () => {
  const loser = new Deferred<string>((d) => d.callback('me too'));
  const winner = new Deferred<string>();
  const result = race([loser, winner]);
  winner.callback('first');
  expect(resultOf(result)).toEqual([1, 'first']);
});

test('whoever is told finds the losers cancelled', () => {
  const [a, b] = [new Deferred<number>(), new Deferred<number>()];
  const seen: unknown[] = [];
  race([a, b]).addCallback(() => seen.push(b.called));
  a.callback(1);
  expect(seen).toEqual([true]);
});

test('cancelling cancels all: CancelledError, TimeoutError after a timeout, or the value of one that finishes', () => {
  const pair = () => [new Deferred<number>(), new Deferred<number>()] as const;
  const plain = race(pair());
  plain.cancel('enough');
  expect(errorOf(plain)).toMatchObject({ code: 'CANCELLED', cause: 'enough' });
  expect(errorOf(plain)).toBeInstanceOf(CancelledError);

  const clock = new TestClock();
  const late = race(pair()).addTimeout(10, clock);
  clock.advance(10);
  expect(errorOf(late)).toBeInstanceOf(TimeoutError);

  const finishing = race([new Deferred<number>(), new Deferred<number>((d) => d.callback(7))]);
  finishing.cancel();
  expect(resultOf(finishing)).toEqual([1, 7]);
});

test('takes promises, and one that has fired wins at once', async () => {
  expect(await race([Promise.reject('no'), Promise.resolve('yes')])).toEqual([1, 'yes']);
  expect(resultOf(race([new Deferred<number>(), Deferred.succeed(3)]))).toEqual([1, 3]);
});

test('of nobody is refused', () => {
  expect(() => race([])).toThrow(UsageError);
});
