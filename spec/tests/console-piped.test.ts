/** The console without a terminal: statements from a pipe or a file; programs saved from sessions. */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { Terminal } from '../fixtures/cli/terminal.ts';

const terminal = new Terminal();
afterAll(() => terminal.close());
const inWork = (name: string): string => path.join(terminal.cwd, name);
const piped = (input: string, ...args: string[]) =>
  terminal.run(['repl', '-n', '3', '--kind', 'thread', ...args], { input });
const root = path.resolve(import.meta.dirname, '../..');

test('statements here and on the engines, their values printed plainly', async () => {
  const input = 'let a = 1\n% let b = engine.id\n% b + 1\n%a = 42\n.px b > 0\n';
  const { code, stdout, stderr } = await terminal.run(['repl', '-n', '3'], { input });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toBe('[ 1, 2, 3 ]\n[0-2] 42\n[0] false\n[1,2] true\n');
});

test('TypeScript, declarations again, await, imports, statements over several lines', async () => {
  const input = `
let n: number = 1
const n: string = 'again'
interface Pair { a: number }
function twice(x: number): number {
  return x * 2
}
await Promise.resolve(twice(21))
import path from 'node:path'
path.basename('/a/b')
n
const text = \`two
lines\`
text.length
% for (let i = 0; i < 2; i++) {
  console.log('line', i)
}
.autopx
engine.id === 0
.autopx
_.length
`;
  const { code, stdout, stderr } = await piped(input, '-t', '1');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout.split('\n')).toEqual([
    '42',
    "'b'",
    "'again'",
    '9',
    '[1] line 0',
    '[1] line 1',
    'Every line runs on the engines now',
    '[1] false',
    'Plain lines run here again',
    '1',
    '',
  ]);
});

test('functions that are typed take the variables of the console along', async () => {
  const input = `let k = 3, more = { by: 1 }
const f = (x: number) => x * k + more.by
await all.map((x: number) => f(x), [1, 2, 3])
k = 10; undefined
await all.map((x: number) => f(x), [1, 2, 3])
% let only = engine.id
await all.apply(() => only)
import os from 'node:os'
await client.engine(0).apply(() => typeof os.cpus())
`;
  const { code, stdout, stderr } = await piped(input);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toBe("[ 4, 7, 10 ]\n[ 11, 21, 31 ]\n[ 0, 1, 2 ]\n'object'\n");
});

test('it ends at the first failure, or goes on and fails in the end', async () => {
  const input = 'let a = 1\n%null.x\na + 1\n';
  const stopped = await piped(input);
  expect(stopped).toMatchObject({ code: 1, stdout: '' });
  expect(stopped.stderr).toBe(
    "[0-2] TypeError: Cannot read properties of null (reading 'x')\n          null.x\n               ^\n",
  );
  expect(await piped(input, '--keep-going')).toMatchObject({ code: 1, stdout: '2\n', stderr: stopped.stderr });
});

