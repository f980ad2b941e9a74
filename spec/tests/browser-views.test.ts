/** A page in a real browser as a client: views and results. What stands in `inPage(…)` runs there, with `tutti` and `client`. */
import type { Page } from 'playwright-core';
import type { Client } from 'tutti';
import { expect, test } from 'vitest';
import type * as TuttiInPage from '../../browser.ts';
import { noBrowser } from './support/browser.ts';
import { pageClient } from './support/page-client.ts';

declare const document: { body: object };
declare const client: Client;
declare const tutti: typeof TuttiInPage;

const there = pageClient();
const inPage: Page['evaluate'] = (...args: [any]) => there.page.evaluate(...args);

test.skipIf(noBrowser)('execute keeps the console: declarations, await, the last value, tags', async () => {
  const seen = await inPage(async () => {
    await client.all.execute('let count = engine.id; function twice(n) { return 2 * n }');
    await client.all.execute('let count = count + 1');
    const one = client.engine(1);
    return [
      await client.all.execute('count'),
      await one.execute('await Promise.resolve(twice(count))'),
      await one.execute`${[1, 2]}.length + ${one.execute('count')}`,
      await one.execute('{ a: 1, b: count < 5, c: count > (1) }'),
      String(await one.execute('twice')),
    ];
  });
  expect(seen).toEqual([[1, 2, 3, 4], 4, 4, { a: 1, b: true, c: true }, '[Function: twice]']);
});

test.skipIf(noBrowser)('types in code are refused, with the place', async () => {
  const errors = await inPage(async () => {
    const fault = async (code: string): Promise<unknown> =>
      client.all.execute(code).then(String, ({ name, message, line, column }) => [name, message, line, column]);
    return [
      await fault('let a = 1;\nlet b: number = 2'),
      await fault('let x = )'),
      await fault('[1].map(f<Date>(2))'),
      await client.engine(0).execute('let [p, q, r] = [1, 2, 0]; [p < q, q > (r), (p < q) > (r), `a` < `b`]'),
    ];
  });
  expect(errors).toEqual([
    [
      'SyntaxError',
      'Unexpected token; in a browser code is JavaScript (ES2024), without types (line 2, column 6)\n  let b: number = 2\n       ^',
      2,
      6,
    ],
    ['SyntaxError', expect.stringContaining('(line 1, column 9)\n  let x = )\n          ^'), 1, 9],
    ['SyntaxError', expect.stringMatching(/^Type arguments; in a browser .*\n {2}\[1]\.map.*\n {11}\^$/), 1, 10],
    [true, true, true, true],
  ]);
});

test.skipIf(noBrowser)('functions travel; names that they do not bind are looked up on the engine', async () => {
  const seen = await inPage(async () => {
    await client.all.push({ base: 100 });
    const factor = 3;
    const plus = (n: number): number => n + 1;
    const { remote } = tutti;
    class Shape {
      area(): number {
        return 6;
      }
    }
    class Square extends Shape {}
    return [
      await client.all.apply((n: number) => Math.max(n, 0) + (globalThis as any).base, 1),
      await client.engine(2).apply(remote((n: number) => plus(n) * factor, { factor, plus }) as never, 1 as never),
      await client.all.map((n: number) => n * n, [1, 2, 3, 4, 5]),
      await client.all.map(Math.sqrt, [4, 9]),
      await client.engine(0).apply((C: typeof Square) => new C().area(), Square),
      await client.engine(0).wrap((a: string, b: string) => a + b)('x', 'y'),
      await client
        .engine(0)
        .apply(() => factor)
        .catch((e) => [e instanceof tutti.RemoteError, e.name, e.message]),
    ];
  });
  expect(seen).toEqual([
    [101, 101, 101, 101],
    6,
    [1, 4, 9, 16, 25],
    [2, 3],
    6,
    'xy',
    [true, 'ReferenceError', 'factor is not defined'],
  ]);
});

