/** The tuple space's store against a plain list: same tuples, same order, whatever is indexed and whatever comes back. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { FieldForm, PatternForm, TemplateForm, TupleForm } from '../../paradigms/tuplespace/forms.ts';
import type { Entry } from '../../paradigms/tuplespace/store/entry.ts';
import { Matcher } from '../../paradigms/tuplespace/store/matcher.ts';
import { SeqList } from '../../paradigms/tuplespace/store/seq-list.ts';
import type { Order } from '../../paradigms/tuplespace/store/shelf.ts';
import { SortedKeys } from '../../paradigms/tuplespace/store/sorted-keys.ts';
import type { Key } from '../../paradigms/tuplespace/store/sorted-node.ts';
import { TupleStore } from '../../paradigms/tuplespace/store/tuple-store.ts';

const json = (value: object): FieldForm => ['json', Array.isArray(value) ? 'Array' : 'Object', JSON.stringify(value)];

/** Few values, so that templates meet tuples. */
const primitive = fc.constantFrom<FieldForm[]>(
  0,
  1,
  2,
  7,
  -3,
  Number.NaN,
  'a',
  'b',
  'ab',
  '',
  null,
  undefined,
  true,
  5n,
);
const field: fc.Arbitrary<FieldForm> = fc.oneof(
  { weight: 6, arbitrary: primitive },
  {
    weight: 1,
    arbitrary: fc.constantFrom(json({ a: 1, b: 2 }), json({ b: 2, a: 1 }), json({ a: 2, b: 1 }), json([1, 2])),
  },
);
const tuple: fc.Arbitrary<TupleForm> = fc.oneof(
  fc.array(field, { minLength: 1, maxLength: 3 }),
  fc.dictionary(fc.constantFrom('x', 'y', 'toString'), field, { maxKeys: 3, noNullPrototype: true }),
);
const pattern: fc.Arbitrary<PatternForm> = fc.oneof(
  { weight: 3, arbitrary: field },
  { weight: 2, arbitrary: fc.constant<PatternForm>([]) },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.constant('range' as const), fc.integer({ min: -4, max: 3 }), fc.integer({ min: 0, max: 9 })),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom<PatternForm>(['range', 'a', undefined], ['range', undefined, 'aa'], ['range', 1n, 9n]),
  },
  { weight: 1, arbitrary: fc.tuple(fc.constant('oneOf' as const), fc.array(field, { maxLength: 3 })) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<PatternForm>(
      ['type', 'number'],
      ['type', 'object'],
      ['type', 'Array'],
      ['re', '^a', ''],
    ),
  },
);
const template: fc.Arbitrary<TemplateForm> = fc.oneof(
  fc.array(pattern, { minLength: 1, maxLength: 3 }),
  fc.dictionary(fc.constantFrom('x', 'y', 'toString'), pattern, { maxKeys: 2, noNullPrototype: true }),
);
type Step =
  | { do: 'put'; tuple: TupleForm; times: number }
  | { do: 'take' | 'look' | 'all' | 'takeAll'; template: TemplateForm; exact: boolean }
  | { do: 'restore'; which: number };
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('put' as const), tuple, times: fc.constantFrom(1, 1, 5, 80) }),
  fc.record({
    do: fc.constantFrom('take' as const, 'look' as const, 'all' as const, 'takeAll' as const),
    template,
    exact: fc.boolean(),
  }),
  fc.record({ do: fc.constant('restore' as const), which: fc.nat() }),
);

/** What a field's form stands for. */
function plain(form: FieldForm): unknown {
  return typeof form === 'object' && form !== null ? JSON.parse(form[2]) : form;
}

function equal(a: FieldForm, b: FieldForm): boolean {
  try {
    assert.deepStrictEqual(plain(a), plain(b));
    return true;
  } catch {
    return false;
  }
}

