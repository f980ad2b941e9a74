/** How values and failures look in the console. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { failureText } from '../../cli/display/failure.ts';
import { grouped } from '../../cli/display/grouped.ts';
import { display, type Look } from '../../cli/display/value.ts';
import { findCommand } from '../../cli/repl/commands.ts';
import { entryOf, isUnfinished } from '../../cli/repl/entry.ts';
import { joined } from '../../cli/repl/program.ts';
import { statementsOf } from '../../cli/repl/statements.ts';
import { suggestion } from '../../cli/suggestion.ts';
import { prepare } from '../../core/console/index.ts';
import { CompositeError, RemoteError, UsageError } from '../../core/errors.ts';

const look: Look = { colours: false, width: 80 };
const parts = (...values: unknown[]) => values.map((value, engine) => ({ engine, value }));

test('equal values stand once, with their engines', () => {
  expect(grouped(parts(42, 42, 42, 42), look)).toBe('[0-3] 42');
  expect(grouped(parts(1, 7, 1), look)).toBe('[0,2] 1\n[1] 7');
  expect(grouped(parts({ a: 1 }, { a: 1 }), look)).toBe('[0,1] { a: 1 }');
  expect(grouped(parts(undefined, undefined), look)).toBe('');
  expect(grouped(parts(undefined, 1), look)).toBe('[ undefined, 1 ]');
});

test('different scalars are one list, other different values a line each', () => {
  expect(grouped(parts(0, 10, 20), look)).toBe('[ 0, 10, 20 ]');
  expect(grouped(parts([0], [1]), look)).toBe('[0] [ 0 ]\n[1] [ 1 ]');
  expect(grouped(parts(5), look)).toBe('[0] 5');
});

test('what is not shown whole is not taken for equal', () => {
  const long = Array.from({ length: 500 }, (_, i) => i);
  const other = [...long.slice(0, -1), -1];
  expect(grouped(parts(long, other), look).match(/^\[\d\]/gm)).toEqual(['[0]', '[1]']);
});

test('every engine stands in exactly one group, whatever the values', () => {
  const value = fc.oneof(
    fc.constantFrom(1, 'a', null, undefined, Number.NaN),
    fc.array(fc.integer({ max: 2, min: 0 })),
  );
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 12 }), (values) => {
      const text = grouped(parts(...values.map((one) => [one])), look);
      const ids = [...text.matchAll(/^\[([\d,-]+)\] /gm)].flatMap(([, list]) =>
        list!.split(',').flatMap((range) => {
          const [from, to = from] = range.split('-').map(Number);
          return Array.from({ length: to! - from! + 1 }, (_, i) => from! + i);
        }),
      );
      expect(ids.sort((a, b) => a - b)).toEqual(values.map((_, i) => i));
    }),
  );
});

test('lists of records are tables', () => {
  const list = [
    { name: 'ann', age: 41, tags: ['x', 'y'] },
    { name: 'bo', age: 7 },
  ];
  expect(display(list, look)).toBe(['   name  age  tags', "0  ann    41  [ 'x', 'y' ]", '1  bo      7'].join('\n'));
  const many = Array.from({ length: 1_000 }, (_, n) => ({ n }));
  expect(display(many, look).split('\n')).toHaveLength(21);
  expect(display(many, look)).toMatch(/18 {2}18\n… and 981 rows more$/);
});

test('what makes no good table is shown as Node shows it', () => {
  expect(display([{ a: 1 }], look)).toBe('[ { a: 1 } ]');
  expect(display([{ a: 1 }, 2], look)).toBe('[ { a: 1 }, 2 ]');
  expect(display([{}, {}], look)).toBe('[ {}, {} ]');
  const wide = Array.from({ length: 2 }, () => ({ a: 'x'.repeat(39), b: 'x'.repeat(39), c: 1 }));
  expect(display(wide, look)).toMatch(/^\[\n {2}\{/);
});

test('typed arrays are summarised', () => {
  const data = Float64Array.from({ length: 1_000 }, (_, i) => i / 2);
  expect(display(data, look)).toBe(
    'Float64Array(1000) [ 0, 0.5, 1, …, 498.5, 499, 499.5 ], min 0, max 499.5, mean 249.75, 8 kB',
  );
  data[3] = Number.NaN;
  expect(display(data, look)).toContain(', 1 NaN, 8 kB');
  expect(display(new BigInt64Array(100), look)).toBe('BigInt64Array(100) [ 0, 0, 0, …, 0, 0, 0 ], 800 B');
  expect(display(new Uint8Array(3), look)).toBe('Uint8Array(3) [ 0, 0, 0 ]');
});

test('a value says itself what it looks like', () => {
  const offers = (offered: unknown) => ({ [Symbol.for('Jupyter.display')]: () => offered });
  expect(display(offers({ 'text/plain': 'a plot' }), look)).toBe('a plot');
  expect(display(offers({ 'text/html': '<b>', 'text/markdown': '**m**' }), look)).toBe('**m**');
  expect(display(offers({ 'text/html': '<b>' }), look)).toMatch(/Jupyter/);
  expect(display({ [Symbol.for('Jupyter.display')]: 5 }, look)).toMatch(/Jupyter/);
  const throws = {
    [Symbol.for('Jupyter.display')]: () => {
      throw new Error('no');
    },
  };
  expect(display(throws, look)).toMatch(/Jupyter/);
});

test('failures stand once, with the line, a caret and the frames of the user', () => {
  const { cell } = prepare('function f() {\n  null.x\n}\nf()');
  const name = cell.url.slice('tutti:///'.length);
  const remoteStack = `TypeError: bad\n    at f (${cell.url}:2:8)\n    at eval (${cell.url}:4:1)\n    at node:internal/x:1:1`;
  const errors = [0, 1, 2].map(
    (engine) => new RemoteError({ engine, task: '1.1', error: new TypeError('bad'), remoteStack }),
  );
  expect(failureText(new CompositeError(errors, 3), look)).toBe(
    [
      '[0-2] TypeError: bad',
      '          null.x',
      '               ^',
      `          at f (${name}:2:8)`,
      `          at eval (${name}:4:1)`,
    ].join('\n'),
  );
  expect(failureText(new UsageError('so not'), look)).toBe('UsageError: so not');
  expect(failureText('text', look)).toBe("threw 'text'");
  expect(failureText(new Error('outer', { cause: new RangeError('inner') }), look)).toMatch(
    /caused by RangeError: inner$/,
  );
});

test('what an error is made of stands under it, and its chain of causes', () => {
  const told = (error: Error): string[] =>
    failureText(error, look)
      .split('\n')
      .filter((line) => !/^\s+at /.test(line));
  const plainly = <E extends Error>(error: E): E => Object.assign(error, { stack: undefined });
  const inner = plainly(new AggregateError([plainly(new RangeError('far')), 'text'], 'two'));
  const cause = plainly(new Error('why', { cause: plainly(new TypeError('root', { cause: 404 })) }));
  const outer = plainly(new AggregateError([new UsageError('a'), inner, new UsageError('a')], 'all', { cause }));
  const expected = [
    'AggregateError: all',
    '  1,3 of 3: UsageError: a',
    '  2 of 3: AggregateError: two',
    '    1 of 2: RangeError: far',
    "    2 of 2: threw 'text'",
    'caused by Error: why',
    'caused by TypeError: root',
    'caused by 404',
  ];
  expect(told(outer)).toEqual(expected);
  const remote = new RemoteError({ engine: 2, task: '1.1', error: outer });
  expect(told(remote)).toEqual(expected.map((line, i) => (i ? `    ${line}` : `[2] ${line}`)));

  const circle = plainly(new AggregateError([], 'round'));
  (circle as AggregateError).errors.push(circle);
  circle.cause = circle;
  expect(told(circle).length).toBeLessThan(10);
  const many = plainly(
    new AggregateError(
      Array.from({ length: 1_000 }, (_, i) => new UsageError(`${i % 2}`)),
      'many',
    ),
  );
  expect(told(many)).toEqual([
    'AggregateError: many',
    '  1,3,5,7,9 of 1000: UsageError: 0',
    '  2,4,6,8,10 of 1000: UsageError: 1',
    '  … and 990 more',
  ]);
});

test('a mistyped name has a suggestion', () => {
  const names = ['engines', 'tasks', 'peek', 'px', 'who', 'interrupt', 'exit', 'editor'];
  const meant = (typed: string): string | undefined => suggestion(typed, names);
  expect(['egnines', 'engine', 'task', 'peke', 'inter', 'quit', 'exi', 'wh', 'editr'].map(meant)).toEqual([
    'engines',
    'engines',
    'tasks',
    'peek',
    'interrupt',
    'exit',
    'exit',
    'who',
    'editor',
  ]);
  expect(['nothing', 'x', 'then', 'map'].map(meant)).toEqual([undefined, 'px', undefined, undefined]);
});

test('lines are code for here, for the engines, or commands', () => {
  expect(entryOf('a + 1', false)).toEqual({ kind: 'here', code: 'a + 1' });
  expect(entryOf('% a', false)).toEqual({ kind: 'engines', code: '  a', later: false });
  expect(entryOf('%%a &', false)).toEqual({ kind: 'engines', code: '  a ', later: true });
  expect(entryOf('a && b', true)).toEqual({ kind: 'engines', code: 'a && b', later: false });
  expect(entryOf(' .who a.b', false)).toEqual({ kind: 'command', name: 'who', rest: 'a.b' });
  expect(entryOf('.5 + 1', false)).toEqual({ kind: 'here', code: '.5 + 1' });
  expect(entryOf(' \n', false)).toEqual({ kind: 'nothing' });
});

test.each([
  'f(',
  'let a = {',
  '`two',
  '/* so',
  'if (a)',
  'class A {',
  'a +',
  '% for (;;) {',
  'let n: number =',
  '(x) =>',
  '.px f(',
])('%j goes on in the next line', (text) => expect(isUnfinished(text, false)).toBe(true));
test.each(['a', "'open", 'let = ;', '}', 'a b', '% a', '.who f(', '', '// note', '{ a: 1 }', '% f() &'])(
  '%j is all there is',
  (text) => expect(isUnfinished(text, false)).toBe(false),
);

test('a file is read statement by statement, chains and else included', () => {
  const reading = {
    isUnfinished: (text: string) => isUnfinished(text, false),
    isCommand: (line: string) => findCommand(line.trim().slice(1).split(' ')[0]!) !== undefined,
  };
  const statements = [
    'let a = [1, 2]\n  .map((x) => x + 1)\n  .filter(Boolean)',
    'if (a) {\n  f()\n}\nelse g()',
    '% a',
    '.push a',
    '// note',
    'b',
    'c\n  ?.d',
  ];
  expect(statementsOf(statements.join('\n'), reading)).toEqual(statements);
});

const program = (...codes: string[]) =>
  joined(
    codes.map((code) => ({ code, shown: false })),
    new Set(['client']),
  ).body.join('\n');

test('names that a module would not take are declared once, at the top', () => {
  expect(program('let a = 1', 'a = 2', 'a')).toBe('let a = 1;\na = 2;\na;');
  expect(program('let a = 1', 'const a = 2')).toBe('let a;\n\na = 1;\na = 2;');
  expect(program('const a = 1', 'a = 2')).toBe('let a;\n\na = 1;\na = 2;');
  expect(program('b = 1')).toBe('let b;\n\nb = 1;');
  expect(program('let { a, b } = c', 'function a() {}')).toBe('let a, b;\n\n({ a, b } = c);\na = function a() {};');
  expect(program('let i', 'for (let i = 0; i < 3; i++) f(i)')).toBe('let i;\nfor (let i = 0; i < 3; i++) f(i)');
  expect(program('class A {}', 'class A {}')).toBe('let A;\n\nA = class A {};\nA = class A {};');
  expect(
    joined(
      [
        { code: "import a from 'x'", shown: false },
        { code: 'a', shown: true },
      ],
      new Set(),
    ),
  ).toEqual({
    imports: ["import a from 'x';"],
    body: ['console.log(a);'],
    free: new Set(),
  });
  expect(program("import a, { b as c } from 'x'", 'let a')).toBe(
    "let a, c;\n\n({ default: a } = await import('x')); ({ b: c } = await import('x'));\na = undefined;",
  );
});
