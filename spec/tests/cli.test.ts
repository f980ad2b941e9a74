/** `tutti exec` and `tutti run` with engines of their own, and mistakes of all kinds. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { eventually, isRunning, Terminal } from '../fixtures/cli/terminal.ts';

const terminal = new Terminal();
afterAll(() => terminal.close());
const script = fileURLToPath(new URL('../fixtures/cli/job/main.ts', import.meta.url));
const lines = (text: string): string[] => text.split('\n').slice(0, -1);

test('exec prints the values of all engines, or of some, as JSON', async () => {
  const all = await terminal.run(['exec', '-n', '4', '--json', 'engine.id * 10']);
  expect(all).toMatchObject({ code: 0, stdout: '[0,10,20,30]\n', stderr: '' });
  const some = await terminal.run(['exec', '-n', '4', '-t', '3,1', '--json', 'engine.id * 10']);
  expect(some).toMatchObject({ code: 0, stdout: '[10,30]\n', stderr: '' });
  expect(terminal.litter()).toEqual([]);
});

test('exec shows values as a console does, in order, and output line by line, without colour', async () => {
  const code = "console.log('one\\ntwo'); console.error('bad'); engine.id ? 'text' : { a: [1] }";
  const { code: exit, stdout, stderr } = await terminal.run(['exec', '-n', '2', code]);
  expect(exit).toBe(0);
  const printed = lines(stdout);
  expect(printed.slice(-2)).toEqual(['[0] { a: [ 1 ] }', "[1] 'text'"]);
  expect(printed.slice(0, -2).sort()).toEqual(['[0] one', '[0] two', '[1] one', '[1] two']);
  expect(lines(stderr).sort()).toEqual(['[0] bad', '[1] bad']);
});

test('with --json, output of engines goes to stderr, and every value has a form', async () => {
  const code =
    "console.log('hi'); ({ big: 1n, none: undefined, not: NaN, map: new Map([[1, 2]]), bytes: new Uint8Array(2) })";
  const { stdout, stderr } = await terminal.run(['exec', '-n', '1', '--kind', 'thread', '--json', code]);
  expect(JSON.parse(stdout)).toEqual([{ big: '1', not: 'NaN', map: 'Map(1) { 1 => 2 }', bytes: [0, 0] }]);
  expect(stderr).toBe('[0] hi\n');
});

test('each distinct error is told once, with its engines and the frames of the user alone', async () => {
  const code = 'function f() {\n  null.x;\n}\nif (engine.id) f();\n5';
  const failed = await terminal.run(['exec', '-n', '3', code]);
  expect(failed.code).toBe(1);
  expect(failed.stdout).toBe('[0] 5\n');
  const told = lines(failed.stderr);
  expect(told[0]).toBe("[1,2] TypeError: Cannot read properties of null (reading 'x')");
  expect(told.slice(1, 3)).toEqual(['[1,2]     null.x;', '[1,2]          ^']);
  expect(told[3]).toMatch(/^\[1,2\] {5}at f \(.*:2:8\)$/);
  expect(told.slice(3).every((line) => /:(2|4):\d+\)?$/.test(line))).toBe(true);
});

test('with --json a failure is a document too', async () => {
  const { code, stdout } = await terminal.run(['exec', '-n', '1', '--json', "throw new RangeError('far')"]);
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({ error: { name: 'RangeError', message: 'far', engine: 0 } });
});

test('a syntax error shows the place', async () => {
  const { code, stdout, stderr } = await terminal.run(['exec', '-n', '1', 'let x = 1;\nlet y = ;']);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain('line 2, column 9');
  expect(stderr).toContain('  let y = ;\n          ^\n');
});

test('code comes from stdin, from a file, and may look like an option', async () => {
  expect(await terminal.run(['exec', '-n', '1', '-'], { input: '1 + 1' })).toMatchObject({ stdout: '[0] 2\n' });
  writeFileSync(path.join(terminal.cwd, 'code.ts'), 'const n: number = 20;\nn + 1');
  expect(await terminal.run(['exec', '-n', '1', '--file', 'code.ts'])).toMatchObject({ stdout: '[0] 21\n' });
  expect(await terminal.run(['exec', '-n', '1', '--', '-engine.size'])).toMatchObject({ stdout: '[0] -1\n' });
});

test('run: a script with local and npm imports, its own arguments, and engines elsewhere', async () => {
  const { code, stdout } = await terminal.run(['run', '-n', '2', '-t', '1', script, '-n', '7', '--json']);
  expect(code).toBe(0);
  expect(lines(stdout)).toEqual([
    `[1] 3 words, 4 tokens, in ${terminal.cwd}`,
    '[1] arguments ["-n","7","--json"]',
    '[1] no newline',
  ]);
});

test('run exits with the first code that is not 0, and with 1 after a throw', async () => {
  expect((await terminal.run(['run', '-n', '2', script, 'exit', '3'])).code).toBe(3);
  const one = await terminal.run(['run', '-n', '3', '--json', script, 'exit-on', '1']);
  expect(one.code).toBe(7);
  expect(JSON.parse(one.stdout)).toEqual([0, 7, 0].map((exitCode, engine) => ({ engine, exitCode })));
  const thrown = await terminal.run(['run', '-n', '2', script, 'throw']);
  expect(thrown.code).toBe(1);
  expect(thrown.stderr).toContain('[0,1] TypeError: thrown by the script\n');
  writeFileSync(path.join(terminal.cwd, 'broken.ts'), 'let x = ;');
  const broken = await terminal.run(['run', '-n', '1', 'broken.ts']);
  expect(broken.code).toBe(1);
  expect(broken.stderr).toContain('broken.ts:1:9');
});

test.each(['process', 'thread'])(
  'Ctrl-C ends a command whose %s engines are in a loop, and nothing is left',
  async (kind) => {
    const command = terminal.start([
      'exec',
      '-n',
      '1',
      '--kind',
      kind,
      "console.log('pid', process.pid, '.'); await new Promise(setImmediate); await new Promise(setImmediate); for (;;);",
    ]);
    const [, pid] = await command.until(/pid (\d+) \./);
    command.child.kill('SIGINT');
    expect((await command.ended).code).toBe(130);
    expect(isRunning(Number(pid))).toBe(false);
    expect(terminal.litter()).toEqual([]);
  },
);

test('nothing is left of a command that was killed', async () => {
  const command = terminal.start([
    'exec',
    '-n',
    '2',
    "console.log('pid', process.pid, '.'); await new Promise(() => {})",
  ]);
  const pids = [await command.until(/\[0\] pid (\d+) \./), await command.until(/\[1\] pid (\d+) \./)].map((m) =>
    Number(m[1]),
  );
  command.child.kill('SIGKILL');
  await command.ended;
  await eventually(() => !pids.some(isRunning), 'the engines end');
  await eventually(() => terminal.litter().length === 0, 'the folder is removed');
});

test.each<[string[], number, RegExp]>([
  [[], 2, /Which command/],
  [['exce', '1'], 2, /Did you mean exec\?/],
  [['engines', 'ad', '1'], 2, /Did you mean add\?/],
  [['exec', '--nmae', 'a', '1'], 2, /There is no option --nmae; did you mean --name\?/],
  [['exec', '-name', 'a', '1'], 2, /There is no option -name; did you mean --name\?/],
  [['farm', '--attemps', '3', 'true'], 2, /There is no option --attemps; did you mean --attempts\?/],
  [['mpi', '--rank', '3', 'main.ts'], 2, /There is no option --rank; did you mean --ranks\?/],
  [['space', 'out', '--spcae', 'a', '1'], 2, /There is no option --spcae; did you mean --space\?/],
  [['foo'], 2, /There is no command foo\nSee: tutti --help/],
  [['--verison'], 2, /There is no option --verison; did you mean --version\?/],
  [['engines', 'add'], 2, /Something is missing after the command\nSee: tutti engines add --help/],
  [['status', '--jsn'], 2, /There is no option --jsn; did you mean --json\?/],
  [['exec'], 2, /Which code/],
  [['exec', 'a', 'b'], 2, /got 'a' and 'b'/],
  [['exec', '-n', 'x', '1'], 2, /-n is a number of engines.*'x'/],
  [['exec', '-n', '-1', '1'], 2, /-n is a number of engines/],
  [['exec', '-n', '1', '-n', '2', '1'], 2, /-n is given 2 times/],
  [['exec', '-n', '1', '--name', 'a', '1'], 2, /one of them/],
  [['exec', '-n', '1', '-t', '0,x', '1'], 2, /engine ids such as 0,2 or 0-3; got '0,x'/],
  [['exec', '-n', '1', '-t', '4', '1'], 2, /no engine 4; engines here: 0/],
  [['exec', '-n', '0', '1'], 3, /no engines/],
  [['exec', '-n', '1', '--kind', 'ship', '1'], 2, /'ship' is no kind of engine; kinds: process, thread/],
  [['exec', '--file', 'none.ts'], 2, /Cannot read the code: .*none\.ts/],
  [['exec', '--name', 'nobody', '1'], 3, /No cluster named 'nobody'/],
  [['run'], 2, /Which script/],
  [['run', '-n', '1', 'none.ts'], 2, /Cannot read the script none\.ts/],
  [['status'], 3, /No cluster named 'default'/],
  [['stop'], 3, /No cluster named 'default'/],
  [['engines', 'add', '1'], 3, /No cluster named 'default'/],
  [['engines', 'add', 'some'], 2, /add is a number of engines/],
  [['engine', '--connect', 'nobody'], 3, /No cluster named 'nobody'/],
  [['engine', '--connect', 'tcp://127.0.0.1:1'], 3, /TUTTI_ENGINE_TOKEN/],
  [['start', '--name', 'a/b'], 2, /no name for a cluster/],
  [['start', '--kind', 'ship', '--detach'], 2, /no kind of engine/],
  [['start', '--listen', 'smoke://hill'], 3, /No transport for 'smoke:'/],
  [['start', '--listen', 'tcp://0.0.0.0:0'], 2, /insecure/],
  [['start', '--cwd', 'nowhere'], 2, /nowhere is no directory/],
])('%j exits %i and says what is wrong', async (args, code, message) => {
  const ended = await terminal.run(args);
  expect(ended).toMatchObject({ code, stdout: '' });
  expect(ended.stderr).toMatch(message);
  expect(ended.stderr).not.toMatch(/^\s+at /m);
  expect(terminal.litter()).toEqual([]);
});

test('help lists the commands', async () => {
  const { code, stdout } = await terminal.run(['--help']);
  expect(code).toBe(0);
  for (const name of ['start', 'stop', 'status', 'list', 'exec', 'run', 'engines', 'engine', 'controller'])
    expect(stdout).toContain(`tutti ${name}`);
});
