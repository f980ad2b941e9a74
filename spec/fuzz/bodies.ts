/** Payloads that make no sense, or too much of it. */
import type { Payload } from '../../core/wire/forms.ts';
import type { Random } from './random.ts';

const bytes = (...values: number[]): Buffer => Buffer.from(values);
const times = (count: number, piece: Buffer): Buffer => Buffer.concat(Array.from({ length: count }, () => piece));
const u32 = (n: number): number[] => [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255];

/** Msgpack, each with a name for the corpus. */
export const BOMBS: Record<string, Buffer> = {
  'nested arrays': times(50_000, bytes(0x91)),
  'nested maps': times(20_000, bytes(0x81, 0xa1, 0x61)),
  'arrays that promise more': times(200, bytes(0xdd, ...u32(0x01ffffff))),
  'an array of four billion': bytes(0xdd, ...u32(0xffffffff)),
  'a map of four billion': bytes(0xdf, ...u32(0xffffffff)),
  'a text of four billion': bytes(0xdb, ...u32(0xffffffff)),
  'bytes of four billion': bytes(0xc6, ...u32(0xffffffff)),
  'an extension of four billion': bytes(0xc9, ...u32(0xffffffff), 0x42),
  'a bigint of 40 kB': Buffer.concat([bytes(0xc8, 0x9c, 0x40, 0x42), times(40_000, bytes(0x7f))]),
  'a reference without a table': bytes(0xd6, 0x54, 0, 0, 0, 0),
  'a pointer of msgpackr': bytes(0x92, 0xd6, 0x69, 0, 0, 0, 1, 0xd6, 0x70, 0, 0, 0, 1),
  'a record of msgpackr': bytes(0xd4, 0x72, 0x40, 0x92, 0xa1, 0x61, 0xa1, 0x62, 1, 2),
  'bundled strings of msgpackr': bytes(0xd6, 0x62, 0xff, 0xff, 0xff, 0xff),
  'an error of msgpackr': bytes(0xc7, 0x01, 0x65, 0x93),
  'a table that is none': bytes(0xc1, 0x92, 0xc0, 0xc0),
  'a table of tables': Buffer.concat([bytes(0xc1, 0x92, 0xc0), times(40_000, bytes(0x91))]),
  // [null, [['sparse', 2^24]] × 200]
  'arrays of holes': Buffer.concat([
    bytes(0xc1, 0x92, 0xc0, 0xdc, 0, 200),
    times(200, Buffer.concat([bytes(0x92, 0xa6), Buffer.from('sparse'), bytes(0xce, ...u32(0x01000000))])),
  ]),
  // [null, [['memory', true, true, 1]] × 200]
  'one part as 200 memories': Buffer.concat([
    bytes(0xc1, 0x92, 0xc0, 0xdc, 0, 200),
    times(200, Buffer.concat([bytes(0x94, 0xa6), Buffer.from('memory'), bytes(0xc3, 0xc3, 1)])),
  ]),
  'a view of nothing': Buffer.concat([
    bytes(0xc1, 0x92, 0xd6, 0x54, 0, 0, 0, 0, 0x91, 0x95, 0xa4),
    Buffer.from('view'),
    bytes(0xac),
    Buffer.from('Float64Array'),
    bytes(0xd6, 0x54, 0, 0, 0, 0, 0, 1),
  ]),
  'a class that is not there': Buffer.concat([
    bytes(0xc1, 0x92, 0xd6, 0x54, 0, 0, 0, 0, 0x91, 0x93, 0xa5),
    Buffer.from('class'),
    bytes(0xa1, 0x58, 0xc0),
  ]),
  'a regexp that is none': Buffer.concat([
    bytes(0xc1, 0x92, 0xc0, 0x91, 0x93, 0xa6),
    Buffer.from('regexp'),
    bytes(0xa1, 0x28, 0xa0),
  ]),
  'a need that is not there': Buffer.concat([
    bytes(0xc1, 0x92, 0xd6, 0x54, 0, 0, 0, 0, 0x91, 0x92, 0xa4),
    Buffer.from('need'),
    bytes(0x7f),
  ]),
  nothing: bytes(),
};

export const JSON_BOMBS: Record<string, Buffer> = {
  'nested lists': Buffer.from('['.repeat(60_000)),
  'nested lists that close': Buffer.from(`${'['.repeat(30_000)}${']'.repeat(30_000)}`),
  'half an object': Buffer.from('{"a":'),
  'a prototype': Buffer.from('[{"__proto__":{"count":1},"constructor":1}]'),
  'no text': bytes(0xff, 0xfe, 0x00),
  nothing: bytes(),
};

/** What a request or call may carry. */
export function body(r: Random): Payload {
  const kind = r.int(0, 5);
  if (kind === 0) return { codec: 'json', parts: [r.pick(Object.values(JSON_BOMBS))] };
  if (kind === 1) return { codec: 'raw', parts: Array.from({ length: r.int(0, 3) }, () => r.bytes(r.int(0, 40))) };
  if (kind === 2) return { codec: 'msgpack', parts: [r.bytes(r.int(0, 60)), r.bytes(r.int(0, 60))] };
  if (kind === 3) return { codec: 'msgpack', parts: [Buffer.concat([bytes(0xc1), r.bytes(r.int(0, 60))])] };
  if (kind === 4) return { codec: 'msgpack', parts: [r.bytes(r.int(0, 12))] };
  return { codec: 'msgpack', parts: [r.pick(Object.values(BOMBS)), Buffer.alloc(64)] };
}
