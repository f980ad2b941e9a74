import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { prepare, splitTag } from '../../core/console/index.ts';
import { createEvaluator, type Evaluator } from '../../core/engine/evaluator.ts';
import { createNamespace, type Namespace } from '../../core/engine/namespace.ts';

let dir: string;
let evaluator: Evaluator;
let namespace: Namespace;
const run = (source: string): unknown => evaluator.run(prepare(source).cell, []);
const tag = (strings: TemplateStringsArray, ...values: unknown[]): unknown => {
  const { source, params } = splitTag(strings, values.length);
  return evaluator.run(prepare(source, { params }).cell, values);
};

beforeAll(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'tutti-console-'));
  writeFileSync(path.join(dir, 'local.mjs'), 'export default "d"; export const q = 42; export const two = 2;');
  mkdirSync(path.join(dir, 'node_modules/pack'), { recursive: true });
  writeFileSync(path.join(dir, 'node_modules/pack/package.json'), '{"name":"pack","main":"main.cjs"}');
  writeFileSync(path.join(dir, 'node_modules/pack/main.cjs'), 'module.exports = { packed: true };');
  evaluator = createEvaluator(dir);
  namespace = createNamespace();
});
afterEach(() => namespace.clear());
afterAll(() => rmSync(dir, { recursive: true }));

describe('values', () => {
  test.each<[string, unknown]>([
    ['let a: number = 1; a', 1],
    ['let a = 1', undefined],
    ['5; let a = 1', undefined],
    ['5; await 1; const a = 1', undefined],
    ['function f() {}', undefined],
    ['await 1; function f() {}', undefined],
    ['class A {}', undefined],
    ['{a:1}', { a: 1 }],
    ['{a:1,b:2}', { a: 1, b: 2 }],
    ['{a:1, b:{c:2}};  // an object', { a: 1, b: { c: 2 } }],
    ['/* first */ {a:1}', { a: 1 }],
    ['{a: await 1}', { a: 1 }],
    ['{a: 1 as number}', { a: 1 }],
    ['{}', {}],
    ['{ let q = 5; q + 1 }', 6],
    ['{ let q: number = 5; q + 1 }', 6],
    ['const { x, ...rest } = { x: 1, y: 2 }; rest', { y: 2 }],
    ['const [u = 7, { v = 8 } = {}] = []; await 1; [u, v]', [7, 8]],
    ['let f = () => 1; f.name', 'f'],
    ['await 1; let f = () => 1, C = class {}; [f.name, C.name]', ['f', 'C']],
    ['await 1; function* g() { yield 1 } async function h() {}; [g.name, h.name, [...g()]]', ['g', 'h', [1]]],
    ['Promise.resolve(1)', 1],
    ['await Promise.resolve(9n)', 9n],
    ['for await (const x of [1, 2]) x', 2],
    ['for (let i = 0; i < 3; i++) i * 2', 4],
    ['await 1; for (let i = 0; i < 3; i++) i * 2', 4],
    ['if (1) { 2 } else 3', 2],
    ['try { throw 1 } catch (e) { e } finally { 5 }', 1],
    ['await 1; try { throw 1 } catch (e) { e } finally { 5 }', 1],
    ['outer: for (;;) { 3; break outer }', 3],
    ['await 1; outer: for (;;) { 3; for (;;) break outer }', undefined],
    ['', undefined],
    ['  \n ', undefined],
    ['// nothing', undefined],
    ['5 // five', 5],
    ['await 5 // five', 5],
    ['5\n// five\n', 5],
    ['let a = 1 // one', undefined],
    ['#!/usr/bin/env node\n5', 5],
    ['#!/usr/bin/env node\nawait 5', 5],
    ['let größe = "日本𝒳"; größe', '日本𝒳'],
    ['let größe: string = "日本𝒳"; größe', '日本𝒳'],
    ['"use strict"; let s = 4; s + 1', 5],
    ['"use strict"; (function () { return this })()', undefined],
    ['"use strict"', 'use strict'],
    ['this === globalThis', true],
    ['await 1; this === globalThis', true],
    ['let a = 1\nlet b\n(5)', 5],
    ['await 1; let b\n(5)', 5],
    ['class A {}\n[1].map((x) => x)', [1]],
    ['await 1; class A {}\n[1].map((x) => x)', [1]],
    ['await 1\nfunction g() {}\n[2]', [2]],
    ['await 1\nlet a = 3\n;[a]', [3]],
    ['await 1; var i; for (var i = 0, k; i < 3; i++) { k = i; var z = 3 } [i, k, z]', [3, 2, 3]],
    ['await 1; for (var k in { p: 1 }); for (var { l } of [{ l: 2 }]); [k, l]', ['p', 2]],
    ['await 1; if (1) var a = 1\nelse var b = 2;\n[a, b]', [1, undefined]],
  ])('%j', async (source, value) => {
    expect(await run(source)).toStrictEqual(value);
  });

  test.each<[string, unknown]>([
    ['enum E { A = 7 }; E.A', 7],
    ['const enum E { A = 7 }; E.A', 7],
    ['interface I { p: number }\nlet i: I = { p: 1 }; i.p', 1],
    ['type T = string; 5 as unknown as T', 5],
    ['({ a: 1 }) satisfies object', { a: 1 }],
    ['function id<T>(x: T): T { return x }; id<number>(3)', 3],
    ['function id(x) { return x }; id<number>(3)', 3],
    ['new Map<string, number>([["a", 1]]).get("a")!', 1],
    ['class P { constructor(private x: number) {} get y() { return this.x } }; new P(6).y', 6],
    ['abstract class S<T> { z?: T; static k = 8 }; S.k', 8],
    ['namespace N { export const a = 1 }\nnamespace N { export const b = 2 }\nN.a + N.b', 3],
    ['import fs = require("node:fs"); typeof fs.readFileSync', 'function'],
    ['import type { X } from "nowhere"; 4', 4],
    ['let out = 0; { using u = { [Symbol.dispose]() { out = 7 } }; 1 } out', 7],
    ['using u = { v: 3, [Symbol.dispose]() {} }; u.v', 3],
  ])('TypeScript %j', async (source, value) => {
    Object.defineProperty(Symbol, 'dispose', { value: Symbol.dispose ?? Symbol.for('Symbol.dispose') });
    expect(await run(source)).toStrictEqual(value);
    expect(namespace.names().filter((name) => name.startsWith('_'))).toEqual([]);
  });
});

