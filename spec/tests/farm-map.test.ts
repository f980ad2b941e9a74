/** Mapping over sources: finite, endless, asynchronous, failing. */
import { CancelledError, UsageError } from 'tutti';
import { type Farm, HaltedError, type MapProgress } from 'tutti/paradigms';
import { describe, expect, test } from 'vitest';
import { eventually, farming, outcome } from './support/farm.ts';
import { openGate, pass } from './support/gate.ts';

const square = (x: number): number => x * x;
const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

test('lists, generators, sets, strings, and async sources; nothing gives nothing', () =>
  farming(async (farm) => {
    const squares = upTo(2_000).map(square);
    expect(await farm.map(upTo(2_000), square)).toEqual(squares);
    expect(await farm.map(new Set(upTo(2_000)), square)).toEqual(squares);
    async function* later() {
      for (const i of upTo(300)) yield i;
    }
    expect(await farm.map(later(), square)).toEqual(squares.slice(0, 300));
    expect(await farm.map('abc', (c: string) => c.toUpperCase())).toEqual(['A', 'B', 'C']);
    expect(await farm.map([], square)).toEqual([]);
    expect(await farm.settle([], square)).toEqual([]);
    expect(await farm.map(upTo(100), square, { chunk: 7 })).toEqual(squares.slice(0, 100));
    for (const source of [5, null, undefined, {}]) expect(() => farm.map(source as never, square)).toThrow(UsageError);
    expect(() => farm.map([1], 5 as never)).toThrow(UsageError);
    for (const options of [{ chunk: 0 }, { ahead: 0 }, { attempts: 2 }, { ordered: 1 }, { halt: { when: 'later' } }])
      expect(() => farm.map([1], square, options as never)).toThrow(UsageError);
  }));

test('what comes before anybody awaits it is there when somebody does', () =>
  farming(async (farm) => {
    const map = farm.map(upTo(8), square);
    await eventually(() => map.progress.done).toBe(8);
    expect(await map).toEqual(upTo(8).map(square));
  }));

test('values come in order, or as they finish', () =>
  farming(
    async (farm) => {
      const slowFirst = (i: number) =>
        new Promise<number>((resolve) => setTimeout(() => resolve(i), i === 0 ? 300 : 1));
      const ordered: number[] = [];
      for await (const v of farm.map(upTo(20), slowFirst, { chunk: 1 })) ordered.push(v);
      expect(ordered).toEqual(upTo(20));
      const finished: number[] = [];
      for await (const v of farm.map(upTo(20), slowFirst, { ordered: false, chunk: 1 })) finished.push(v);
      expect(finished.at(-1)).toBe(0);
      expect([...finished].sort((a, b) => a - b)).toEqual(upTo(20));
    },
    { farm: { concurrency: 2 } },
  ));

test('what one engine holds in a large chunk does not keep the others waiting when chunks become small', () =>
  farming(async (farm) => {
    const gate = await openGate();
    const { port } = gate;
    const [quick, slow] = [400, 700];
    async function item(i: number): Promise<number> {
      if (i === quick) await pass(port, 'held');
      else if (i > quick) await new Promise((resolve) => setTimeout(resolve, 10));
      else for (const end = performance.now() + 0.5; performance.now() < end; );
      return i;
    }
    function* source() {
      for (let i = 0; i <= quick + slow; i++) yield i;
    }
    const map = farm.map(source(), item);
    const values = map.then();
    await gate.arrived('held');
    // All but those that it has begun: chunks as large as quick items made them.
    await eventually(() => map.progress.done).toBeGreaterThan(quick + slow - 200);
    gate.open('held');
    expect(await values).toEqual(upTo(quick + slow + 1));
    await gate.close();
  }));

test('an endless source is drawn no further ahead than agreed, and ended', () =>
  farming(async (farm) => {
    let pulled = 0;
    let ended = false;
    async function* endless() {
      try {
        for (;;) yield pulled++;
      } finally {
        ended = true;
      }
    }
    const taken: number[] = [];
    for await (const v of farm.map(endless(), square, { ahead: 50 })) {
      taken.push(v);
      expect(pulled).toBeLessThanOrEqual(taken.length + 51);
      if (taken.length === 1_000) break;
    }
    expect(taken).toEqual(upTo(1_000).map(square));
    await eventually(() => ended).toBe(true);
    await farm.drain();
    await eventually(async () => await farm.stats()).toMatchObject({ waiting: 0, queued: 0, running: 0 });
  }));

test('a slow reader holds its source', () =>
  farming(async (farm) => {
    let pulled = 0;
    function* source() {
      for (;;) yield pulled++;
    }
    const values = farm.map(source(), square, { ahead: 10 })[Symbol.asyncIterator]();
    await values.next();
    await farm.drain();
    expect(pulled).toBeLessThanOrEqual(11);
    await values.return?.();
  }));