test.skipIf(noBrowser)('values: typed arrays, Maps, dates, large ones; scatter and gather', async () => {
  const seen = await inPage(async () => {
    const { all } = client;
    const data = Float64Array.from({ length: 1_000_000 }, (_, i) => i);
    await all.scatter('part', data);
    const gathered = await all.gather<Float64Array>('part');
    const sums = await all.execute('part.reduce((a, b) => a + b)');
    await all.push({ map: new Map([['a', new Date(5)]]), big: 2n ** 70n, zero: -0 });
    const [map, big, zero] = await client.engine(3).pull<[Map<string, Date>, bigint, number]>(['map', 'big', 'zero']);
    const node = await client.engine(0).execute("Buffer.from('tutti')");
    return [
      gathered instanceof Float64Array && gathered.length,
      gathered.every((value, i) => value === i),
      sums.length,
      map.get('a')?.getTime(),
      String(big),
      Object.is(zero, -0),
      node instanceof Uint8Array && [...node],
    ];
  });
  expect(seen).toEqual([1_000_000, true, 4, 5, String(2n ** 70n), true, [...Buffer.from('tutti')]]);
});

test.skipIf(noBrowser)('pending results as arguments: the page never sees them', async () => {
  const seen = await inPage(async () => {
    const before = client.traffic.received;
    const made = client.engine(0).apply(() => new Float64Array(1_000_000).fill(0.5));
    const sum = await client.engine(1).apply((half: Float64Array) => half.reduce((a, b) => a + b), made);
    const all = client.all.execute('engine.id');
    return [sum, client.traffic.received - before < 100_000, await client.engine(2).execute`${all}.length`];
  });
  expect(seen).toEqual([500_000, true, 4]);
});

test.skipIf(noBrowser)('errors keep class, engine, cause and fields', async () => {
  const seen = await inPage(async () => {
    const error: any = await client
      .engine(2)
      .execute("throw Object.assign(new RangeError('too far', { cause: 'why' }), { limit: 7 })")
      .catch((e) => e);
    const several: any = await client.all.execute("if (engine.id % 2) throw new TypeError('odd')").catch((e) => e);
    const lost: any = await client.all.apply((x: unknown) => x, document.body).catch((e) => e);
    return [
      [
        error instanceof tutti.RemoteError,
        error.code,
        error.name,
        error.message,
        error.engine,
        error.cause,
        error.limit,
      ],
      [several instanceof tutti.CompositeError, several.errors.map((e: any) => [e.name, e.engine])],
      [lost instanceof tutti.CannotTravelError, lost.name, lost.code, lost.path],
      await client.engine(0).apply((e: Error) => [e.name, e instanceof Error], new tutti.TimeoutError('late')),
    ];
  });
  expect(seen).toEqual([
    [true, 'REMOTE', 'RangeError', 'too far', 2, 'why', 7],
    [
      true,
      [
        ['TypeError', 1],
        ['TypeError', 3],
      ],
    ],
    [true, 'CannotTravelError', 'CANNOT_TRAVEL', 'args[0]'],
    ['TimeoutError', true],
  ]);
});

test.skipIf(noBrowser)('results are Deferreds where wanted, parts come as they finish, and cancel works', async () => {
  const seen = await inPage(async () => {
    const { all } = client;
    const chained = await all
      .execute('engine.id')
      .addCallback((ids) => ids.length)
      .addCallback((n) => n * 10);
    const parts: unknown[] = [];
    for await (const part of all.execute('engine.id + 1')) parts.push(part.status === 'fulfilled' && part.value);
    const never = client.engine(0).execute('await new Promise((r) => task.signal.addEventListener("abort", r))');
    await never.cancel('enough');
    const late = client
      .engine(1)
      .with({ timeout: 1 })
      .execute('await new Promise((r) => task.signal.addEventListener("abort", r))');
    return [chained, parts.length, await never.catch((e) => e.name), await late.catch((e) => e.code)];
  });
  expect(seen).toEqual([40, 4, 'CancelledError', 'TIMEOUT']);
});
