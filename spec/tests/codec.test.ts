import vm from 'node:vm';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CannotTravelError, ProtocolError } from '../../core/errors.ts';
import { decode, encode, encodePlain, payloadBytes, registerClass, share, transfer } from '../../core/wire/codec.ts';
import type { DecodeHooks, EncodeHooks, Form, Payload } from '../../core/wire/forms.ts';
import { hold, letGo } from '../../core/wire/memory-pool.ts';

function trip<T>(value: T): T {
  return decode(encode(value)) as T;
}

/** `[first, <hole>, ...rest]` */
function sparse(first: unknown, ...rest: unknown[]): unknown[] {
  const array: unknown[] = [first];
  for (let i = 0; i < rest.length; i++) array[i + 2] = rest[i];
  return array;
}

function refused(value: unknown, hooks?: EncodeHooks): CannotTravelError {
  try {
    encode(value, { root: 'args', hooks });
  } catch (error) {
    expect(error).toBeInstanceOf(CannotTravelError);
    expect((error as Error).message).toContain((error as CannotTravelError).path);
    return error as CannotTravelError;
  }
  throw new Error('it travelled');
}

test('what has been packed stays as it is, whatever is packed after it: small things and large ones, kept or lent', () => {
  const size = fc.constantFrom(0, 3, 90, 1_000, 4_090, 5_000, 9_000, 60_000, 300_000, 2_000_000);
  const steps = fc.array(fc.tuple(size, fc.constantFrom('plain', 'table', 'lent')), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(steps, (all) => {
      const made = all.map(([length, way], i) => {
        const text = String.fromCharCode(97 + (i % 26)).repeat(length);
        const value = way === 'table' ? [text, new Map([[i, i]])] : [text, i];
        if (way !== 'lent') return { value, payload: encode(value) };
        let copy = new Uint8Array(0);
        expect(
          encodePlain(value, (bytes, from, n) => void (copy = new Uint8Array(bytes.subarray(from, from + n)))),
        ).toBe(true);
        return { value, payload: { codec: 'msgpack', parts: [copy] } as Payload };
      });
      for (const { value, payload } of made) expect(decode(payload)).toEqual(value);
      // Small ones do not hold on to what was made for large ones.
      for (const { payload } of made)
        if (payload.parts[0]!.length < 4_000) expect(payload.parts[0]!.buffer.byteLength).toBeLessThan(70_000);
    }),
    { numRuns: 200 },
  );
});

