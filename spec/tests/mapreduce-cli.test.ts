/** `tutti mapreduce`, as a user calls it. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PseudoTerminal } from '../fixtures/cli/pseudo-terminal.ts';
import { Terminal } from '../fixtures/cli/terminal.ts';
import { partsOf } from './support/mapreduce.ts';

const terminal = new Terminal();
const write = (name: string, text: string): void => writeFileSync(path.join(terminal.cwd, name), text);
beforeAll(() => {
  mkdirSync(path.join(terminal.cwd, 'data'));
  write('data/a.txt', 'to be or not\nto be\n');
  write('data/b.txt', 'not now\n');
  write('lib.ts', `export const wordsOf = (line: string): string[] => line.split(' ');\n`);
  write(
    'job.ts',
    `import path from 'node:path';
    import { wordsOf } from './lib.ts';
    const one: number = 1;
    const sum = (_: string, ones: Iterable<number>): number => [...ones].reduce((a, b) => a + b);
    export default {
      map(line: string, ctx: any) {
        ctx.counter('files', path.basename(ctx.file));
        for (const word of wordsOf(line)) ctx.emit(word, one);
      },
      combine: sum,
      reduce: sum,
    };\n`,
  );
  write(
    'chain.ts',
    `import job from './job.ts';\nexport default [job, { map: ([word, n]: any, ctx: any) => ctx.emit(n, word), reducers: 1 }];\n`,
  );
  write(
    'job-plain.ts',
    `export const map = (line: string, ctx: any) => line.split(' ').forEach((word) => ctx.emit(word, 1));
    export const reduce = (_: string, ones: Iterable<number>) => [...ones].length;\n`,
  );
  write('echo.mjs', 'export const map = (record, ctx) => ctx.emit(0, record);\n');
  write('parts.mjs', 'export const map = (line, ctx) => ctx.emit(line.length, line);\n');
  write('none.ts', 'export const answer: number = 42;\n');
  write('broken.ts', 'export default {;\n');
  write('theirs.mjs', 'export const map = () => {};\nexport const reducer = () => {};\n');
  write('slow.mjs', 'export const map = () => new Promise((done) => setTimeout(done, 600_000));\n');
  write('throws.ts', `export default { map() { throw new TypeError('boom'); }, attempts: 1 };\n`);
});
afterAll(() => terminal.close());
const mapreduce = (...args: string[]) => terminal.run(['mapreduce', ...args]);
const two = ['-n', '2', '--kind', 'thread'];
const input = ['--input', 'data/*.txt'];
const counts = [
  ['be', 2],
  ['not', 2],
  ['now', 1],
  ['or', 1],
  ['to', 2],
];

test('a job module writes part files, and says what it counted', async () => {
  const { code, stdout, stderr } = await mapreduce('job.ts', ...input, '--output', 'out', '--reducers', '2', ...two);
  expect([code, stdout]).toEqual([0, '']);
  expect(stderr).toMatch(/^5 records in 2 parts in .*out, \d+\.\d\d s\n/);
  expect(stderr).toContain('files: a.txt = 2\n');
  expect(stderr).toContain('mapreduce: map records out = 8\n');
  const { names, records } = partsOf(path.join(terminal.cwd, 'out'));
  expect(names).toEqual(['_SUCCESS', 'part-00000.jsonl', 'part-00001.jsonl']);
  expect(records.sort()).toEqual(counts);
  const again = await mapreduce('job.ts', ...input, '--output', 'out', ...two);
  expect([again.code, again.stderr]).toEqual([2, expect.stringMatching(/^tutti: .*out is not empty/)]);
  expect(terminal.litter()).toEqual([]);
});

test('--inline and --json: the same, in one document', async () => {
  const { code, stdout } = await mapreduce('job.ts', ...input, '--inline', '--json', '--reducers', '1');
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    results: counts,
    counters: { files: { 'a.txt': 2, 'b.txt': 1 } },
    elapsed: expect.any(Number),
  });
  const there = await mapreduce('job.ts', ...input, '--json', '--reducers', '1', ...two);
  expect(JSON.parse(there.stdout).results).toEqual(counts);
});

test('a chain, and parts that are exported by name', async () => {
  const chain = await mapreduce('chain.ts', ...input, ...two);
  expect([chain.code, chain.stdout.split('\n').slice(0, 2)]).toEqual([0, ['[1,"now"]', '[1,"or"]'].sort()]);
  const parts = await mapreduce('parts.mjs', '--input', 'data/b.txt', ...two);
  expect(parts.stdout).toBe('[7,"not now"]\n');
});

test('commands map and reduce', async () => {
  const { code, stdout } = await mapreduce(
    '--mapper',
    "grep be | tr ' ' '\\n'",
    '--reducer',
    'sort | uniq -c',
    '--reducers',
    '1',
    ...input,
    ...two,
  );
  expect([code, stdout]).toEqual([0, '      2 be\n      1 not\n      1 or\n      2 to\n']);
  const nothing = await mapreduce('--mapper', 'grep nothing', ...input, ...two);
  expect([nothing.code, nothing.stdout]).toEqual([0, '']);
  const dir = await mapreduce('--mapper', 'cat', ...input, '--output', 'texts', ...two);
  expect(dir.code).toBe(0);
  expect(readFileSync(path.join(terminal.cwd, 'texts/part-00000.txt'), 'utf8')).toContain('to be or not\n');
  const failed = await mapreduce('--mapper', 'echo oh no >&2; exit 3', ...input, ...two);
  expect([failed.code, failed.stderr]).toEqual([1, expect.stringMatching(/exit code 3: oh no/)]);
});

test('the job may stand before the files, or behind them', async () => {
  const orders = [
    ['job.ts', '--input', 'data/a.txt', 'data/b.txt'],
    ['--input', 'data/a.txt', '--input', 'data/b.txt', 'job.ts'],
    ['--reducers', '1', '--input', 'data/a.txt', 'data/b.txt', 'job.ts'],
    ['--input=data/a.txt', '--json', '--input=data/b.txt', 'job.ts', '--reducers', '1'],
  ];
  for (const order of orders) {
    const { code, stdout, stderr } = await mapreduce(...order, '--inline', '--json');
    expect([code, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout).results.sort()).toEqual(counts);
  }
});

test('records from standard input, alone and with files', async () => {
  const run = (from: string[], text: string, ...how: string[]) =>
    terminal.run(['mapreduce', ...from, ...how], { input: text });
  const one = await run(['job-plain.ts', '--input', '-', '--reducers', '1'], 'to be\nor not\nto be', ...two);
  expect(one.stdout).toBe('["be",2]\n["not",1]\n["or",1]\n["to",2]\n');
  const both = await run(['parts.mjs', '--input', '-', 'data/b.txt'], 'a\nbc\n', '--inline');
  expect(both.stdout).toBe('[1,"a"]\n[2,"bc"]\n[7,"not now"]\n');
  const json = await run(['echo.mjs', '--input', '-', '--input-format', 'jsonl'], '{"a":1}\n\n[2]\n', '--inline');
  expect(json.stdout).toBe('[0,{"a":1}]\n[0,[2]]\n');
  const none = await run(['echo.mjs', '--input', '-'], '', '--inline');
  expect([none.code, none.stdout]).toEqual([0, '']);
  const bad = await run(['echo.mjs', '--input', '-', '--input-format', 'jsonl'], '1\n2\nthree\n', '--inline');
  expect([bad.code, bad.stdout]).toEqual([2, '']);
  expect(bad.stderr).toMatch(/^tutti: standard input:3: no JSON/);
});

test.each<[string[], string, string[]]>([
  [['pairs'], 'a\t1\nb\n', ['["a","1"]', '["b",""]']],
  [['pairs', '--separator', '='], 'a=1=2\n', ['["a","1=2"]']],
  [['csv', '--separator', ';'], 'x;y\n1;2\n', ['{"x":"1","y":"2"}']],
  [['fixed', '--record-length', '3'], 'abcdef', ['{"0":97,"1":98,"2":99}', '{"0":100,"1":101,"2":102}']],
  [['files'], 'a\nb\n', ['a\\nb\\n']],
])('--input-format %j reads what the library reads', async (format, text, records) => {
  write('some.data', text);
  for (const from of ['some.data', '-']) {
    const args = ['mapreduce', 'echo.mjs', '--input', from, '--input-format', ...format, '--inline'];
    const { code, stdout } = await terminal.run(args, { input: text });
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.length).toBe(records.length);
    for (const [i, line] of lines.entries()) expect(line).toContain(records[i]);
  }
});

test('a combiner makes few lines of many before they travel', async () => {
  write('sum.awk', 'BEGIN { FS = OFS = "\\t" }\n{ n[$1] += $2 == "" ? 1 : $2 }\nEND { for (w in n) print w, n[w] }\n');
  const words = ['--mapper', "tr ' ' '\\n'", '--reducer', 'awk -f sum.awk | sort', '--reducers', '1', ...input];
  const lines = 'be\t2\nnot\t2\nnow\t1\nor\t1\nto\t2\n';
  const plain = await mapreduce(...words, ...two);
  expect([plain.code, plain.stdout]).toEqual([0, lines]);
  expect(plain.stderr).toContain('mapreduce: records shuffled = 8\n');
  const combined = await mapreduce(...words, '--combiner', 'awk -f sum.awk', '--split-size', '8', ...two);
  expect([combined.code, combined.stdout]).toEqual([0, lines]);
  const count = (name: string): number => Number(new RegExp(`${name} = (\\d+)`).exec(combined.stderr)![1]);
  expect(count('combine records in')).toBe(8);
  expect(count('combine records out')).toBe(count('records shuffled'));
  const failed = await mapreduce(...words, '--combiner', 'echo no >&2; exit 4', ...two);
  expect([failed.code, failed.stderr]).toEqual([1, expect.stringMatching(/exit code 4: no/)]);
});

test('a combiner of a job counts what came, and what it left', async () => {
  const { stderr } = await mapreduce('job.ts', ...input, '--reducers', '1', ...two);
  const count = (name: string): number => Number(new RegExp(`mapreduce: ${name} = (\\d+)`).exec(stderr)![1]);
  expect([count('map records out'), count('combine records in')]).toEqual([8, 8]);
  // Both files have `not`, and each may be a task.
  expect([5, 6]).toContain(count('combine records out'));
  expect(count('records shuffled')).toBe(count('combine records out'));
});

test.each([
  [['none.ts', ...input], 2, /none\.ts exports no job\. A job module has `export default/],
  [['broken.ts', ...input], 2, /broken\.ts cannot be loaded: /],
  [['theirs.mjs', ...input], 2, /theirs\.mjs exports 'reducer', which is called 'reduce' here/],
  [input, 2, /Which job\?/],
  [['job.ts', '--mapper', 'cat', ...input], 2, /give one of them/],
  [['job.ts'], 2, /Which input\?/],
  [['job.ts', '--input', '-', '--input', '-'], 2, /--input - is given twice/],
  [['job.ts', '--input', '-', '--checkpoint', 'c'], 2, /standard input comes once/],
  [['job.ts', ...input, '--input-format', 'fixed'], 2, /fixed needs --record-length/],
  [['job.ts', ...input, '--input-format', 'fixed', '--record-length', '0'], 2, /--record-length.*; got '0'/],
  [['job.ts', ...input, '--separator', ';'], 2, /--separator is for --input-format pairs or csv; this one is lines/],
  [['job.ts', ...input, '--input-format', 'xml'], 2, /input-format.*"xml"/s],
  [['--mapper', 'cat', ...input, '--input-format', 'csv'], 2, /Commands read lines/],
  [['--mapper', 'cat', '--combiner', 'cat', ...input], 2, /combiner.*reducer/],
  [['job.ts', '--inptu', 'data/a.txt'], 2, /There is no option --inptu; did you mean --input\?/],
  [['job.ts', '--input', 'nothing/*'], 2, /nothing\/\*/],
  [['job.ts', ...input, '--reducers', 'x'], 2, /--reducers is a number/],
  [['job.ts', ...input, '--memory', '1T'], 2, /--memory is a number of bytes, e\.g\. 64M; got '1T'/],
  [['throws.ts', ...input, '--inline'], 1, /map of step 0 failed at record 1 of task 0, in .*a\.txt: TypeError: boom/],
])('%j: exit code %i', async (args, exit, says) => {
  const { code, stdout, stderr } = await mapreduce(...args);
  expect([code, stdout]).toEqual([exit, '']);
  expect(stderr).toMatch(says);
});

