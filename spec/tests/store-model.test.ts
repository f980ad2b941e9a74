import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { lmdbStores } from '../../core/store/lmdb-store.ts';
import { memoryStores } from '../../core/store/memory-store.ts';
import type { Change, KeyRange, Store } from '../../core/store/store.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'tutti-store-model-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Few keys, so that changes meet; all kinds of characters, since their order is what may go wrong. */
const key = fc.string({
  unit: fc.constantFrom('a', 'b', '\0', '\x7f', 'é', '\ud7ff', '\uffff', '\u{10000}', '\u{10ffff}'),
  minLength: 1,
  maxLength: 3,
});
const value = fc.oneof(
  fc.uint8Array({ maxLength: 3 }),
  fc.integer({ min: 0, max: 9000 }).map((n) => new Uint8Array(n).fill(n)),
);
const change = fc.record(
  { key, value: fc.option(value, { nil: undefined }), expected: fc.option(fc.constant('found' as const)) },
  { requiredKeys: ['key', 'value'] },
);
const write = fc.uniqueArray(change, { selector: (c) => c.key, maxLength: 6 });
const range: fc.Arbitrary<KeyRange> = fc.record(
  {
    prefix: fc.oneof(key, fc.constant('')),
    from: key,
    to: key,
    reverse: fc.boolean(),
    limit: fc.integer({ min: 0, max: 5 }),
  },
  { requiredKeys: [] },
);
/** Writes that are pending together, then a look at everything. */
const step = fc.record({ writes: fc.array(write, { maxLength: 5 }), ranges: fc.array(range, { maxLength: 4 }), key });
const steps = fc.array(step, { minLength: 1, maxLength: 8 });

class Model {
  readonly values = new Map<string, Uint8Array>();

  /** What a write that expects what is there would expect, or the contrary for `null`. */
  write(changes: readonly { key: string; value: Uint8Array | undefined; expected?: 'found' | null }[]) {
    const resolved: Change[] = changes.map(({ key, value, expected }) => {
      if (expected === undefined) return { key, value };
      return { key, value, expected: expected === 'found' ? (this.values.get(key) ?? null) : null };
    });
    const fits = resolved.every(({ key, expected }) => expected !== null || !this.values.has(key));
    if (fits) {
      for (const { key, value } of resolved) {
        if (value) this.values.set(key, value);
        else this.values.delete(key);
      }
    }
    return { resolved, fits };
  }

  entries({ prefix = '', from = '', to, reverse, limit }: KeyRange): [string, number[]][] {
    const order = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
    const found = [...this.values]
      .filter(([k]) => k.startsWith(prefix) && order(k, from) >= 0 && (to === undefined || order(k, to) < 0))
      .sort(([a], [b]) => order(a, b) * (reverse ? -1 : 1));
    return found.slice(0, limit ?? found.length).map(([k, v]) => [k, [...v]]);
  }
}

async function entries(store: Store, range?: KeyRange): Promise<[string, number[]][]> {
  const all: [string, number[]][] = [];
  for await (const [key, value] of store.entries(range)) all.push([key, [...value]]);
  return all;
}

describe.each([
  ['memory', memoryStores()],
  ['lmdb', lmdbStores(path.join(folder, 'lmdb'), { sync: false })],
])('%s', (_, provider) => {
  afterAll(() => provider.close());
  let n = 0;

  test('does what a sorted map does', async () => {
    const property = fc.asyncProperty(steps, async (steps) => {
      const store = await provider.open(`store ${n++}`);
      const model = new Model();
      for (const { writes, ranges, key } of steps) {
        const planned = writes.map((changes) => model.write(changes));
        const done = await Promise.allSettled(planned.map(({ resolved }) => store.write(resolved)));
        expect(done.map(({ status }) => status === 'fulfilled')).toEqual(planned.map(({ fits }) => fits));
        expect(await entries(store)).toEqual(model.entries({}));
        for (const range of ranges) expect(await entries(store, range)).toEqual(model.entries(range));
        expect(await store.get(key)).toEqual(model.values.get(key));
      }
    });
    await fc.assert(property, { numRuns: 100 });
  });
});