describe('plain values', () => {
  test.each([
    undefined,
    null,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    -0,
    0,
    2 ** 53,
    -(2 ** 53) - 2,
    Number.MAX_VALUE,
    5e-324,
    0n,
    -1n,
    2n ** 63n,
    -(2n ** 63n) - 1n,
    2n ** 64n,
    -(2n ** 200n),
    2n ** 70_000n + 12345n,
    '',
    'a\0b',
    '\ud800',
    'x\udfff\ud800y',
    '😀'.repeat(40),
    'é'.repeat(100_000),
    new Date(0),
    new Date(-1),
    new Date(8.64e15),
    new Date(-8.64e15),
    new Date(Number.NaN),
    /a[/]b\n/giu,
    new Map([[{ a: 1 }, new Set([new Map()])]]),
    [-0, [-0], { z: -0 }],
    Object(-0),
    Object('\ud800'),
    Object(5n),
    [undefined, null],
    new URL('https://user@example.org:8080/a?b#c'),
  ])('%s', (value) => {
    expect(trip(value)).toStrictEqual(value);
    const wrapped = { in: [value, new Map([[value, value]])] };
    expect(trip(wrapped)).toStrictEqual(wrapped);
  });

  test('-0 in every kind of container', () => {
    expect(Object.is(trip(-0), -0)).toBe(true);
    expect(Object.is(trip({ a: [-0] }).a[0], -0)).toBe(true);
    expect(Object.is(trip(new Map([['a', -0]])).get('a'), -0)).toBe(true);
  });

  test('any value that fast-check makes', () => {
    const value = fc.anything({
      withBigInt: true,
      withBoxedValues: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withNullPrototype: true,
      withSparseArray: true,
      withTypedArray: true,
      withObjectString: true,
      withUnicodeString: true,
      maxDepth: 4,
    });
    fc.assert(
      fc.property(value, (v) => {
        expect(trip(v)).toStrictEqual(v);
      }),
      { numRuns: 800 },
    );
  });

  test('bigints, dates, doubles and strings of every kind', () => {
    const awkward = fc.array(fc.constantFrom('\ud83d', '\ude00', 'a', '\0', 'é', '漢'), { maxLength: 90 });
    fc.assert(
      fc.property(fc.bigInt(), fc.date({ noInvalidDate: false }), fc.double(), awkward, (n, d, x, units) => {
        const value = [n, n * n * n * n * n, d, x, units.join(''), { [units.join('')]: x }];
        expect(trip(value)).toStrictEqual(value);
      }),
      { numRuns: 500 },
    );
  });

  test('keys that objects trip over', () => {
    const value = JSON.parse(
      '{"__proto__": 1, "constructor": {"constructor": 2}, "": 3, "10": 4, "2": 5, "toJSON": 6, "hasOwnProperty": 7, "length": 8, "\\ud800": 9}',
    );
    const back = trip(value);
    expect(JSON.stringify(back)).toBe(JSON.stringify(value));
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype);
    expect(Object.keys(trip({ toJSON: 1, constructor: 2 }))).toEqual(['toJSON', 'constructor']);
  });

  test('objects of many shapes, and one with many keys', () => {
    const many = Array.from({ length: 3000 }, (_, i) => ({ [`k${i}`]: i, [`l${i % 7}`]: [i] }));
    expect(trip(many)).toStrictEqual(many);
    const wide = Object.fromEntries(Array.from({ length: 70_000 }, (_, i) => [`key ${i}`, i]));
    expect(trip(wide)).toStrictEqual(wide);
  });

  test('holes stay holes, also in huge sparse arrays', () => {
    const array = sparse(1, undefined, 3);
    const back = trip({ array }).array;
    expect(1 in back).toBe(false);
    expect(2 in back).toBe(true);
    const huge: unknown[] = [];
    huge[4_000_000_000] = { x: 1 };
    expect(trip(huge)).toHaveLength(4_000_000_001);
    expect(trip(huge)[4_000_000_000]).toEqual({ x: 1 });
  });

  test.each(['array', 'object', 'Map'])('10,000 levels of %s', (kind) => {
    let value: unknown = 'bottom';
    for (let i = 0; i < 10_000; i++) {
      value = kind === 'array' ? [value] : kind === 'object' ? { value } : new Map([['value', value]]);
    }
    let back = trip(value) as any;
    for (let i = 0; i < 10_000; i++)
      back = kind === 'array' ? back[0] : kind === 'object' ? back.value : back.get('value');
    expect(back).toBe('bottom');
  });

  test('cycles and shared things', () => {
    const shared = { n: 1 };
    const date = new Date(5);
    const map = new Map<unknown, unknown>();
    const value: any = { a: shared, b: [shared, date, date], map, set: new Set() };
    value.self = value;
    map.set(map, value).set('shared', shared);
    value.set.add(value.set).add(shared);
    const back = trip(value);
    expect(back.self).toBe(back);
    expect(back.a).toBe(back.b[0]);
    expect(back.b[1]).toBe(back.b[2]);
    expect(back.map.get(back.map)).toBe(back);
    expect(back.map.get('shared')).toBe(back.a);
    expect([...back.set]).toEqual([back.set, back.a]);
    expect(Object.keys(back)).toEqual(['a', 'b', 'map', 'set', 'self']);
    const ring: unknown[] = [];
    ring.push(ring);
    const backRing = trip(ring);
    expect(backRing[0]).toBe(backRing);
    const many = Array.from({ length: 100 }, () => shared);
    expect(new Set(trip(many)).size).toBe(1);
  });

  test('the value is not changed, and the payload is a snapshot', () => {
    const inner = { a: [1, { b: -0 }] };
    const value = Object.freeze({ inner, again: inner, map: new Map([[1, inner]]) });
    const before = structuredClone(value);
    const payload = encode(value);
    expect(value).toStrictEqual(before);
    inner.a.push(5);
    expect(decode(payload)).toStrictEqual(before);
  });

  test('things of another realm', () => {
    const value = vm.runInNewContext('({ o: { a: [1] }, m: new Map([[1, new Date(3)]]), e: new TypeError("no") })');
    const back = trip(value);
    expect(back.o).toStrictEqual({ a: [1] });
    expect(back.m).toStrictEqual(new Map([[1, new Date(3)]]));
    expect(back.e).toBeInstanceOf(TypeError);
  });
});