const mistakes: [string, RegExp][] = [
  ['let a = ;', /^SyntaxError: .*line 1, column 9/],
  ['%let a = ;', /^SyntaxError: .*line 1, column 10/],
  ['throw new RangeError("far")', /^RangeError: far\n {4}throw new RangeError\("far"\)\n {10}\^\n$/],
  ['throw 5', /^threw 5\n$/],
  ['.nothing', /no command \.nothing; see \.help/],
  ['.tsaks', /no command \.tsaks; did you mean \.tasks\?/],
  ['.targets 7', /no engine 7; engines here: 0/],
  ['.targets x', /engine ids such as 0,2/],
  ['.push nowhere', /no variable 'nowhere' here; declare it first/],
  ['.push', /\.push takes names/],
  ['.pull a.b', /'a\.b' is none/],
  ['.pull nowhere', /^\[0\] ReferenceError: nowhere is not defined/],
  ['.scatter data round', /\.scatter data cyclic/],
  ['.run none.ts', /Cannot read the script none\.ts/],
  ['.load none.ts', /Cannot read none\.ts/],
  ['.save /nowhere/at/all.mjs', /Cannot write/],
  ['.who no where', /not an expression/],
  ['.peek', /\.peek takes an expression/],
  ['.peek i', /^NotOnStackError: /],
  ['.send 1', /Nothing runs there/],
  ['.interrupt 1', /A task's id/],
  ['.time', /\.time takes code/],
  ['f({', /^SyntaxError: .*end of file/],
];

test('each mistake is told: what, where and what to do; none ends a console that is to go on', async () => {
  const marked = mistakes.map(([input], i) => `console.error('#${i}')\n${input}\n`).join('');
  const { code, stderr } = await terminal.run(['repl', '-n', '1', '--kind', 'thread', '--keep-going'], {
    input: marked,
  });
  expect(code).toBe(1);
  const told = stderr.split(/^#\d+\n/m).slice(1);
  for (const [i, [input, message]] of mistakes.entries()) expect(told[i], input).toMatch(message);
  expect(told).toHaveLength(mistakes.length);
});

test('what fails when nobody waits for it is a failure, too', async () => {
  const late =
    'let past = new Promise((done) => setTimeout(() => { setImmediate(done); throw new Error("late") }, 1))\nawait past\n1\n';
  expect(await piped(late)).toMatchObject({ code: 1, stderr: expect.stringMatching(/^Error: late/) });
  expect(await piped('.targets 7\n')).toMatchObject({ code: 2 });
});

test('.exit leaves, and what does not fit together is refused', async () => {
  expect(await piped('1\n.exit\n2\n')).toMatchObject({ code: 0, stdout: '1\n' });
  expect(await terminal.run(['repl', '-n', '1', '--name', 'x'], { input: '1\n' })).toMatchObject({
    code: 2,
    stdout: '',
  });
  expect(await terminal.run(['repl', '--name', 'nobody'], { input: '1\n' })).toMatchObject({ code: 3, stdout: '' });
});

test('Ctrl-C ends it, and what it has started', async () => {
  const console = terminal.start(['repl', '-n', '2'], { input: "% console.log('in the loop'); for (;;);\n1\n" });
  await console.until(/\[1\] in the loop/);
  console.child.kill('SIGINT');
  expect(await console.ended).toMatchObject({ code: 130 });
  expect(terminal.litter()).toEqual([]);
});

test('exec --file and .load run files', async () => {
  writeFileSync(inWork('code.ts'), 'const n: number = engine.id;\n[1, 2]\n  .map((x) => x * n)');
  expect(await terminal.run(['exec', '-n', '2', '--file', 'code.ts', '--json'])).toMatchObject({
    stdout: '[[0,0],[1,2]]\n',
  });
  writeFileSync(
    inWork('load.txt'),
    'let sum = [1, 2]\n  .map((x) => x + 1)\n  .reduce((a, b) => a + b)\n% 1\nsum\n.who\n',
  );
  expect(await piped('.load load.txt\n')).toMatchObject({ code: 0, stdout: '[0-2] 1\n5\nNo names\n', stderr: '' });
  const many = await piped('.load load.txt\n.load code.ts\nsum');
  expect(many).toMatchObject({ code: 1 });
  expect(many.stderr).toMatch(/ReferenceError: engine is not defined/);
});

test('data goes there and back', async () => {
  const input = `let data = Float64Array.from({ length: 7 }, (_, i) => i), two = [1, 2, 3, 4]
.scatter data
% data = data.map((x) => x * 2); data.length
.gather data
.scatter two cyclic
.pull two
two
% let name = 'n' + engine.id
.who
.pull name
.push name
% name.length
.time % 1
`;
  const { code, stdout, stderr } = await piped(input);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(
    new RegExp(
      [
        String.raw`\[0\] 3\n\[1,2\] 2`,
        String.raw`Float64Array\(7\) \[\n {3}0, 2,  4, 6,\n {3}8, 10, 12\n\]|Float64Array\(7\)[^]*12[^]*\]`,
      ].join('\n'),
    ),
  );
  expect(stdout).toContain('[0] [ 1, 4 ]\n[1] [ 2 ]\n[2] [ 3 ]\n[ [ 1, 4 ], [ 2 ], [ 3 ] ]\n');
  expect(stdout).toContain(
    'name  type          size  memory  engines\n' +
      'data  Float64Array     3  24 B    [0]\ndata  Float64Array     2  16 B    [1,2]\n' +
      'name  string           2          [0-2]\ntwo   Array            2          [0]\ntwo   Array            1          [1,2]\n',
  );
  expect(stdout).toMatch(
    /\[ 'n0', 'n1', 'n2' \]\n\[0-2\] 3\n\[0-2\] 1\n[\d.]+ m?s; the engines worked .*, speed-up \d/,
  );
});

test('a session is saved as a program that node and tutti run take as it is', async () => {
  const input = `let k: number = 2
const k = 3
await all.map((x: number) => x * k, [1, 2])
% let b = engine.id + k_
% let b = engine.id
.targets 0,2
% \`\${b}\` + '\\\\'
.targets all
.push k
.pull b
b
nothing
% k * 2
.save session.mjs
`;
  const saved = await piped(input, '--keep-going');
  expect(saved.stdout).toContain('Saved; run it with: node session.mjs');
  const text = readFileSync(inWork('session.mjs'), 'utf8');
  expect(text).not.toMatch(/nothing|k_/);
  mkdirSync(inWork('node_modules'), { recursive: true });
  symlinkSync(root, inWork('node_modules/tutti'));
  const printed = "[ 3, 6 ]\n[ '0\\\\', '2\\\\' ]\n[ 0, 1, 2 ]\n[ 6, 6, 6 ]\n";
  const alone = await promisify(execFile)(process.execPath, ['session.mjs'], { cwd: terminal.cwd, env: terminal.env });
  expect(alone).toEqual({ stdout: printed, stderr: '' });
  const run = await terminal.run(['run', '-n', '1', 'session.mjs']);
  expect(run).toMatchObject({ code: 0, stdout: printed.replace(/^(?=.)/gm, '[0] '), stderr: '' });
});

test('the example for the console reads all speeches', async () => {
  const script = readFileSync(path.join(root, 'examples/speeches.console'), 'utf8');
  writeFileSync(inWork('speeches.console'), script);
  mkdirSync(inWork('node_modules'), { recursive: true });
  symlinkSync(path.join(root, 'node_modules/@stdlib'), inWork('node_modules/@stdlib'));
  const input = '.load speeches.console\n';
  const { code, stdout, stderr } = await terminal.run(['repl', '-n', '2', '--kind', 'thread'], { input });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain('   word        count\n0  which       12332\n1  their        7867\n');
});
