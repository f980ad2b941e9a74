/** `tutti farm` as it is typed: placeholders, items, logs, ends. Several cases share a cluster where they can. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { PseudoTerminal } from '../fixtures/cli/pseudo-terminal.ts';
import { eventually, isRunning, Terminal } from '../fixtures/cli/terminal.ts';

const terminal = new Terminal();
const at = (name: string): string => path.join(terminal.cwd, name);
const text = (name: string): string => readFileSync(at(name), 'utf8');
const lines = (printed: string): string[] => printed.split('\n').slice(0, -1);
const write = (name: string, ...rows: string[]): void => writeFileSync(at(name), `${rows.join('\n')}\n`);

/** On the cluster that all cases of this file share. */
const farm = (args: string[], options?: { input?: string }) =>
  terminal.run(['farm', '--name', 'shared', ...args], options);
/** With the commands that it would run. */
const dry = async (...args: string[]) => lines((await terminal.run(['farm', '--dry-run', ...args])).stdout);

const open: PseudoTerminal[] = [];
beforeAll(async () => {
  write(
    'script.ts',
    'export default (item: any) => {',
    "  if (item === 'bad') throw new RangeError('no good');",
    "  console.log('at work');",
    '  return item.x === undefined ? item.length : item.x * 2;',
    '};',
  );
  await terminal.run(['start', '-n', '2', '--name', 'shared', '--detach']);
});
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});
afterAll(() => terminal.close());

describe('what is run', () => {
  test('placeholders, quoted for the shell; without any the item comes last', async () => {
    const items = ['dir.d/a b.tar.gz', "it's"];
    expect(await dry('echo {} {.} {/} {//} {/.} {#}', ':::', ...items)).toEqual([
      "echo 'dir.d/a b.tar.gz' 'dir.d/a b.tar' 'a b.tar.gz' dir.d 'a b.tar' 1",
      `echo 'it'\\''s' 'it'\\''s' 'it'\\''s' . 'it'\\''s' 2`,
    ]);
    expect(await dry('wc -l', ':::', 'a', '')).toEqual(['wc -l a', "wc -l ''"]);
    expect(await dry('script.ts', ':::', 'a')).toEqual(['script.ts a']);
  });

  test('items: behind :::, from stdin, from a file, as JSON', async () => {
    write('names.txt', 'x', '', 'y');
    write('items.jsonl', '"a b"', '{"x":1}', '7');
    const { stdout } = await terminal.run(['farm', '--dry-run', 'echo {}'], { input: 'one\ntwo three\r\n\n' });
    expect(lines(stdout)).toEqual(['echo one', "echo 'two three'"]);
    expect(await dry('echo {}', '--input', 'names.txt')).toEqual(['echo x', 'echo y']);
    expect(await dry('echo {}', '--input', 'items.jsonl')).toEqual(["echo 'a b'", `echo '{"x":1}'`, 'echo 7']);
    expect(await dry('echo {}', ':::')).toEqual([]);
  });

  test('a shell command: output of each job in one piece, in the order of the items if that is asked for', async () => {
    const command = 'sleep 0.{}; echo {} is {#}; echo e{} >&2';
    const { code, stdout, stderr } = await farm(['-k', '-j', '4', command, ':::', '4', '1', '2']);
    expect([code, lines(stdout), lines(stderr)]).toEqual([0, ['4 is 1', '1 is 2', '2 is 3'], ['e4', 'e1', 'e2']]);
    const asDone = await farm(['-j', '2', command, ':::', '4', '1']);
    expect(lines(asDone.stdout)).toEqual(['1 is 2', '4 is 1']);
  });

  test('a script: its default export is called with each item; what it prints is told apart from what it returns', async () => {
    write('numbers.jsonl', '{"x":1}', '{"x":21}');
    const { code, stdout, stderr } = await farm(['-k', 'script.ts', '--input', 'numbers.jsonl']);
    expect([code, stdout]).toEqual([0, '2\n42\n']);
    expect(stderr).toMatch(/^(\[[01]\] at work\n){2}$/);
    const failing = await farm(['-k', 'script.ts', ':::', 'four', 'bad']);
    expect([failing.code, failing.stdout]).toEqual([1, '4\n']);
    expect(failing.stderr).toContain('RangeError: no good\n');
  });

  test('--jobs: so many at a time, on all engines together', async () => {
    for (const [jobs, most] of [
      ['1', 1],
      ['3', 3],
    ] as const) {
      const run = `mkdir -p w${jobs} && touch w${jobs}/{#} && sleep 0.1 && ls w${jobs} | wc -l && rm w${jobs}/{#}`;
      const { stdout } = await farm(['--jobs', jobs, run, ':::', ...'abcdef']);
      const seen = lines(stdout).map(Number);
      expect(seen).toHaveLength(6);
      expect(Math.max(...seen)).toBe(most);
    }
  });
});

