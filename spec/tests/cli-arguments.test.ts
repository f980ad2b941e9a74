import { expect, test } from 'vitest';
import { parseCount, parseIds, takeText } from '../../cli/arguments.ts';
import { unknownText } from '../../cli/mistyped.ts';
import { jsonable } from '../../cli/values.ts';
import { UsageError } from '../../core/errors.ts';

test.each([
  [['0,2'], [0, 2]],
  [
    ['3', '0-1'],
    [0, 1, 3],
  ],
  [
    ['1, 1', '0-2'],
    [0, 1, 2],
  ],
])('ids %j are %j', (given, ids) => {
  expect(parseIds('-t', given)).toEqual(ids);
});

test.each(['', ',', 'a', '1-', '-1', '2-1', '1.5', '0x1'])('%j is no list of ids', (given) => {
  expect(() => parseIds('-t', [given])).toThrow(UsageError);
});

test.each(['', '1.5', '-1', '1e3', ' 1', '12345678'])('%j is no count', (given) => {
  expect(() => parseCount('-n', given)).toThrow(UsageError);
});

test.each<[string[], string[], string | undefined, string[]]>([
  [['run', '-n', '4', 's.ts', '-n', '2', '--', 'x'], ['run', '-n', '4'], 's.ts', ['-n', '2', '--', 'x']],
  [['run', '-t0,1', '--name=a', '--', 's.ts', '--json'], ['run', '-t0,1', '--name=a'], 's.ts', ['--json']],
  [['--json', 'run', 's.ts', 'run'], ['--json', 'run'], 's.ts', ['run']],
  [['exec', '007', '-n', '2'], ['exec', '-n', '2'], '007', []],
  [['exec', '-n', '2', '-'], ['exec', '-n', '2'], '-', []],
  [['exec', '--', '-x'], ['exec'], '-x', []],
  [['exec', '--file', 'f.ts'], ['exec', '--file', 'f.ts'], undefined, []],
  [['status', '--name', 'exec'], ['status', '--name', 'exec'], undefined, []],
])('the text in %j is taken as it stands', (argv, own, text, rest) => {
  expect(takeText(argv)).toEqual({ own, text, rest });
});

test.each<[string[], string[]]>([
  [
    ['mapreduce', '--input', 'a', '--input', 'b', 'job.ts'],
    ['mapreduce', 'job.ts', '--input', 'a', '--input', 'b'],
  ],
  [
    ['mapreduce', '-n', '2', '--input', 'a.ts', 'b.ts', 'job.ts', '--json'],
    ['mapreduce', 'job.ts', '-n', '2', '--input', 'a.ts', 'b.ts', '--json'],
  ],
  [
    ['mapreduce', 'job.ts', '--input', 'a.ts', 'b.ts'],
    ['mapreduce', 'job.ts', '--input', 'a.ts', 'b.ts'],
  ],
  [
    ['mapreduce', '--mapper', 'cat', '--input', 'a.ts', 'b.ts'],
    ['mapreduce', '--mapper', 'cat', '--input', 'a.ts', 'b.ts'],
  ],
  [
    ['mapreduce', '--input', 'a.txt', 'b.txt'],
    ['mapreduce', '--input', 'a.txt', 'b.txt'],
  ],
])('the job of %j stands before its files', (argv, own) => {
  expect(takeText(argv)).toEqual({ own, text: undefined, rest: [] });
});

test.each<[string[], string[], string]>([
  [['attemps'], ['--attemps', '3'], 'There is no option --attemps; did you mean --attempts?'],
  [['keep-ordr', 'keepOrdr'], ['--keep-ordr'], 'There is no option --keep-ordr; did you mean --keep-order?'],
  [['inptu'], ['--inptu=a'], 'There is no option --inptu; did you mean --input?'],
  [['out'], ['--out', 'a'], 'There is no option --out; did you mean --output?'],
  [['colour'], ['--colour'], 'There is no option --colour'],
  [['x'], ['-x'], 'There is no option -x'],
  [
    ['word', 'nmae'],
    ['word', '--nmae', 'a'],
    "There is no option --nmae; did you mean --name?\n'word' means nothing here",
  ],
])('of %j in %j it is said: %s', (unknown, argv, text) => {
  const known = ['attempts', 'keep-order', 'keepOrder', 'input', 'input-format', 'output', 'name', 'n', 'help'];
  expect(unknownText(unknown, argv, known)).toBe(text);
});

test('what JSON cannot carry is shown', () => {
  const cycle: { self?: unknown; list: unknown[] } = { list: [undefined, -1n, Number.NaN] };
  cycle.self = cycle;
  expect(jsonable(cycle)).toEqual({
    list: [null, '-1', 'NaN'],
    self: '<ref *1> { list: [Array], self: [Circular *1] }',
  });
  const twice = { a: 1 };
  expect(jsonable([twice, twice])).toEqual([{ a: 1 }, { a: 1 }]);
  expect(jsonable(new Map([[1, new Set([2])]]))).toBe('Map(1) { 1 => Set(1) { 2 } }');
  expect(jsonable(Object.assign(Object.create(null), { f() {}, s: Symbol('x') }))).toEqual({
    f: '[Function: f]',
    s: 'Symbol(x)',
  });
  expect(JSON.stringify(jsonable({ at: new Date(0), none: undefined }))).toBe('{"at":"1970-01-01T00:00:00.000Z"}');
});