describe('failures', () => {
  const odd = (x: number): number => {
    if (x % 2) throw new RangeError(`odd: ${x}`);
    return x;
  };

  test('settle has them as values, with their places', () =>
    farming(async (farm) => {
      const outcomes = await farm.settle(upTo(500), odd);
      expect(outcomes.map(({ index }) => index)).toEqual(upTo(500));
      for (const one of outcomes)
        if (one.index % 2)
          expect(one).toMatchObject({
            status: 'rejected',
            reason: { name: 'RangeError', message: `odd: ${one.index}` },
          });
        else expect(one).toMatchObject({ status: 'fulfilled', value: one.index });
    }));

  test('map rejects with the first, and stops', () =>
    farming(async (farm) => {
      let pulled = 0;
      function* source() {
        while (pulled < 1_000_000) yield pulled++;
      }
      expect(await outcome(farm.map(source(), (x: number) => (x === 7 ? missing() : x)))).toMatchObject({
        name: 'ReferenceError',
      });
      expect(pulled).toBeLessThan(1_000_000);
      function missing(): never {
        throw new ReferenceError('seven');
      }
    }));

  test('attempts hold for each item, whatever its chunk', () =>
    farming(async (farm) => {
      const flaky = (x: number) => {
        if (x % 10 === 3 && (globalThis as any).task.attempt < 3) throw new Error('again');
        return (globalThis as any).task.attempt;
      };
      const attempts = await farm.with({ attempts: 3 }).map(upTo(100), flaky, { chunk: 10 });
      expect(attempts.filter((n) => n === 3)).toHaveLength(10);
      const picky = farm.with({ attempts: 3, retryIf: () => false });
      expect(
        (await picky.settle(upTo(20), flaky, { chunk: 10 })).filter(({ status }) => status === 'rejected'),
      ).toHaveLength(2);
    }));

  test('an item that ends its engine, or whose value cannot travel, fails alone', () =>
    farming(
      async (farm) => {
        const outcomes = await farm.settle(
          upTo(40),
          (x: number) => {
            if (x === 11) process.exit(3);
            return x === 22 ? (process.stdout as never) : x;
          },
          { chunk: 10 },
        );
        const bad = outcomes.filter(({ status }) => status === 'rejected');
        expect(bad.map(({ index }) => index)).toEqual([11, 22]);
        expect(bad[0]).toMatchObject({ reason: { code: 'TASK_KILLS_ENGINES' } });
        expect(bad[1]).toMatchObject({ reason: { name: 'CannotTravelError' } });
      },
      { kind: 'process' },
    ));

  test('a source that throws ends the map', () =>
    farming(async (farm) => {
      function* broken() {
        yield* upTo(10);
        throw new Error('dry');
      }
      expect(await outcome(farm.map(broken(), square))).toMatchObject({ message: 'dry' });
    }));

  test.each<[string, Parameters<Farm['settle']>[2], (n: number) => boolean]>([
    ['soon, at the third failure', { halt: { when: 'soon', on: 'fail', count: 3 } }, (n) => n < 400],
    ['now, at the first success', { halt: { when: 'now', on: 'success' } }, (n) => n < 400],
    ['now, at 10 % failures', { halt: { when: 'now', on: 'fail', count: '10%' } }, (n) => n < 400],
    ['never', { halt: { when: 'never' } }, (n) => n === 2_000],
  ])('halt %s', (_, options, fits) =>
    farming(async (farm) => {
      const outcomes = await farm.settle(upTo(2_000), odd, { chunk: 4, ahead: 40, ...options });
      expect(outcomes.length).toSatisfy(fits);
    }),
  );

  test('a strict map that is halted says so', () =>
    farming(async (farm) => {
      expect(
        await outcome(farm.map(upTo(1_000), square, { halt: { when: 'now', on: 'success', count: 2 }, chunk: 1 })),
      ).toBeInstanceOf(HaltedError);
    }));
});

test('progress is told, and cancel ends it', () =>
  farming(async (farm) => {
    const map = farm.map(upTo(300), square);
    const seen: MapProgress[] = [];
    const done = new Promise<void>((resolve) =>
      map.progress$.subscribe({ next: (p) => seen.push(p), complete: resolve }),
    );
    await map;
    await done;
    expect(seen.at(-1)).toEqual({ taken: 300, done: 300, failed: 0, total: 300 });
    const endless = farm.map(
      (function* () {
        for (;;) yield 1;
      })(),
      () => new Promise<never>(() => {}),
    );
    setImmediate(() => endless.cancel('enough'));
    expect(await outcome(endless)).toMatchObject({ message: 'enough', constructor: CancelledError });
    await farm.drain();
  }));

test('a pipeline: each item through all stages, several at a time', () =>
  farming(async (farm) => {
    const run = farm.pipeline(
      (x: number) => x + 1,
      [(x: number) => new Float64Array(20_000).fill(x), { attempts: 2 }],
      (xs: Float64Array) => xs[0]! * xs.length,
    );
    expect(await run(upTo(30))).toEqual(upTo(30).map((x) => (x + 1) * 20_000));
    const fails = farm.pipeline(
      (x: number) => x,
      (x: number) => {
        if (x === 3) throw new Error('three');
        return x;
      },
      (x: number) => x,
    );
    expect(await outcome(fails(upTo(10)))).toMatchObject({ name: 'DependencyError' });
    expect(() => farm.pipeline()).toThrow(UsageError);
  }));