describe('memory', () => {
  const kinds = [
    Int8Array,
    Uint8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    Float32Array,
    Float64Array,
  ];

  test.each(kinds)('%o, small and large, whole and in part', (Kind) => {
    for (const length of [0, 3, 10_000]) {
      const array = new Kind(Array.from({ length }, (_, i) => i % 100));
      expect(trip(array)).toStrictEqual(array);
      expect(trip([array.subarray(1)])[0]).toStrictEqual(array.slice(1));
    }
  });

  test('BigInt arrays, DataView, ArrayBuffer, Buffer', () => {
    for (const size of [16, 8192, 80_000]) {
      const bytes = Uint8Array.from({ length: size }, (_, i) => i);
      for (const value of [
        new BigInt64Array(bytes.buffer),
        new BigUint64Array(bytes.buffer),
        bytes.buffer,
        Buffer.from(bytes),
        new DataView(bytes.buffer, 3, 9),
      ]) {
        expect(trip({ value }).value).toStrictEqual(value);
      }
    }
    expect(Buffer.isBuffer(trip(Buffer.from('abc')))).toBe(true);
    const view = trip(new DataView(Uint8Array.of(1, 2, 3, 4).buffer, 1, 2));
    expect([view.byteLength, view.getUint8(0), view.getUint8(1)]).toEqual([2, 2, 3]);
  });

  test('large arrays are parts of their own, copied at once', () => {
    const array = new Float64Array(1000).fill(1);
    const payload = encode([array, array]);
    array.fill(2);
    expect(payload.parts.map((part) => part.byteLength)).toEqual([expect.any(Number), 8000]);
    expect(payload.parts[0]!.byteLength).toBeLessThan(200);
    expect(payloadBytes(payload)).toBe(payload.parts[0]!.byteLength + 8000);
    const [a, b] = decode(payload) as Float64Array[];
    expect(a).toBe(b);
    expect(a![999]).toBe(1);
    expect(a!.buffer).toBe(payload.parts[1]!.buffer);
  });

  test('only the range of a view is copied, and not the pool of a Buffer', () => {
    const large = new Uint8Array(1_000_000);
    expect(payloadBytes(encode(large.subarray(500_001, 500_011)))).toBeLessThan(100);
    expect(payloadBytes(encode([Buffer.from('a'), Buffer.from('b')]))).toBeLessThan(200);
  });

  test('views of one buffer stay views of one buffer', () => {
    const buffer = new ArrayBuffer(64_000);
    const value = { a: new Float64Array(buffer, 8, 5000), b: new Uint8Array(buffer, 20_003, 10_000) };
    const back = trip(value);
    expect(back.a.buffer).toBe(back.b.buffer);
    back.b[5] = 7;
    expect(new Uint8Array(back.a.buffer)[back.b.byteOffset + 5]).toBe(7);
    expect(back.b.byteOffset - back.a.byteOffset).toBe(19_995);
    const whole = trip({ buffer, view: new Uint8Array(buffer, 5, 2) });
    expect(whole.view.buffer).toBe(whole.buffer);
    expect(whole.buffer.byteLength).toBe(64_000);
  });

  test('parts that lie askew in a message', () => {
    const value = { a: new Float64Array(2000).fill(1.5), b: new ArrayBuffer(5000), c: new Uint8Array(5000).fill(3) };
    const payload = encode(value);
    const parts = payload.parts.map((part) => {
      const message = new Uint8Array(part.byteLength + 9);
      message.set(part, 3);
      return message.subarray(3, 3 + part.byteLength);
    });
    expect(decode({ ...payload, parts })).toStrictEqual(value);
  });

  test('transfer moves, once', () => {
    const array = new Float64Array(10_000).fill(4);
    const small = new Uint8Array([1, 2]);
    const kept = new Float64Array(10_000);
    const payload = encode({ given: transfer({ array, small }), kept });
    expect([array.length, small.length, kept.length]).toEqual([0, 0, 10_000]);
    const back = decode(payload) as any;
    expect(back.given.array).toStrictEqual(new Float64Array(10_000).fill(4));
    expect(back.given.small).toStrictEqual(new Uint8Array([1, 2]));
    const part = transfer(new Float64Array(10_000)).subarray(5000);
    expect((trip(transfer(part)) as Float64Array).length).toBe(5000);
    expect(refused({ array }).message).toMatch(/args\.array has no memory any more/);
    const again = new Uint8Array(5000);
    trip(transfer([again]));
    expect(again.length).toBe(0);
    expect(trip(transfer(Buffer.from('pooled'))).toString()).toBe('pooled');
    expect(Buffer.from('alive').toString()).toBe('alive');
  });

  test('nothing is given away when something else is refused', () => {
    const array = new Float64Array(10_000);
    refused([transfer(array), Symbol('s')]);
    expect(array.length).toBe(10_000);
  });

  test('shared memory', () => {
    const shared = share(Float64Array.of(1, 2, 3));
    expect(shared).toBeInstanceOf(Float64Array);
    expect(shared.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(share(shared)).toBe(shared);
    const payload = encode({ shared, whole: shared.buffer });
    const back = decode(payload) as any;
    expect(back.shared.buffer).toBe(shared.buffer);
    expect(back.whole).toBe(shared.buffer);
    const copied = { ...payload, parts: payload.parts.map((part) => new Uint8Array(part)) };
    const far = decode(copied) as any;
    expect(far.whole).toBeInstanceOf(SharedArrayBuffer);
    expect(far.whole).not.toBe(shared.buffer);
    expect(far.shared).toEqual(shared);
    expect(Buffer.isBuffer(shared)).toBe(false);
  });
});

describe('what cannot travel', () => {
  class Point {
    x = 1;
  }
  test.each<[unknown, string, RegExp]>([
    [[{ docs: [0, 0, 0, { fn() {} }] }], 'args[0].docs[3].fn', /a function \(fn\)/],
    [[0, new Map([['key', Symbol('s')]])], 'args[1].get("key")', /a symbol \(Symbol\(s\)\)/],
    [[new Set([1, new WeakMap()])], 'args[0].values()[1]', /a WeakMap/],
    [new Map([[new Point(), 1]]), 'args.keys()[0]', /class Point/],
    [new Map([[{}, new Point()]]), 'args.values()[0]', /registerClass\(Point/],
    [{ 'a b': Promise.resolve(1) }, 'args["a b"]', /await it first/],
    [[new Point()], 'args[0]', /class Point.*send a plain object/],
    [[new (class MyMap extends Map {})()], 'args[0]', /class MyMap/],
    [[new (class List extends Array {})()], 'args[0]', /class List/],
    [{ out: process.stdout }, 'args.out', /stream or handle/],
    [new WeakRef({}), 'args', /a WeakRef/],
    [[1][Symbol.iterator](), 'args', /an iterator/],
    [[new MessageChannel().port1], 'args[0]', /MessagePort/],
    [
      {
        get bad() {
          throw new Error('boom');
        },
      },
      'args.bad',
      /cannot be read: that threw Error: boom/,
    ],
    [sparse(1, Symbol('x')), 'args[2]', /symbol/],
  ])('case %#', (value, path, message) => {
    const error = refused(value);
    expect(error.path).toBe(path);
    expect(error.message).toMatch(message);
  });
});

test('an object that cannot even be looked at is refused with its path', () => {
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  expect(refused({ a: [revoked.proxy] }).path).toBe('args.a[0]');
});

describe('registered classes', () => {
  class Vector {
    readonly items: unknown;
    constructor(items: unknown) {
      this.items = items;
    }
  }
  registerClass(Vector, { encode: (v) => ({ items: v.items }), decode: ({ items }) => new Vector(items) });

  test('are rebuilt, with identity and contents', () => {
    const inner = new Vector(new Map([['a', new Float64Array(2000).fill(2)]]));
    const outer = new Vector([inner, inner, -0]);
    const back = trip({ outer, inner });
    expect(back.outer).toBeInstanceOf(Vector);
    expect(back.outer).toStrictEqual(outer);
    expect((back.outer.items as unknown[])[0]).toBe(back.inner);
    expect((back.outer.items as unknown[])[1]).toBe(back.inner);
  });

  test('subclasses are refused; what encode and decode throw is told', () => {
    expect(refused(new (class Sub extends Vector {})(1)).message).toMatch(/class Sub/);
    class Bad {}
    registerClass(Bad, {
      encode: () => {
        throw new Error('no way');
      },
      decode: () => new Bad(),
    });
    expect(refused([new Bad()]).message).toMatch(/args\[0\].*class Bad.*no way/);
    class Late {}
    const oops = new RangeError('oops');
    registerClass(Late, {
      encode: () => 1,
      decode: () => {
        throw oops;
      },
    });
    expect(() => trip(new Late())).toThrow(expect.objectContaining({ name: 'ProtocolError', cause: oops }));
    registerClass(class Late {}, { encode: () => 1, decode: () => 'replaced' as never });
    expect(trip(new Late())).toBe('replaced'); // the name is the new class's now, as when a script runs twice
  });

  test('a cycle through an instance is told', () => {
    const self: unknown[] = [];
    self.push(new Vector(self));
    expect(() => trip(self)).toThrow(/Vector contains itself/);
  });
});

describe('forms', () => {
  const encodeHooks: EncodeHooks = {
    form(value) {
      return (value as { form?: Form }).form;
    },
  };
  const calls: string[] = [];
  const decodeHooks: DecodeHooks = {
    revive(form) {
      if (form.kind !== 'code') return { value: form };
      calls.push(`${form.name}(${Object.keys(form.captures)})`);
      const value: any = { name: form.name, captures: form.captures };
      return { value, bind: (captures) => void (value.captures = captures) };
    },
  };
  function code(name: string, captures: Record<string, unknown>): any {
    return Object.assign(() => {}, { form: { kind: 'code', hash: 'h', name, captures } satisfies Form });
  }

  test('functions with captures, on cycles and off, keep identity', () => {
    const leaf = code('leaf', { big: new Map([[1, -0]]), constructor: 1 });
    const f = code('f', { leaf, n: 1 });
    const g = code('g', { f, leaf });
    f.form.captures.g = g;
    const config = { f, list: [leaf] };
    f.form.captures.config = config;
    calls.length = 0;
    const back = decode(encode([f, g, leaf, config], { hooks: encodeHooks }), decodeHooks) as any[];
    const [f2, g2, leaf2, config2] = back;
    expect(calls[0]).toBe('leaf(big,constructor)');
    expect(new Set(calls.slice(1))).toEqual(new Set(['f(leaf,n)', 'g(leaf)']));
    expect(f2.captures).toEqual({ leaf: leaf2, n: 1, g: g2, config: config2 });
    expect(f2.captures.config).toBe(config2);
    expect(config2.f).toBe(f2);
    expect(g2.captures.f).toBe(f2);
    expect(leaf2.captures.big).toStrictEqual(new Map([[1, -0]]));
  });

  test('the other forms', () => {
    const forms: Form[] = [
      { kind: 'module', hash: 'x', export: null },
      { kind: 'builtin', module: 'node:fs', export: 'readFileSync' },
      { kind: 'need', index: 3 },
      { kind: 'ref', expression: 'a.b' },
    ];
    const value = forms.map((form) => Object.assign(() => {}, { form }));
    expect(decode(encode(value, { hooks: encodeHooks }), decodeHooks)).toEqual(forms);
    const replaced = Object.assign(() => {}, { form: { kind: 'value', value: { a: -0 } } });
    const [a, b] = decode(encode([replaced, replaced], { hooks: encodeHooks })) as any[];
    expect(a).toStrictEqual({ a: -0 });
    expect(a).toBe(b);
  });

  test('paths through captures', () => {
    const f = code('f', { cfg: { sock: Symbol('s') } });
    const paths: string[] = [];
    const hooks: EncodeHooks = {
      form(value, path) {
        paths.push(path);
        return encodeHooks.form(value, path);
      },
    };
    expect(refused([{ f }], hooks).path).toBe("args[0].f → captured variable 'cfg'.sock");
    expect(paths).toEqual(['args[0].f']);
  });

  test('without hooks nothing is revived', () => {
    const payload = encode([code('f', {})], { hooks: encodeHooks });
    expect(() => decode(payload)).toThrow(ProtocolError);
    const own = new Error('from the hook');
    const hooks: DecodeHooks = {
      revive() {
        throw own;
      },
    };
    expect(() => decode(payload, hooks)).toThrow(own);
  });
});

describe('json and raw', () => {
  test('plain values', () => {
    const value = JSON.parse('{"a": [1, "é", null, true, {"__proto__": 2.5}], "": {}}');
    const payload = encode(value, { codec: 'json' });
    expect(new TextDecoder().decode(payload.parts[0])).toBe(JSON.stringify(value));
    expect(decode(payload)).toStrictEqual(value);
    expect(decode({ codec: 'raw', parts: [Uint8Array.of(1), Uint8Array.of(2, 3)] })).toEqual(Uint8Array.of(1, 2, 3));
    expect(() => decode({ codec: 'json', parts: [Uint8Array.of(123)] })).toThrow(ProtocolError);
  });

  test.each([undefined, Number.NaN, -0, 1n, new Date(), new Map(), () => {}, Symbol('s'), new Uint8Array(1)])(
    'refuses %s',
    (lost) => {
      expect(() => encode({ a: [lost] }, { codec: 'json' })).toThrow(/value\.a\[0\] is .*JSON cannot carry/);
    },
  );

  test('refuses cycles, holes and endless depth', () => {
    expect(() => encode(sparse(1, 2), { codec: 'json' })).toThrow(/value\[1\] is a hole/);
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    expect(() => encode(cycle, { codec: 'json' })).toThrow(/value\.self is a cycle/);
    let deep: unknown = 1;
    for (let i = 0; i < 100_000; i++) deep = [deep];
    expect(() => encode(deep, { codec: 'json' })).toThrow(CannotTravelError);
  });
});

describe('hostile bytes', () => {
  const hooks: DecodeHooks = { revive: (form) => ({ value: form, bind() {} }) };
  function survives(payload: Payload): void {
    try {
      decode(payload, hooks);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
    }
  }

  test('random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, table) => {
        survives({ codec: 'msgpack', parts: [table ? Uint8Array.of(0xc1, 0x92, ...bytes) : bytes] });
      }),
      { numRuns: 5000 },
    );
    survives({ codec: 'msgpack', parts: [] });
    for (const length of [0xdd, 0xdf, 0xc9, 0xdb])
      survives({ codec: 'msgpack', parts: [Uint8Array.of(length, 255, 255, 255, 255)] });
    survives({ codec: 'msgpack', parts: [new Uint8Array(1_000_000).fill(0x91)] });
  });

  test('real payloads, cut and flipped', () => {
    const shared = { n: [1, 2] };
    const value: any = {
      shared,
      again: shared,
      map: new Map<unknown, unknown>([
        ['a', -0],
        [{}, new Set(['\ud800'])],
      ]),
      error: new TypeError('x', { cause: new AggregateError([new Error('y')], 'z') }),
      array: new Float64Array(600),
      small: Uint16Array.of(1, 2),
      sparse: sparse(1, 3),
      date: new Date(7),
      re: /a/g,
      url: new URL('http://a/'),
      big: 2n ** 90n,
      proto: JSON.parse('{"__proto__": 1}'),
      fn: Object.assign(() => {}, { form: { kind: 'code', hash: 'h', name: 'f', captures: { shared } } }),
    };
    value.self = value;
    const payload = encode(value, { hooks: { form: (f) => (f as any).form } });
    const body = payload.parts[0]!;
    expect((decode(payload, hooks) as any).self.fn.kind).toBe('code');
    for (let end = 0; end < body.length; end++) survives({ codec: 'msgpack', parts: [body.subarray(0, end)] });
    for (let i = 0; i < body.length; i++) {
      for (let bit = 0; bit < 8; bit++) {
        const flipped = body.slice();
        flipped[i]! ^= 1 << bit;
        survives({ codec: 'msgpack', parts: [flipped, ...payload.parts.slice(1)] });
      }
    }
    survives({ codec: 'msgpack', parts: [body] });
    expect((decode(payload, hooks) as any).self.fn.kind).toBe('code');
  });
});