/** Written for clearness alone. */
function fits(value: FieldForm, pattern: PatternForm): boolean {
  if (!Array.isArray(pattern)) return equal(value, pattern as FieldForm);
  const [kind, a, b] = pattern as unknown[];
  if (kind === undefined) return true;
  if (kind === 'json') return equal(value, pattern as unknown as FieldForm);
  if (kind === 'oneOf') return (a as FieldForm[]).some((one) => equal(value, one));
  if (kind === 're') return typeof value === 'string' && value.startsWith('a');
  if (kind === 'range')
    return typeof value === typeof (a ?? b) && (a === undefined || value! >= a!) && (b === undefined || value! <= b!);
  if (a === 'object') return Array.isArray(value);
  return a === 'Array' ? Array.isArray(value) && value[1] === 'Array' : typeof value === a;
}

function matches(tuple: TupleForm, template: TemplateForm, exact: boolean): boolean {
  if (Array.isArray(template) !== Array.isArray(tuple)) return false;
  if ((Array.isArray(template) || exact) && Object.keys(template).length !== Object.keys(tuple).length) return false;
  return Object.entries(template).every(
    ([key, pattern]) => Object.hasOwn(tuple, key) && fits((tuple as Record<string, FieldForm>)[key], pattern),
  );
}

test.each<Order>(['fifo', 'lifo', 'random'])('finds what a list would find: %s', (order) => {
  const property = fc.property(fc.array(step, { minLength: 5, maxLength: 60 }), (steps) => {
    const store = new TupleStore(order);
    let list: Entry[] = [];
    const out: Entry[] = [];
    const remove = (entry: Entry): void => {
      store.remove(entry);
      list = list.filter((other) => other !== entry);
      out.push(entry);
    };
    for (const step of steps) {
      if (step.do === 'put') {
        for (let i = 0; i < step.times; i++) {
          const entry = store.entry(step.tuple);
          store.put(entry);
          list.push(entry);
        }
      } else if (step.do === 'restore') {
        const [entry] = out.splice(step.which % Math.max(1, out.length), 1);
        if (!entry) continue;
        store.restore(entry);
        list = [...list, entry].sort((a, b) => a.seq - b.seq);
      } else {
        const matcher = new Matcher(step.template, step.exact);
        const wanted = list.filter((entry) => matches(entry.tuple, step.template, step.exact));
        const found = store.find(matcher);
        if (order === 'random') expect(found ? wanted.includes(found) : !wanted.length).toBe(true);
        else expect(found?.seq).toBe((order === 'fifo' ? wanted[0] : wanted.at(-1))?.seq);
        if (step.do === 'take' && found) remove(found);
        if (step.do === 'all' || step.do === 'takeAll') {
          const all = store.all(matcher);
          expect(all.map(({ seq }) => seq)).toEqual(wanted.map(({ seq }) => seq));
          expect(store.all(matcher, 3).map(({ seq }) => seq)).toEqual(wanted.slice(0, 3).map(({ seq }) => seq));
          if (step.do === 'takeAll') for (const entry of all) remove(entry);
        }
      }
      expect(store.size).toBe(list.length);
    }
  });
  fc.assert(property, { numRuns: 200 });
});

test('a list keeps its order with whatever is removed and comes back', () => {
  const property = fc.property(fc.array(fc.nat({ max: 300 }), { maxLength: 200 }), (toggled) => {
    const list = new SeqList<{ seq: number; alive: boolean }>();
    const items = Array.from({ length: 300 }, (_, seq) => ({ seq, alive: true }));
    for (const item of items) list.push(item);
    for (const at of [...items.keys()].filter((i) => i % 3).concat(toggled.filter((i) => i < 300))) {
      const item = items[at]!;
      item.alive = !item.alive;
      if (item.alive) list.restore(item);
      else list.removed();
      const there = items.filter(({ alive }) => alive);
      expect(list.size).toBe(there.length);
      expect(list.first()).toBe(there[0]);
      expect(list.last()).toBe(there.at(-1));
    }
    const there = items.filter(({ alive }) => alive);
    expect([...list.each()]).toEqual(there);
    expect([...list.each(true)]).toEqual(there.reverse());
  });
  fc.assert(property, { numRuns: 20 });
});

