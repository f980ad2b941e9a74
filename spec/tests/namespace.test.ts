import { afterEach, expect, test } from 'vitest';
import { createNamespace } from '../../core/engine/namespace.ts';
import { UsageError } from '../../core/errors.ts';

const namespace = createNamespace();
const world = globalThis as Record<string, any>;
afterEach(() => namespace.clear());

test('names are what came after the start', () => {
  expect(namespace.names()).toEqual([]);
  world.a = 1;
  namespace.set({ b: 2, größe: 3 });
  expect(namespace.names()).toEqual(['a', 'b', 'größe']);
});

test('get takes names and expressions, and says what is missing', () => {
  namespace.set({ a: { b: [7] } });
  expect(namespace.get('a')).toBe(world.a);
  expect(namespace.get('a.b[0] // seven')).toBe(7);
  expect(namespace.get('{ c: a.b[0] }')).toEqual({ c: 7 });
  expect(() => namespace.get('nothing')).toThrow(new ReferenceError('nothing is not defined'));
  expect(() => namespace.get('nothing.b')).toThrow(new ReferenceError('nothing is not defined'));
  expect(() => namespace.get('a b')).toThrow(/'a b' is not an expression/);
});

test('set is all or nothing, and takes plain names only', () => {
  for (const bad of ['a.b', '', '1a', 'class', 'a b'])
    expect(() => namespace.set({ fine: 1, [bad]: 2 }), bad).toThrow(UsageError);
  expect(namespace.names()).toEqual([]);
  expect(() => namespace.set({ undefined: 1 })).toThrow(/'undefined' cannot be declared or set/);
});

test('the view is the user names as an object', () => {
  const { view } = namespace;
  view.a = 1;
  world.b = 2;
  expect(Object.keys(view)).toEqual(['a', 'b']);
  expect({ ...view }).toEqual({ a: 1, b: 2 });
  expect(['a' in view, 'Map' in view, 'toString' in view]).toEqual([true, false, false]);
  expect(view.Map).toBeUndefined();
  expect(delete view.a).toBe(true);
  expect('a' in globalThis).toBe(false);
  expect(() => Object.assign(view, { 'x.y': 1 })).toThrow(UsageError);
});

test('replaced built-in globals are names until they are cleared', () => {
  const before = { Map, process, Blob, Buffer };
  namespace.set({ Map: 1, Blob: 2 });
  world.process = 3;
  world.Buffer = 4;
  expect(new Set(namespace.names())).toEqual(new Set(['Map', 'Blob', 'process', 'Buffer']));
  namespace.clear();
  expect({ Map, process, Blob, Buffer }).toEqual(before);
  expect(namespace.names()).toEqual([]);
});

test('a built-in global that loads itself on first use is nobody’s name', () => {
  expect(typeof world.CompressionStream).toBe('function');
  expect(typeof world.BroadcastChannel).toBe('function');
  expect(namespace.names()).toEqual([]);
});

test('names survive a user who replaces what names are made with', () => {
  const { Reflect: reflect, Proxy: proxy } = globalThis;
  namespace.set({ Reflect: null, Proxy: null, Object: null, x: 1 });
  const names = namespace.names();
  namespace.clear();
  expect(new Set(names)).toEqual(new Set(['Reflect', 'Proxy', 'Object', 'x']));
  expect([Reflect, Proxy]).toEqual([reflect, proxy]);
});