test.each([[['--inline']], [two]])(
  'Ctrl-C leaves nothing behind with %j, and keeps a folder that was there',
  async (how) => {
    const kept = path.join(terminal.cwd, `kept${how.length}`);
    mkdirSync(kept);
    const job = terminal.start(['mapreduce', 'slow.mjs', ...input, '--output', kept, ...how]);
    await expect.poll(() => readdirSync(kept), { timeout: 30_000 }).toEqual(['_temporary']);
    job.child.kill('SIGINT');
    expect((await job.ended).code).toBe(130);
    expect(readdirSync(kept)).toEqual([]);
  },
);

test('a job that throws on an engine says where', async () => {
  const { code, stderr } = await mapreduce('throws.ts', ...input, ...two);
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /^\[\d\] MapReduceError: map of step 0 failed at record 1 of task 0, in .*a\.txt: TypeError: boom/,
  );
  const place = `${path.join(terminal.cwd, 'throws.ts')}:1:32`;
  expect(stderr).toContain(`] ${' '.repeat(35)}^\n`);
  expect(stderr).toContain(`    at map (${place})\n`);
});

test('on a terminal, bars say how far map, shuffle and reduce are, and are gone at the end', async () => {
  write(
    'held.ts',
    `export async function map(line: string, ctx: any) {
      const { existsSync } = process.getBuiltinModule('node:fs');
      while (line === 'not now' && !existsSync('go')) await new Promise((resolve) => setTimeout(resolve, 10));
      ctx.emit(line.length, 1);
    }
    export const reduce = (_: number, ones: Iterable<number>) => [...ones].length;\n`,
  );
  const args = ['held.ts', '--input', 'data/b.txt', 'data/a.txt', '--split-size', '8', '--reducers', '1', ...two];
  const screen = new PseudoTerminal(terminal, ['mapreduce', ...args]);
  try {
    await screen.until(
      /map +\[#+ *\] +\d+ % \d\.\d of 0\.0 MB.* [1-9] of \d tasks\s+shuffle +\[ *\] +0 %.*\s+reduce +\[ *\] +0 % 0 of 0 tasks/,
    );
    write('go', '');
    expect((await screen.exited).exitCode).toBe(0);
    await expect.poll(() => screen.text).toMatch(/^\[5,1\]\s+\[7,1\]\s+\[12,1\]\s+\d+\.\d\d s\s+mapreduce: /);
  } finally {
    screen.pty.kill();
  }
});