describe('failures', () => {
  test('a code that is not 0 is one; --attempts tries again; --timeout ends a job and what it has started', async () => {
    const failing = await farm(['-k', 'echo {}; exit {}', ':::', '0', '3']);
    expect([failing.code, failing.stdout]).toEqual([1, '0\n3\n']);
    const again = 'echo x >> runs-{}; test $(wc -l < runs-{}) -ge 3';
    expect((await farm(['--attempts', '2', again, ':::', 'a'])).code).toBe(1);
    expect((await farm(['--attempts', '3', again, ':::', 'b'])).code).toBe(0);
    expect(text('runs-b')).toBe('x\nx\nx\n');
    const slow = await farm(['--timeout', '0.2', 'echo $$ > pid; sleep 30 & wait', ':::', 'a']);
    expect([slow.code, slow.stderr]).toEqual([1, expect.stringContaining('ran for more than its timeout of 200 ms')]);
    await eventually(() => !isRunning(Number(text('pid'))), 'its end');
  });

  test.each([
    ['now,fail=1', 1, ['1']],
    ['soon,fail=1', 1, ['1', '0']],
    ['now,success=1', 0, ['1', '0']],
    ['never', 1, ['1', '0', '0']],
  ])('--halt %s', async (halt, exit, done) => {
    const command = 'echo {}; test {} = 1 || sleep 0.3; exit {}';
    const { code, stdout } = await farm(['-j', '2', '--halt', halt, command, ':::', '1', '0', '0']);
    expect([code, lines(stdout).slice(0, done.length)]).toEqual([exit, done]);
    // What was begun may end, and no other begins.
    if (halt !== 'never') expect(lines(stdout).length).toBeLessThan(3);
  });

  test('--json: one document, with failures in it', async () => {
    const { code, stdout } = await farm(['--json', '-k', 'echo {}; exit {}', ':::', '0', '5']);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toEqual([
      { seq: 1, item: '0', engine: expect.any(Number), ms: expect.any(Number), exit: 0, stdout: '0\n', stderr: '' },
      { seq: 2, item: '5', engine: expect.any(Number), ms: expect.any(Number), exit: 5, stdout: '5\n', stderr: '' },
    ]);
    const script = await farm(['--json', '-k', 'script.ts', ':::', 'abc', 'bad']);
    expect(JSON.parse(script.stdout)).toMatchObject([
      { seq: 1, item: 'abc', value: 3 },
      { seq: 2, item: 'bad', error: { name: 'RangeError', message: 'no good' } },
    ]);
  });

  test('mistakes are told before anything is started', async () => {
    write('bad.jsonl', '1', '{"x":', '3');
    const says = async (args: string[], message: string | RegExp, code = 2) => {
      const ended = await terminal.run(['farm', ...args]);
      expect(ended.stderr).toMatch(message);
      expect([ended.code, ended.stdout]).toEqual([code, '']);
    };
    await says([], /Which command\?/);
    await says(['echo', '--input', 'none.txt', ':::', 'a'], /give one of them/);
    await says(['echo', '--input', 'none.txt', '--dry-run'], /none\.txt is no file/);
    await says(['none.ts', ':::', 'a'], /Cannot read the script none\.ts/);
    await says(['echo', '--resume', ':::', 'a'], /--resume goes on where a --joblog ends/);
    await says(['echo', '--jobs', '0', ':::', 'a'], /--jobs is 1, 2, 3/);
    await says(['echo', '--attempts', 'x', ':::', 'a'], /--attempts is 1, 2, 3/);
    await says(['echo', '--timeout', '-1', ':::', 'a'], /--timeout is a number of seconds above 0/);
    await says(['echo', '--halt', 'later', ':::', 'a'], /--halt reads like now,fail=1/);
    await says(['echo', '--name', 'nobody', ':::', 'a'], /nobody/, 3);
    const ended = await farm(['-k', '-j', '1', 'echo {}', '--input', 'bad.jsonl']);
    expect([ended.code, ended.stderr]).toEqual([2, expect.stringContaining('bad.jsonl:2: this line is not JSON')]);
  });
});