interface Ranked {
  readonly key: number;
  readonly rank: number;
}

function sortedKeys(ranks: ReadonlyMap<number, number>): SortedKeys<Ranked> {
  const rankedOf = (key: Key): Ranked => ({ key: key as number, rank: ranks.get(key as number)! });
  return new SortedKeys([...ranks.keys()].reverse(), rankedOf, ({ rank }) => rank);
}

test('sorted keys stay sorted, of any number, and the best of a range is found', () => {
  const action = fc.record({ key: fc.nat({ max: 700 }), rank: fc.option(fc.nat(), { nil: undefined }) });
  const property = fc.property(
    fc.array(action, { maxLength: 1_000, minLength: 300 }),
    fc.nat(300),
    fc.nat(700),
    (actions, n, to) => {
      const ranks = new Map(Array.from({ length: n }, (_, key) => [2 * key, key % 50]));
      const keys = sortedKeys(ranks);
      for (const { key, rank } of actions) {
        if (rank === undefined) {
          keys.delete(key);
          ranks.delete(key);
        } else {
          keys.set(key, { key, rank });
          ranks.set(key, rank);
        }
      }
      for (const [low, high] of [
        [undefined, undefined],
        [n, to],
        [n, undefined],
        [undefined, to],
      ]) {
        const wanted = [...ranks.keys()]
          .sort((a, b) => a - b)
          .filter((key) => key >= (low ?? 0) && key <= (high ?? 700));
        expect([...keys.between(low, high)]).toEqual(wanted);
        const best = keys.best(low, high);
        expect(best?.rank).toBe(wanted.length ? Math.min(...wanted.map((key) => ranks.get(key)!)) : undefined);
        if (best) expect(ranks.get(best.key)).toBe(best.rank);
      }
    },
  );
  fc.assert(property, { numRuns: 50 });
});

test('sorted keys of a tree with several levels: grown key by key, and shrunk to nothing', () => {
  const count = 30_000;
  // Every key once, in an order that is none, and ranks that go another way.
  const all = Array.from({ length: count }, (_, i) => ({ key: (i * 7_919) % count, rank: (i * 104_729) % count }));
  const keys = sortedKeys(new Map());
  for (const one of all) keys.set(one.key, one);
  const byKey = all.toSorted((a, b) => a.key - b.key);
  const check = (there: readonly Ranked[]): void => {
    expect([...keys.between(undefined, undefined)]).toEqual(there.map(({ key }) => key));
    for (let low = 0; low < count; low += 1_237) {
      const high = low + ((low * 31) % 9_000);
      const within = there.filter(({ key }) => key >= low && key <= high);
      expect([...keys.between(low, high)]).toEqual(within.map(({ key }) => key));
      const lowest = Math.min(...within.map(({ rank }) => rank));
      expect(keys.best(low, high)).toEqual(within.find(({ rank }) => rank === lowest));
    }
  };
  check(byKey);
  for (const { key } of all) if (key % 3) keys.delete(key);
  check(byKey.filter(({ key }) => key % 3 === 0));
  for (const { key } of all) keys.delete(key);
  check([]);
  keys.set(1, { key: 1, rank: 5 });
  expect(keys.best(0, 2)).toEqual({ key: 1, rank: 5 });
});

test('a range of texts finds texts alone, though other values are in the same index', () => {
  const store = new TupleStore();
  const closed = store.entry([json({ a: 1 })]);
  store.put(closed);
  for (let i = 0; i < 100; i++) store.put(store.entry([`text ${i}`]));
  expect(store.find(new Matcher([['range', 'text', undefined]]))?.tuple).toEqual(['text 0']);
  expect(store.find(new Matcher([['range', undefined, 'text']]))).toBeUndefined();
  expect(store.find(new Matcher([['range', '', 'text']]))).toBeUndefined();
  expect(store.find(new Matcher([json({ a: 1 })]))).toBe(closed);
});
