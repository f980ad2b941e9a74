import { expect, test } from 'vitest';
import { prepare } from '../../core/console/index.ts';
import { createEvaluator } from '../../core/engine/evaluator.ts';
import { homeward } from '../../core/places.ts';

const evaluator = createEvaluator(process.cwd());

async function positions(source: string, params: string[] = []): Promise<string[]> {
  const prepared = prepare(source, { params });
  try {
    await evaluator.run(prepared.cell, []);
  } catch (error) {
    const { stack } = homeward((error as Error).stack!);
    return [...stack.matchAll(/\bcell-\d+\.ts:(\d+:\d+)/g)].map((match) => match[1]!);
  }
  throw new Error('the text was to fail');
}

test.each<[string, string[]]>([
  ['null.x', ['1:6']],
  ['let a = 1, b = null.x', ['1:21']],
  ['let a: number = 1, b = null.x', ['1:29']],
  ['await 1\nlet ok = 1, bad = null.x', ['2:24']],
  ['{ a: null.x }', ['1:11']],
  ['{ a: (null as any).x }', ['1:20']],
  [
    'interface I {\n  p: number\n}\n\nfunction boom(i: I) {\n  return (null as any).p\n}\nboom({ p: 1 })',
    ['6:24', '8:1'],
  ],
  [
    'interface I {\n  p: number\n}\nawait 1\nfunction boom(i: I) {\n  return (null as any).p\n}\nboom({ p: 1 })',
    ['6:24', '8:1'],
  ],
  ['await 1\n\nfunction boom() {\n  null.x\n}; if (1) { boom() }', ['4:8', '5:13']],
  ['"use strict"\nundeclared = 1', ['2:12']],
  ['class A { m() { null.x } }\nnew A().m()', ['1:22', '2:9']],
])('the positions of an error are those of the text: %j', async (source, expected) => {
  expect(await positions(source)).toEqual(expected);
});

test('with parameters, and in a function of an earlier text', async () => {
  expect(await positions('let q = p\nq.x.y', ['p'])).toEqual(['2:3']);
  evaluator.run(prepare('type T = 1\n\nfunction earlier(x: any) {\n  return x.y\n}').cell, []);
  expect(await positions('1\nearlier()')).toEqual(['4:12', '2:1']);
});

test.each<[string, RegExp, number, number]>([
  ['let bad = ;', /^Unexpected ";" \(line 1, column 11\)\n {2}let bad = ;\n {12}\^$/, 1, 11],
  ['1\n\tlet "日": = ;', /\n {2}\tlet "日": = ;\n {2}\t {4}\^$/, 2, 6],
  ['let ünï = "日" let', /\^$/, 1, 15],
  ['let a = 1\nexport const b = 2', /export has no meaning here/, 2, 1],
  ['let a = 1\n; import.meta.url', /import\.meta has no meaning here/, 2, 3],
  ['for (;;) {\n  break nowhere\n}', /nowhere/, 2, 9],
  ['function f() { await 1 }', /await/, 1, 16],
  ['return 1', /return/i, 1, 1],
])('a syntax error shows where: %j', (source, message, line, column) => {
  let error: unknown;
  try {
    prepare(source);
  } catch (e) {
    error = e;
  }
  expect(error).toBeInstanceOf(SyntaxError);
  expect(error).toMatchObject({ name: 'SyntaxError', message: expect.stringMatching(message), line, column });
});
