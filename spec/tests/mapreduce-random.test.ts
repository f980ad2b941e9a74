/** Any job, cut and shuffled in any way, against a plain loop. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { cluster } from 'tutti';
import { from, type JobOptions, type JobSpec, mapReduce, runInline } from 'tutti/paradigms';
import { expect, test } from 'vitest';
import { compareKeys } from '../../paradigms/mapreduce/records/keys.ts';
import { shared } from './support/shared.ts';

type Pair = [key: unknown, value: number];

const key = fc.oneof(
  fc.constantFrom<unknown>('a', 'b', 'ab', '', 'é', '日本', 0, 1, -1, 1.5, null, true, [1, 'x'], [1], { a: 1 }),
  fc.string({ maxLength: 3 }),
  fc.integer({ min: 0, max: 50 }),
);
const records = fc.array(fc.tuple(key, fc.integer({ min: -9, max: 9 })), { maxLength: 120 });
const shape = fc.record({
  perSplit: fc.integer({ min: 1, max: 50 }),
  reducers: fc.integer({ min: 1, max: 5 }),
  combine: fc.boolean(),
  range: fc.boolean(),
  down: fc.boolean(),
  lazy: fc.boolean(),
  steps: fc.boolean(),
  /** Values of each record, so that some have more than there is room for. */
  times: fc.constantFrom(1, 1, 1, 2_000),
});
type Shape = typeof shape extends fc.Arbitrary<infer S> ? S : never;

function jobOf({ reducers, combine, range, down, lazy, times }: Shape): JobSpec {
  const sum = (_: unknown, values: Iterable<number>): number => {
    let all = 0;
    for (const value of values) all += value;
    return all;
  };
  return {
    map([one, value]: Pair, ctx) {
      for (let i = 0; i < times; i++) ctx.emit(one, value);
      return lazy ? Promise.resolve() : undefined;
    },
    ...(combine && { combine: sum }),
    reduce: lazy ? async (one, values) => sum(one, values) : sum,
    ...(range && { partition: 'range' as const }),
    ...(down && { sort: (a: unknown, b: unknown) => inOrder(b, a) }),
    reducers,
  };
}

/** An order of our own, which travels. */
function inOrder(a: unknown, b: unknown): number {
  const [x, y] = [a, b].map((one) => `${typeof one} ${JSON.stringify(one)}`) as [string, string];
  return x < y ? -1 : x > y ? 1 : 0;
}

const second: JobSpec = {
  map: ([, value]: Pair, ctx) => ctx.emit(Math.abs(value) % 3, value),
  reduce: (_: number, values: Iterable<number>) => [...values].length,
  reducers: 2,
};

/** What must come out, whatever the order of the parts. */
function plain(pairs: readonly Pair[], { times, steps }: Shape): [unknown, number][] {
  const groups: [unknown, number][] = [];
  for (const [one, value] of [...pairs].sort(([a], [b]) => compareKeys(a, b))) {
    const last = groups.at(-1);
    if (last && compareKeys(last[0], one) === 0) last[1] += value * times;
    else groups.push([one, value * times]);
  }
  if (!steps) return groups;
  const counts = new Map<number, number>();
  for (const [, value] of groups) counts.set(Math.abs(value) % 3, (counts.get(Math.abs(value) % 3) ?? 0) + 1);
  return [...counts].sort(([a], [b]) => a - b);
}

async function holds(
  run: (jobs: readonly JobSpec[], options: JobOptions) => PromiseLike<[unknown, number][]>,
  pairs: readonly Pair[],
  how: Shape,
): Promise<void> {
  const jobs = how.steps ? [jobOf(how), second] : [jobOf(how)];
  const options = { input: from(pairs, { perSplit: how.perSplit }), memory: 1 << 20 };
  const got = await run(jobs, options);
  const sorted = [...got].map(([one, value]) => [one, value] as [unknown, number]);
  if (how.range && !how.steps && !how.down)
    assert.deepEqual(
      sorted.map(([one]) => one),
      [...sorted].sort(([a], [b]) => compareKeys(a, b)).map(([one]) => one),
    );
  sorted.sort(([a], [b]) => compareKeys(a, b));
  assert.deepEqual(
    sorted.map(([one, value]) => [one, value + 0]),
    plain(pairs, how).map(([one, value]) => [one, value + 0]),
  );
}

test('in one process', async () => {
  await fc.assert(
    fc.asyncProperty(records, shape, (pairs, how) => holds(runInline, pairs, how)),
    { numRuns: 150 },
  );
});

const open = shared(() => cluster({ engines: 3, kind: 'thread' }));
test('on engines', async () => {
  const { run } = (await open()).use(mapReduce);
  await fc.assert(
    fc.asyncProperty(records, shape, (pairs, how) => holds(run, pairs, how)),
    { numRuns: 40 },
  );
  expect(await (await open()).use(mapReduce).run(second, { input: from([]) })).toEqual([]);
});