describe('logs', () => {
  test('--joblog has a line for each job; --resume runs what is not done, by content; other input is told', async () => {
    write('one.txt', 'a', 'b', 'b', 'f');
    const args = ['-j', '1', '--joblog', 'log', 'echo {} >> ran; test {} != f', '--input', 'one.txt'];
    expect((await farm(args)).code).toBe(1);
    const [header, ...rows] = lines(text('log')).map((line) => line.split('\t'));
    expect(header).toEqual(['seq', 'key', 'engine', 'started', 'ms', 'exit', 'signal', 'command']);
    expect(rows.map(([seq, , , , , exit, , command]) => [seq, exit, command])).toEqual([
      ['1', '0', 'echo a >> ran; test a != f'],
      ['2', '0', 'echo b >> ran; test b != f'],
      ['3', '0', 'echo b >> ran; test b != f'],
      ['4', '1', 'echo f >> ran; test f != f'],
    ]);
    expect(await farm(args)).toMatchObject({ code: 2, stderr: expect.stringContaining('go on with --resume') });
    // A line that was cut off; and the input in another order, with something new and one `b` more.
    writeFileSync(at('log'), text('log').slice(0, -20));
    write('one.txt', 'new', 'b', 'b', 'b', 'a');
    const resumed = [...args, '--resume'];
    expect(lines((await terminal.run(['farm', '--dry-run', ...resumed])).stdout)).toHaveLength(2);
    writeFileSync(at('ran'), '');
    expect(await farm(resumed)).toMatchObject({ code: 0, stderr: '' });
    expect(text('ran')).toBe('new\nb\n');
    writeFileSync(at('ran'), '');
    expect(await farm(resumed)).toMatchObject({ code: 0, stderr: '' });
    expect(text('ran')).toBe('');

    const other = await farm(['--joblog', 'log', '--resume', 'true {}', ':::', 'z']);
    expect(other).toMatchObject({ code: 0, stderr: expect.stringContaining('is it of another one?') });
    write('strange', 'my notes');
    const notes = await farm(['--joblog', 'strange', 'true {}', ':::', 'z']);
    expect(notes).toMatchObject({ code: 2, stderr: expect.stringContaining('is no joblog') });
    expect(await farm(['--joblog', 'no/such/log', 'true {}', ':::', 'z'])).toMatchObject({ code: 2 });
  });

  test('--results keeps what each job has printed', async () => {
    await farm(['--results', 'kept', 'echo {}; echo bad >&2; exit {#}', ':::', 'x', 'y']);
    expect(readdirSync(at('kept')).sort()).toEqual(['1', '2']);
    expect(['stdout', 'stderr', 'exit'].map((name) => text(`kept/2/${name}`))).toEqual(['y\n', 'bad\n', '2\n']);
  });

  test('--dry-run leaves nothing behind', async () => {
    await dry('touch touched', '--joblog', 'none', '--results', 'none', ':::', 'a');
    expect(['touched', 'none'].map((name) => existsSync(at(name)))).toEqual([false, false]);
  });
});

describe('on a terminal', () => {
  const CTRL_C = '\u0003';
  const start = (...args: string[]): PseudoTerminal => {
    const screen = new PseudoTerminal(terminal, ['farm', ...args]);
    open.push(screen);
    return screen;
  };

  test('a bar says how far it is, and is gone at the end', async () => {
    const screen = start(
      '-n',
      '1',
      '--kind',
      'thread',
      'test {} = 1 && until test -e go; do sleep 0.05; done',
      ':::',
      ...'012',
    );
    await screen.until(/\[#{8} {16}\] 33 % 1 of 3 · [\d.]+\/s · \d+ s left · 1 failed/);
    write('go');
    expect((await screen.exited).exitCode).toBe(1);
    await expect.poll(() => screen.text).toBe('');
  });

  test('Ctrl-C begins nothing new and lets what runs end', async () => {
    const screen = start(
      '-n',
      '2',
      '--no-progress',
      'echo begun {}; until test -e on; do sleep 0.05; done; echo {} >> done',
      ':::',
      ...'abcd',
    );
    await eventually(() => terminal.litter().length > 0, 'a cluster');
    const begun = start(
      '--name',
      'shared',
      '-j',
      '1',
      'echo p > first; until test -e on; do sleep 0.05; done; echo {} >> ended',
      ':::',
      ...'abcd',
    );
    await eventually(() => existsSync(at('first')), 'a job');
    begun.type(CTRL_C);
    await begun.until(/press Ctrl-C again to end what runs/);
    write('on');
    expect((await begun.exited).exitCode).toBe(130);
    expect(text('ended')).toBe('a\n');
    expect((await screen.exited).exitCode).toBe(0);
    expect(lines(text('done')).sort()).toEqual([...'abcd']);
  });

  test('a second one ends what runs, also what does not want to end, and tells what was done', async () => {
    const command = 'test {} = a || { trap "" TERM; echo $$ > stubborn; while :; do sleep 0.05; done; }; echo {}';
    const screen = start('-n', '2', '--json', '--joblog', 'cut', command, ':::', ...'ab');
    await eventually(
      () => existsSync(at('stubborn')) && existsSync(at('cut')) && lines(text('cut')).length > 1,
      'two jobs',
    );
    screen.type(CTRL_C);
    await screen.until(/press Ctrl-C again/);
    screen.type(CTRL_C);
    expect((await screen.exited).exitCode).toBe(130);
    expect(isRunning(Number(text('stubborn')))).toBe(false);
    expect(screen.text).toMatch(/\[\{"seq":1,"item":"a".*\]$/);
    expect(lines(text('cut'))).toHaveLength(2);
  });
});

test('nobody reads any more: it ends', async () => {
  const { child, ended } = terminal.start([
    'farm',
    '--name',
    'shared',
    'echo {}; sleep 0.05',
    ':::',
    ...'x'.repeat(200),
  ]);
  child.stdout!.destroy();
  expect(await ended).toMatchObject({ code: 130 });
});
