/**
 * The store contract's test suite. For any runner: `storeCompliance(fixture, { test })` declares the cases, on node:assert.
 */
import assert from 'node:assert/strict';
import { StoreConflictError, StoreError, UsageError } from '../../core/errors.ts';
import type { KeyRange, Store, StoreProvider } from '../../core/store/store.ts';
import type { Runner } from './transport.ts';
import { pattern } from './transport-helpers.ts';

export interface StoreFixture {
  /** Where stores can be kept that nobody has used yet: a folder, an address; anything for stores in memory. */
  place(): string;
  /** A provider of the stores in a place. */
  provider(place: string): StoreProvider;
  /** Whether a second provider of a place finds what a closed one has left. */
  readonly persists: boolean;
}

const KEYS = ['\0', '\0\0', ' ', '!', 'A', 'a', 'a\0', 'a!', 'aa', 'b', 'ba', 'é', '\uffff', '\u{10000}', '\u{10ffff}'];

/** What every store promises, as test cases. */
export function storeCompliance(fixture: StoreFixture, { test }: Runner): void {
  const withStore = (run: (store: Store, provider: StoreProvider) => Promise<void>) => async () => {
    const provider = fixture.provider(fixture.place());
    try {
      await run(await provider.open('one'), provider);
    } finally {
      await provider.close();
    }
  };

  test(
    'what was written is there, replaced and removed',
    withStore(async (store) => {
      assert.equal(await store.get('a'), undefined);
      await store.write([put('a', 'first')]);
      assert.equal(await text(store, 'a'), 'first');
      await store.write([put('a', 'second'), put('b', '')]);
      assert.deepEqual(await listed(store), ['a=second', 'b=']);
      await store.write([remove('a'), remove('never was')]);
      assert.equal(await store.get('a'), undefined);
      await store.write([]);
      assert.deepEqual(await listed(store), ['b=']);
    }),
  );

  test(
    'entries come in the order of the bytes of their keys',
    withStore(async (store) => {
      await store.write([...KEYS].reverse().map((key) => put(key, 'x')));
      assert.deepEqual(await keys(store), KEYS);
      assert.deepEqual(await keys(store, { reverse: true }), [...KEYS].reverse());
    }),
  );

  test(
    'ranges: from is in, to is out, at every edge, forwards and backwards',
    withStore(async (store) => {
      await store.write(KEYS.map((key) => put(key, 'x')));
      const edges = [undefined, '', ...KEYS, 'a ', 'zzz', '\u{10ffff}\u{10ffff}'];
      for (const from of edges) {
        for (const to of edges) {
          for (const prefix of [undefined, '', 'a', '\u{10ffff}', 'nothing']) {
            const wanted = KEYS.filter((key) => inRange(key, { prefix, from, to }));
            assert.deepEqual(await keys(store, { prefix, from, to }), wanted);
            assert.deepEqual(await keys(store, { prefix, from, to, reverse: true }), wanted.reverse());
          }
        }
      }
    }),
  );

  test(
    'limits',
    withStore(async (store) => {
      await store.write(KEYS.map((key) => put(key, 'x')));
      for (const limit of [0, 1, 3, KEYS.length, 1000]) {
        assert.deepEqual(await keys(store, { limit }), KEYS.slice(0, limit));
        assert.deepEqual(await keys(store, { limit, reverse: true }), [...KEYS].reverse().slice(0, limit));
      }
      assert.deepEqual(await keys(store, { prefix: 'a', from: 'a!', limit: 1 }), ['a!']);
    }),
  );

  test(
    'a write whose condition fails changes nothing',
    withStore(async (store) => {
      await store.write([put('a', '1')]);
      const conflicts = [
        [put('b', '2'), { ...put('a', '3'), expected: null }],
        [put('b', '2'), { ...put('a', '3'), expected: bytes('0') }],
        [{ ...put('missing', '3'), expected: bytes('') }, remove('a')],
        [{ ...remove('a'), expected: bytes('11') }],
      ];
      for (const changes of conflicts) {
        const key = changes.find((change) => 'expected' in change)!.key;
        await assert.rejects(store.write(changes), (error) => error instanceof StoreConflictError && error.key === key);
        assert.deepEqual(await listed(store), ['a=1']);
      }
      await store.write([
        { ...put('a', '2'), expected: bytes('1') },
        { ...put('b', ''), expected: null },
      ]);
      await store.write([
        { ...remove('a'), expected: bytes('2') },
        { ...put('b', 'x'), expected: bytes('') },
      ]);
      assert.deepEqual(await listed(store), ['b=x']);
    }),
  );

  test(
    'pending writes happen in the order of the calls, also under conditions',
    withStore(async (store) => {
      const writes: Promise<void>[] = [];
      for (let i = 0; i < 500; i++) writes.push(store.write([put('last', `${i}`), put(`k${i % 7}`, `${i}`)]));
      await Promise.all(writes);
      assert.equal(await text(store, 'last'), '499');
      assert.equal(await text(store, 'k3'), '493');
      const claims = await Promise.allSettled(
        Array.from({ length: 50 }, (_, i) => store.write([{ ...put('owner', `${i}`), expected: null }])),
      );
      assert.deepEqual(
        claims.map(({ status }) => status),
        ['fulfilled', ...Array.from({ length: 49 }, () => 'rejected')],
      );
      assert.equal(await text(store, 'owner'), '0');
    }),
  );

  test(
    'a write is seen as a whole or not at all',
    withStore(async (store) => {
      const many = Array.from({ length: 200 }, (_, i) => `k${i}`);
      let writing = true;
      const writer = (async () => {
        for (let round = 0; round < 30; round++) await store.write(many.map((key) => put(key, `${round}`)));
        writing = false;
      })();
      do {
        await new Promise(setImmediate);
        const seen = await listed(store);
        assert.equal(new Set(seen.map((entry) => entry.split('=')[1])).size, seen.length === 0 ? 0 : 1);
        assert.ok(seen.length === 0 || seen.length === many.length);
      } while (writing);
      await writer;
    }),
  );

  test(
    'an iteration stays with what was there at its first step',
    withStore(async (store) => {
      const many = Array.from({ length: 300 }, (_, i) => `k${String(i).padStart(3, '0')}`);
      await store.write(many.map((key) => put(key, 'old')));
      const late = store.entries();
      const iteration = store.entries()[Symbol.asyncIterator]();
      const seen = [await iteration.next()];
      await store.write([...many.map((key, i) => (i % 2 ? remove(key) : put(key, 'new'))), put('k', 'new')]);
      for (let next = await iteration.next(); !next.done; next = await iteration.next()) seen.push(next);
      assert.deepEqual(
        seen.map(({ value }) => [value[0], decoded(value[1])]),
        many.map((key) => [key, 'old']),
      );
      let count = 0;
      for await (const [, value] of late) if (decoded(value) === 'new') count++;
      assert.equal(count, 151);
    }),
  );

  test(
    'iterations may be left early, and many may be under way',
    withStore(async (store) => {
      await store.write(Array.from({ length: 100 }, (_, i) => put(`k${i}`, 'x')));
      for (let i = 0; i < 300; i++) {
        for await (const _ of store.entries()) break;
      }
      const open = Array.from({ length: 20 }, () => store.entries()[Symbol.asyncIterator]());
      for (const iteration of open) assert.equal((await iteration.next()).done, false);
      await store.write([put('k0', 'y')]);
      for (const iteration of open) await iteration.return?.();
      assert.equal(await text(store, 'k0'), 'y');
    }),
  );

  test(
    'bytes belong to whoever has them',
    withStore(async (store) => {
      const value = bytes('mine');
      const expected = bytes('old');
      await store.write([put('a', 'old')]);
      const pending = store.write([{ key: 'a', value, expected }, put('b', 'other')]);
      value.fill(0);
      expected.fill(0);
      await pending;
      assert.equal(await text(store, 'a'), 'mine');
      (await store.get('a'))!.fill(0);
      for await (const [, bytes] of store.entries()) bytes.fill(0);
      assert.deepEqual(await listed(store), ['a=mine', 'b=other']);
      const window = new Uint8Array(new Uint8Array(100).fill(65).buffer, 10, 3);
      await store.write([{ key: 'window', value: window }]);
      assert.equal(await text(store, 'window'), 'AAA');
      const got = (await store.get('window'))!;
      assert.equal(Object.getPrototypeOf(got), Uint8Array.prototype);
    }),
  );

  test(
    'values of any size, and the longest key',
    withStore(async (store) => {
      const sizes = [0, 1, 2000, 2047, 4069, 4096, 65_536, 1_000_003, 20 * 1024 * 1024];
      const longest = 'é'.repeat(250);
      await store.write(sizes.map((size) => ({ key: `s${size}`, value: pattern(size, size) })));
      await store.write([put(longest, 'x')]);
      for (const size of sizes) {
        assert.equal(Buffer.compare((await store.get(`s${size}`))!, pattern(size, size)), 0, `${size} bytes`);
      }
      assert.deepEqual(await keys(store, { prefix: 'é' }), [longest]);
    }),
  );

  test(
    'many keys, from many writers',
    withStore(async (store) => {
      const count = 20_000;
      const key = (i: number): string => `k${String((i * 7919) % count).padStart(6, '0')}`;
      await Promise.all(Array.from({ length: count }, (_, i) => store.write([put(key(i), key(i))])));
      let seen = 0;
      for await (const [k, value] of store.entries()) {
        assert.equal(k, `k${String(seen++).padStart(6, '0')}`);
        assert.equal(decoded(value), k);
      }
      assert.equal(seen, count);
    }),
  );

  test(
    'a long iteration lets the event loop turn',
    withStore(async (store) => {
      await store.write(Array.from({ length: 20_000 }, (_, i) => put(`k${i}`, 'x')));
      let turns = 0;
      const turn = (): void => {
        turns++;
        next = setImmediate(turn);
      };
      let next = setImmediate(turn);
      await listed(store);
      clearImmediate(next);
      assert.ok(turns >= 10, `the loop turned ${turns} times`);
    }),
  );

  test(
    'what the contract forbids is a UsageError and has no effect',
    withStore(async (store, provider) => {
      const wrong: Parameters<Store['write']>[0][] = [
        [put('', 'x')],
        [put('é'.repeat(251), 'x')],
        [put('\ud800', 'x')],
        [put('same', '1'), put('same', '2')],
        [put('text', 'x'), { key: 'y', value: 'no bytes' as unknown as Uint8Array }],
        [{ key: 'y', value: bytes('x'), expected: 'x' as unknown as Uint8Array }],
        'nonsense' as never,
      ];
      for (const changes of wrong) await assert.rejects(store.write(changes), UsageError);
      await assert.rejects(store.get(''), UsageError);
      for (const range of [{ limit: -1 }, { limit: 0.5 }, { prefix: '\udc00' }, { from: 5 as unknown as string }]) {
        await assert.rejects(keys(store, range), UsageError);
      }
      for (const name of ['', 'x'.repeat(201), '\ud800']) await assert.rejects(provider.open(name), UsageError);
      assert.deepEqual(await listed(store), []);
    }),
  );

  test(
    'stores do not see each other; one that is opened twice is one',
    withStore(async (store, provider) => {
      const names = ['on', 'one ', 'onee', 'ONE', 'é', 'x'.repeat(200)];
      for (const name of names) await (await provider.open(name)).write([put('a', name)]);
      await store.write([put('a', 'one')]);
      for (const name of names) assert.deepEqual(await listed(await provider.open(name)), [`a=${name}`]);
      assert.deepEqual(await listed(await provider.open('one')), ['a=one']);
    }),
  );

  test(
    'close waits for what was accepted; closing twice is fine, and use after it is an error',
    withStore(async (store, provider) => {
      const other = await provider.open('other');
      const pending = Array.from({ length: 100 }, (_, i) => store.write([put(`k${i}`, 'x')]));
      const iteration = other.entries()[Symbol.asyncIterator]();
      await other.write([put('a', 'x'), put('b', 'x')]);
      await iteration.next();
      await store.close();
      await Promise.all(pending);
      await store.close();
      await assert.rejects(store.get('k0'), StoreError);
      await assert.rejects(store.write([put('a', 'x')]), StoreError);
      await assert.rejects(listed(store), StoreError);
      assert.equal((await listed(await provider.open('one'))).length, 100);
      await provider.close();
      await provider.close();
      await assert.rejects(iteration.next(), StoreError);
      await assert.rejects(other.get('a'), StoreError);
      await assert.rejects(provider.open('one'), StoreError);
    }),
  );

  test('a provider that never opened a store can be closed', async () => {
    await fixture.provider(fixture.place()).close();
  });

  test(fixture.persists ? 'a second provider finds everything' : 'a second provider starts empty', async () => {
    const place = fixture.place();
    const first = fixture.provider(place);
    const store = await first.open('one');
    await store.write([put('a', '1'), { key: 'large', value: pattern(300_000, 1) }]);
    const last = store.write([put('b', '2'), remove('a')]);
    await first.close();
    await last;
    const second = fixture.provider(place);
    const again = await second.open('one');
    assert.deepEqual(await keys(again), fixture.persists ? ['b', 'large'] : []);
    if (fixture.persists) assert.equal(Buffer.compare((await again.get('large'))!, pattern(300_000, 1)), 0);
    await second.close();
  });
}

const put = (key: string, value: string) => ({ key, value: bytes(value) });
const remove = (key: string) => ({ key, value: undefined });
const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);
const decoded = (value: Uint8Array): string => new TextDecoder().decode(value);

async function text(store: Store, key: string): Promise<string> {
  return decoded((await store.get(key))!);
}

async function listed(store: Store): Promise<string[]> {
  const all: string[] = [];
  for await (const [key, value] of store.entries()) all.push(`${key}=${decoded(value)}`);
  return all;
}

async function keys(store: Store, range?: KeyRange): Promise<string[]> {
  const all: string[] = [];
  for await (const [key] of store.entries(range)) all.push(key);
  return all;
}

function inRange(key: string, { prefix = '', from = '', to }: KeyRange): boolean {
  const compare = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
  return key.startsWith(prefix) && compare(key, from) >= 0 && (to === undefined || compare(key, to) < 0);
}