test('what is borrowed is the memory of the value itself, where a snapshot would copy; what is given away is moved all the same', () => {
  const large = new Float64Array(2_000).fill(1);
  const middle = large.subarray(500, 1_500);
  const given = new Uint8Array(10_000).fill(7);
  const value = { small: Uint8Array.of(1, 2), middle, many: [new Int16Array(4_000).fill(3), transfer(given)] };
  const { parts } = encode(value, { borrow: true });
  const own = parts.filter(({ buffer }) => buffer === large.buffer);
  expect(own.map(({ byteOffset, length }) => [byteOffset, length])).toEqual([[4_000, 8_000]]);
  expect(given.length).toBe(0);
  middle[0] = 5; // it is no snapshot
  const got = decode({ codec: 'msgpack', parts: parts.map((part) => part.slice()) }) as typeof value;
  expect([got.middle[0], got.middle[1], got.middle.length, ...got.small]).toEqual([5, 1, 1_000, 1, 2]);
  expect([got.many[0]!.length, got.many[0]![9], (got.many[1] as Uint8Array)[9_999]]).toEqual([4_000, 3, 7]);
  expect(encode(value.middle).parts.some(({ buffer }) => buffer === large.buffer)).toBe(false);
});

test('what is in an instance of an immutable class may be lent, unless it is seen elsewhere as well', () => {
  class Page {
    readonly bytes: Uint8Array;
    constructor(bytes: Uint8Array) {
      this.bytes = bytes;
    }
  }
  registerClass(Page, {
    encode: ({ bytes }) => bytes,
    decode: (bytes: Uint8Array) => new Page(bytes),
    immutable: true,
  });
  const memory = new Uint8Array(20_000).fill(9);
  const page = new Page(memory.subarray(8, 12_008));
  const partsOf = (value: unknown, lend = true) => encode(value, { lend }).parts.slice(1);
  const [alone, ...rest] = partsOf([page, page]);
  expect([alone!.buffer === memory.buffer, alone!.byteOffset, alone!.length, rest.length]).toEqual([
    true,
    8,
    12_000,
    0,
  ]);
  expect(partsOf(page, false).map(({ buffer }) => buffer === memory.buffer)).toEqual([false]);
  expect(partsOf([page, memory]).map(({ buffer }) => buffer === memory.buffer)).toEqual([false]);
  const got = decode(encode({ page })) as { page: Page };
  expect([got.page.constructor, got.page.bytes.length, got.page.bytes[11_999]]).toEqual([Page, 12_000, 9]);
  // What is given away is gone all the same.
  const given = new Page(new Uint8Array(10_000).fill(3));
  expect((decode(encode(transfer(given.bytes))) as Uint8Array)[9_999]).toBe(3);
  expect(given.bytes.length).toBe(0);
});

test('memory of what has been passed on is used again, and only that', () => {
  const text = (letter: string, length: number): string => letter.repeat(length);
  const passed = encode([text('a', 3_000_000)], { passing: true }).parts[0]!;
  const own = encode([text('b', 3_000_000)]).parts[0]!;
  hold(passed);
  hold(own);
  const others = [encode([text('c', 3_000_000)], { passing: true }).parts[0]!];
  letGo(own);
  letGo(passed);
  // A little larger, and in the same memory.
  others.push(encode([text('d', 3_000_100)], { passing: true }).parts[0]!);
  expect(others.map(({ buffer }) => buffer === passed.buffer)).toEqual([false, true]);
  expect(decode({ codec: 'msgpack', parts: [own] })).toEqual([text('b', 3_000_000)]);
  expect(decode({ codec: 'msgpack', parts: [others[0]!] })).toEqual([text('c', 3_000_000)]);
  expect(decode({ codec: 'msgpack', parts: [others[1]!] })).toEqual([text('d', 3_000_100)]);
});
