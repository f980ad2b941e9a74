/** Tables by number, and the ring of recent outcomes: each does what a Map would. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Recent } from '../../core/engine/recent.ts';
import { Numbered } from '../../core/numbered.ts';

const change = fc.tuple(
  fc.constantFrom('set', 'delete', 'get'),
  fc.oneof(fc.nat(20), fc.nat(1_000), fc.nat(2 ** 32 - 1)),
);

test('a table by number is a Map whose keys come in blocks', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 300 }), (changes) => {
      const table = new Numbered<{ n: number }>();
      const model = new Map<number, { n: number }>();
      for (const [what, number] of changes) {
        const item = { n: number };
        if (what === 'set') {
          table.set(number, item);
          model.set(number, item);
        } else if (what === 'delete') expect(table.delete(number)).toBe(model.delete(number));
        expect(table.get(number)).toBe(model.get(number));
        expect(table.has(number)).toBe(model.has(number));
        expect(table.size).toBe(model.size);
      }
      const byNumber = (a: number, b: number): number => a - b;
      expect([...table.keys()].sort(byNumber)).toEqual([...model.keys()].sort(byNumber));
      expect(new Set(table.values())).toEqual(new Set(model.values()));
      table.clear();
      expect([table.size, ...table.keys()]).toEqual([0]);
    }),
  );
});

test('numbers that count up are listed in their order', () => {
  const table = new Numbered<object>();
  for (let i = 1; i <= 1_000; i++) table.set(i, {});
  for (let i = 1; i <= 1_000; i++) if (i % 7) table.delete(i);
  expect([...table.keys()]).toEqual(Array.from({ length: 142 }, (_, i) => 7 * (i + 1)));
});

test('recent outcomes: the latest ones, within a count and a size', () => {
  const added = fc.tuple(fc.nat(12), fc.nat(40), fc.integer({ min: 0, max: 19 }));
  fc.assert(
    fc.property(fc.array(added, { maxLength: 200 }), (outcomes) => {
      const most = { count: 6, bytes: 100 };
      const recent = new Recent(most);
      let model: { key: number; bytes: number; outcome: object }[] = [];
      for (const [key, bytes, dropped] of outcomes) {
        const outcome = { ok: true, payload: { codec: 'msgpack' as const, parts: [] }, bytes };
        recent.add(key, outcome);
        // What is added again, or dropped, leaves its place in the row empty.
        model = [
          ...model.map((one) => (one.key === key ? { ...one, key: -1, bytes: 0 } : one)),
          { key, bytes, outcome },
        ];
        model = model.slice(-most.count);
        while (model.reduce((sum, one) => sum + one.bytes, 0) > most.bytes) model.shift();
        if (dropped < 2) {
          recent.dropWhere((one) => one === dropped);
          model = model.map((one) => (one.key === dropped ? { ...one, key: -1, bytes: 0 } : one));
        }
        for (let k = 0; k <= 12; k++) expect(recent.find(k)).toBe(model.findLast((one) => one.key === k)?.outcome);
      }
    }),
  );
});