describe('declaring again', () => {
  const kinds = (name: string, v: number): string[] => [
    `let ${name} = () => ${v};`,
    `let ${name}: any = () => ${v};`,
    `const ${name} = () => ${v};`,
    `var ${name} = () => ${v};`,
    `const { ${name} } = { ${name}: () => ${v} };`,
    `function ${name}() { return ${v} }`,
    `class ${name} { static call() { return ${v} } }`,
    `class ${name} { static call(): number { return ${v} } }`,
    `enum ${name} { A = ${v} }`,
    `import { q as ${name} } from './local.mjs';`,
    `await 1; let ${name} = () => ${v};`,
    `await 1; function ${name}() { return ${v} }`,
    `await 1; class ${name} { static call() { return ${v} } }`,
    `"use strict"; function ${name}() { return ${v} }`,
    `if (true) { var ${name} = () => ${v} }`,
  ];
  const read = 'x === 42 ? x : typeof x === "object" ? x.A : /^class/.test(x) ? x.call() : x()';
  const given = (i: number, v: number) => (kinds('x', v)[i]!.startsWith('import') ? 42 : v);
  const kind = fc.nat({ max: kinds('x', 0).length - 1 });

  test('in a later text, any kind after any kind', async () => {
    await fc.assert(
      fc.asyncProperty(kind, kind, async (first, second) => {
        await run(kinds('x', 1)[first]!);
        expect(await run(read)).toBe(given(first, 1));
        await run(kinds('x', 2)[second]!);
        expect(await run(read)).toBe(given(second, 2));
        expect(namespace.names()).toContain('x');
        namespace.clear();
        expect(run('typeof x')).toBe('undefined');
      }),
      { numRuns: 225 },
    );
  });

  test('twice in one text, the last assignment wins and functions come first', async () => {
    await fc.assert(
      fc.asyncProperty(kind, kind, async (first, second) => {
        const [a, b] = [kinds('x', 1)[first]!, kinds('x', 2)[second]!];
        await run(`${a}\n${b}`);
        const hoisted = (text: string) => /^(await 1; |"use strict"; )?function/.test(text);
        const wins = hoisted(b) && !hoisted(a) ? given(first, 1) : given(second, 2);
        expect(await run(read)).toBe(wins);
        namespace.clear();
      }),
      { numRuns: 150 },
    );
  });

  test('a text that awaits sees the new one', async () => {
    run('let x: number = 1');
    expect(await run('let x = 2; await Promise.resolve(x)')).toBe(2);
    expect(run('x')).toBe(2);
  });

  test('an enum does not mix with what was there', () => {
    run('enum E { A } let E2 = 5; let N = 5');
    expect(run('enum E { B }; Object.keys(E)')).toEqual(['0', 'B']);
    expect(run('namespace N { export const a = 1 }; N.a')).toBe(1);
  });

  test('a declaration without a value, and var', () => {
    run('let a = 1; var b = 1');
    expect(run('let a; var b; [a, b]')).toEqual([undefined, 1]);
  });

  test('built-in globals may be declared, and clear() brings them back', async () => {
    const before = [Map, process, performance, globalThis.crypto];
    await run('let Map = 1, process = 2, performance = 3, crypto = 4');
    expect(run('[Map, process, performance, crypto]')).toEqual([1, 2, 3, 4]);
    namespace.clear();
    expect([Map, process, performance, globalThis.crypto]).toEqual(before);
    expect(() => run('let undefined = 1')).toThrow(/'undefined' cannot be declared/);
  });
});

