import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import { freeNames } from '../../core/functions/free-names.ts';
import { expressionOf } from '../../core/functions/syntax.ts';

const free = (text: string) => [...freeNames(expressionOf(text)).names.keys()].sort().join(' ');
const outer = (text: string) => [...freeNames(expressionOf(text)).outer].join(' ');

describe('free names', () => {
  test.each([
    ['x => x + y', 'y'],
    ['(x = a, { b: [c = d, ...e], [f]: g, ...h } = i) => x + c + e + g + h', 'a d f i'],
    ['(x = y) => { var y = 1; return x }', 'y'],
    ['() => { if (1) { var v = 1; function f() {} } return [v, f] }', 'f'],
    ['() => { v = 1; f(); var v; function f() {} }', ''],
    ['() => { { let a = 1 } return a }', 'a'],
    ['function f() { return f }', ''],
    ['(class A { static b = A; #c = d; static { var e = g; e } [h]() { return this.#c } })', 'd g h'],
    ['class A extends B { m() { return A } }', 'B'],
    ['() => { try { a() } catch ({ b, c = d }) { b(c) } finally { e() } }', 'a d e'],
    ['() => { try { a() } catch { e } }', 'a e'],
    ['() => { outer: for (;;) { break outer } }', ''],
    ['() => typeof x', 'x'],
    ['() => ({ a, b: c, [d]: 1, e() { return f }, get g() { return h } })', 'a c d f h'],
    ['() => a.b.c[d].e', 'a d'],
    ['() => { a = 1; b++; [c, d.e] = f; ({ g, h: i = j } = k) }', 'a b c d f g i j k'],
    [
      '() => { for (const a of b) a; for (let i = 0, n = c; i < n; i++); for (const k in d) k; for (e of []); }',
      'b c d e',
    ],
    ['() => { switch (a) { case b: let c; default: c } return c }', 'a b c'],
    ['async function* () { for await (const a of b) yield* c(a) }', 'b c'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is code
    ['() => `${a}${b`x${c}`}`', 'a b c'],
    ['() => a?.b?.[c] ?? new d.e(...f)', 'a c d f'],
    ['() => import(a)', 'a'],
    ['() => { const f = () => f(); class C extends D { x = y; } return new C(f) }', 'D y'],
    ['() => undefined', ''],
  ])('%s → %s', (text, expected) => assert.equal(free(text), expected));

  test.each([
    ['() => this', 'this'],
    ['function () { return () => [this, arguments, new.target] }', ''],
    ['() => () => arguments', 'arguments'],
    ['() => ({ m() { return super.m() + this.x } })', ''],
    ['() => super.m()', 'super'],
    ['() => new.target', 'new.target'],
    ['class { x = this.y; static z = this; static { this.w } }', ''],
    ['class { [this.key]() {} }', 'this'],
    ['() => import.meta.url', 'import.meta'],
  ])('%s needs %s', (text, expected) => assert.equal(outer(text), expected));

  test('members, where only members are used', () => {
    const { names } = freeNames(expressionOf('() => [a.b, a.c(), d.e, d]'));
    assert.deepEqual(
      names,
      new Map([
        ['a', new Set(['b', 'c'])],
        ['d', null],
      ]),
    );
  });
});
