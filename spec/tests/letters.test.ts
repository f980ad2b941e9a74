/** Batches as bytes: what is read is what was written, wherever the bytes lie. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Parcel } from '../../core/index.ts';
import { decodeWithin, encode, encodePlain } from '../../core/wire/codec.ts';
import { Column, ColumnReader, packColumns } from '../../paradigms/farm/column.ts';
import { PieceReader, Pieces } from '../../paradigms/farm/pieces.ts';

/** As it may arrive: at any place in memory that it shares with other messages. */
function moved(bytes: Uint8Array, by: number): Uint8Array {
  const memory = new Uint8Array(bytes.length + by);
  memory.set(bytes, by);
  return memory.subarray(by);
}

test('columns of all kinds, of any length, from any place in memory; and they begin anew', () => {
  const u32 = fc.array(fc.nat(2 ** 32 - 1), { maxLength: 200 });
  const u8 = fc.array(fc.nat(255), { maxLength: 200 });
  const f64 = fc.array(fc.double(), { maxLength: 200 });
  fc.assert(
    fc.property(u32, u8, f64, fc.nat(9), (numbers, small, real, by) => {
      const columns = [new Column(Uint32Array), new Column(Uint8Array), new Column(Float64Array)];
      for (let round = 0; round < 2; round++) {
        for (const [i, list] of [numbers, small, real].entries()) for (const number of list) columns[i]!.push(number);
        const reader = new ColumnReader(moved(packColumns(columns), by), 3);
        expect([...reader.next(Uint32Array)]).toEqual(numbers);
        expect([...reader.next(Uint8Array)]).toEqual(small);
        expect([...reader.next(Float64Array)]).toEqual(real);
        expect(columns.map(({ length }) => length)).toEqual([0, 0, 0]);
      }
    }),
  );
});

test('a message that is too short is refused', () => {
  const column = new Column(Uint32Array);
  for (let i = 0; i < 100; i++) column.push(i);
  const bytes = packColumns([column]);
  expect(() => new ColumnReader(bytes.slice(0, 64), 1).next(Uint32Array)).toThrow(/too short/);
});

/** Some of those that are parts of their own. */
const large = fc.tuple(fc.nat(255), fc.nat(64)).map(([n, more]) => new Uint8Array(16_380 + more).fill(n));
const bytes = fc.oneof({ weight: 9, arbitrary: fc.uint8Array({ maxLength: 60 }) }, { weight: 1, arbitrary: large });
const need = fc.record({
  client: fc.nat(9),
  call: fc.nat(2 ** 32 - 1),
  engine: fc.nat(2 ** 32 - 1),
  incarnation: fc.nat(9),
});
const plain = bytes.map((body) => ({ body, needs: [], values: undefined, code: [] as string[] }));
const waiting = fc
  .tuple(bytes, fc.array(fc.tuple(need, fc.boolean(), fc.option(bytes)), { minLength: 1, maxLength: 4 }))
  .map(([body, needs]) => ({
    body,
    needs: needs.map(([one, settled]) => (settled ? { ...one, settled } : one)),
    values: needs.map(([, , value]) => value ?? undefined),
    code: [] as string[],
  }));
const coded = bytes.map((body) => ({ body, needs: [], values: undefined, code: ['a hash'] }));

const { compare } = Buffer;

test('values, those that wait for others, and parcels, in their order', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(plain, waiting, coded), { maxLength: 30 }), (values) => {
      const pieces = new Pieces();
      for (const { body, needs, values: come, code } of values) {
        const payloads = come?.map((part) => part && { codec: 'msgpack' as const, parts: [part] });
        pieces.addParcel(new Parcel({ codec: 'msgpack', parts: [body] }, code, needs, [], undefined, payloads));
      }
      const parcels = pieces.takeParcels();
      const columns = new ColumnReader(packColumns([pieces.sizes, pieces.bytes, pieces.needs]), 3);
      const packed = {
        sizes: columns.next(Uint32Array),
        bytes: columns.next(Uint8Array),
        needs: columns.next(Uint32Array),
        large: pieces.takeLarge(),
        parcels,
      };
      const reader = new PieceReader(packed, Parcel);
      for (const { body, needs, values: come, code } of values) {
        reader.next();
        const { parcel, source, from, size } = reader;
        expect(compare(parcel?.payload.parts[0] ?? source.subarray(from, from + size), body)).toBe(0);
        expect(parcel !== undefined).toBe(needs.length + code.length > 0);
        expect(parcel?.needs ?? []).toEqual(needs);
        expect(parcel?.code ?? []).toEqual(code);
        const parts = come?.some(Boolean) ? come.map((part) => part && Buffer.from(part)) : undefined;
        const found = parcel?.values?.map((value) => value && Buffer.from(value.parts[0]!));
        expect(found?.some(Boolean) ? found : undefined).toEqual(parts);
      }
    }),
  );
});

test('plain values lend their bytes, and are read among others; the rest is left to the codec', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue(), { maxLength: 20 }), (values) => {
      const pieces = new Pieces();
      for (const value of values) if (!encodePlain(value, pieces.take)) pieces.addParcel(new Parcel(encode(value)));
      const columns = new ColumnReader(packColumns([pieces.sizes, pieces.bytes]), 2);
      const sizes = columns.next(Uint32Array);
      const all = columns.next(Uint8Array);
      let from = 0;
      const read = [...sizes].map((size) => {
        const value = decodeWithin(all, from, size);
        from += size;
        return value;
      });
      expect(read).toEqual(values);
    }),
  );
  expect(encodePlain(new Map(), () => expect.unreachable())).toBe(false);
  expect(() => decodeWithin(new Uint8Array([1, 0x92, 1]), 1, 2)).toThrow(/makes no sense/);
});

test('a large value is a part of its own, in its place among others; a message without all of them is refused', () => {
  const pieces = new Pieces();
  const value = (i: number): string => (i % 3 ? 'small' : 'x'.repeat(20_000)) + i;
  for (let i = 0; i < 30; i++) expect(encodePlain(value(i), pieces.take)).toBe(true);
  expect(pieces.byteLength).toBeGreaterThan(200_000);
  const columns = new ColumnReader(packColumns([pieces.sizes, pieces.bytes]), 2);
  const sizes = columns.next(Uint32Array);
  const parts = pieces.takeLarge();
  expect(parts.length).toBe(10);
  expect(pieces.byteLength).toBe(0);
  const packed = { sizes, bytes: columns.next(Uint8Array), needs: new Uint32Array(), parcels: [] };
  const reader = new PieceReader({ ...packed, large: parts }, Parcel);
  for (let i = 0; i < 30; i++) {
    reader.next();
    expect(decodeWithin(reader.source, reader.from, reader.size)).toBe(value(i));
  }
  expect(() => new PieceReader({ ...packed, large: [] }, Parcel).next()).toThrow(RangeError);
});