describe('functions', () => {
  test.each(['', 'await 1;', '"use strict";'])(
    'are hoisted, visible later, and redefined for earlier callers (%s)',
    async (mode) => {
      expect(await run(`${mode} let r = f(); function f() { return g() } function g() { return 1 } r`)).toBe(1);
      expect(run('f()')).toBe(1);
      await run(`${mode} function g() { return 2 }`);
      expect(run('f()')).toBe(2);
      expect(run('delete globalThis.g')).toBe(true);
    },
  );
});

describe('modules', () => {
  test('import from node:, a file and a package, and import() and require', async () => {
    expect(await run('import { EOL, sep as s } from "node:path"; [EOL, s]')).toEqual([undefined, '/']);
    expect(await run('import d, { q, two as t } from "./local.mjs"\n[d, q, t]')).toEqual(['d', 42, 2]);
    expect(await run('import p, * as ns from "pack"; [p.packed, ns.default.packed]')).toEqual([true, true]);
    expect(await run('import "node:fs"')).toBeUndefined();
    expect(await run('[d, q, t, p.packed]')).toEqual(['d', 42, 2, true]);
    expect(await run('let load = () => import("./local.mjs"); (await load()).q')).toBe(42);
    expect(await run('load().then((m) => m.two)')).toBe(2);
    expect(run('require("pack").packed')).toBe(true);
  });
});

describe('template', () => {
  test('values stand for expressions, also inside functions', async () => {
    const data = { big: [1, 2, 3] };
    expect(tag`${data}.big.length`).toBe(3);
    expect(tag`let h = ${data}; h`).toBe(data);
    expect(await tag`await ${Promise.resolve(4)} + ${1}`).toBe(5);
    tag`function later() { return ${data}.big.map((x: number) => x * ${2}) }`;
    expect(run('later()')).toEqual([2, 4, 6]);
    expect(tag`let $value = 1; $value + ${2}`).toBe(3);
    expect(tag`\`a\${1 + 1}\n\`.length + ${0}`).toBe(3);
    expect(() => tag`let ${1} = 2`).toThrow(/value stands where a name/);
  });
});

test('a repeated text is prepared once', () => {
  expect(prepare('1 + 1')).toBe(prepare('1 + 1'));
  expect(prepare('1 + p', { params: ['p'] })).not.toBe(prepare('1 + p'));
});
