/** The console in a pseudo-terminal, as its user has it. */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import { PseudoTerminal, type Size } from '../fixtures/cli/pseudo-terminal.ts';
import { Terminal } from '../fixtures/cli/terminal.ts';
import { until } from './support/conditions.ts';

const terminal = new Terminal();
const open: PseudoTerminal[] = [];
afterEach(() => {
  for (const console of open.splice(0)) console.close();
});
afterAll(() => terminal.close());

const ENTER = '\r';
const CTRL_C = '\u0003';
const CTRL_D = '\u0004';
const TAB = '\t';
const UP = '\u001b[A';

function start(args: string[], options?: { env?: Record<string, string>; size?: Size }): PseudoTerminal {
  const console = new PseudoTerminal(terminal, ['repl', ...args], options);
  open.push(console);
  return console;
}

const threads = (n: number) => ['-n', String(n), '--kind', 'thread'];

test('plain lines run here, lines with % on the engines; commands choose, show and move', async () => {
  const console = start(threads(3));
  expect(await console.atPrompt()).toMatch(/engines 0-2, for as long as this console.*\.help/);
  expect(await console.enter('1 + 1')).toBe('2');
  expect(await console.enter('_ * 2')).toBe('4');
  expect(await console.enter('% engine.id * 10')).toBe('[ 0, 10, 20 ]');
  expect(await console.enter('_.length')).toBe('3');
  expect(await console.enter('.px engine.size')).toBe('[0-2] 3');
  expect(await console.enter("let rows = [{ a: 1, b: 'x' }, { a: 22, b: 'y' }]")).toBe('');
  expect(await console.enter('rows')).toBe('    a  b\n0   1  x\n1  22  y');
  expect(await console.enter('.targets 0,2')).toBe('engines 0, 2');
  expect(console.text).toMatch(/tutti\[0,2\]>$/);
  expect(await console.enter('.autopx')).toMatch(/Every line/);
  expect(await console.enter('let mine = engine.id')).toBe('');
  expect(await console.enter('.autopx')).toMatch(/Plain lines/);
  expect(await console.enter('.targets all')).toBe('all engines: 0-2');
  expect(await console.enter('.who')).toBe('name  type    size  memory  engines\nmine  number                [0,2]');
  expect(await console.enter('.engines')).toMatch(/^id {2}state[\s\S]*\n 2 {2}(alive|busy) {2}thread/);
  expect(await console.enter('null.x')).toBe(
    "TypeError: Cannot read properties of null (reading 'x')\n    null.x\n         ^",
  );
  const help = await console.enter('.help');
  for (const command of [/\.interrupt \[task\] +Stop/, /\.editor +Type/, /\.break +Give/])
    expect(help).toMatch(command);
  expect(await console.enter('.egnines')).toBe('UsageError: There is no command .egnines; did you mean .engines?');
  expect(await console.enter('.editr')).toMatch(/did you mean \.editor\?/);
  expect(await console.enter('.nothing')).toMatch(/no command \.nothing; see \.help/);
  console.type(CTRL_D);
  expect((await console.exited).exitCode).toBe(0);
  expect(terminal.litter()).toEqual([]);
});

test('statements over several lines, completion of names here and there, and output in colour', async () => {
  const console = start(threads(2));
  await console.atPrompt();
  console.type(`function area(w: number, h: number) {${ENTER}`);
  await console.until(/\n(\.\.\.|\|) *$/);
  console.type(`return w * h }${ENTER}`);
  await console.atPrompt();
  expect(await console.enter('area(6, 7)')).toBe('42');
  // In a statement that goes on, a dot does not begin a command.
  console.type(`[3, 4].map((n) => {${ENTER}return area(n, 1)${ENTER}})${ENTER}`);
  await console.until(/\[ 3, 4 \]\n/);
  await console.atPrompt();
  console.type(`('abcd'${ENTER}.length${ENTER})${ENTER}`);
  await console.until(/\n4\n/);
  await console.atPrompt();
  console.type(`% for (let i = 0; i < 2; i++) {${ENTER}console.log('turn ' + i)${ENTER}}${ENTER}`);
  await console.until((text) => text.match(/^\[[01]\] turn [01]$/gm)?.length === 4, 'four turns');
  await console.atPrompt();
  expect(console.raw).toContain('\u001b[36m[0]\u001b[39m turn 0');

  await console.enter("% let measurements = { first: 1, second: 'two' }");
  await console.enter('let localName = [1]');
  console.type(`localN${TAB}`);
  await console.until(/> localName$/);
  console.type(`.findLastI${TAB}`);
  await console.until(/> localName\.findLastIndex$/);
  console.type(CTRL_C);
  await console.atPrompt();
  console.type(`% measurem${TAB}`);
  await console.until(/> % measurements$/);
  console.type(`.sec${TAB}${ENTER}`);
  await console.until(/> % measurements\.second\n\[0,1\] 'two'\n/);
  console.type(`.interr${TAB}`);
  await console.until(/> \.interrupt$/);
});

test.each(['process', 'thread'])('talking to loops on %s engines', async (kind) => {
  const console = start(['-n', '2', '--kind', kind]);
  await console.enter("% let kept = 'kept ' + engine.id");
  const loop = `const r = all.apply(() => {${ENTER}let i = 0; for (;;) { i++; const m = task.poll(); if (m) console.log('heard ' + m.value) }${ENTER}})`;
  await console.enter(loop, /\n(?:\.\.\.|\|) \}\)/); // Node 24 shows lines that follow another way
  const peek = async (): Promise<number[]> => {
    for (;;) {
      const found = /^\[ (\d+), (\d+) \]$/.exec(await console.enter('.peek i'));
      if (found) return found.slice(1).map(Number);
    }
  };
  const first = await peek();
  const second = await peek();
  for (const engine of [0, 1]) expect(second[engine]).toBeGreaterThan(first[engine]!);
  // That it runs is told after a moment.
  const tasks = /^id .*\n(\d+\.\d+) +apply +0 +running +[\d.]+ s +this console\n\1 +apply +1 /;
  await until(
    () => console.enter('.tasks'),
    (text) => tasks.test(text),
  );
  await console.enter(".send 'you'");
  await console.until(/^\[0\] heard you$/m);
  await console.until(/^\[1\] heard you$/m);
  expect(await console.enter('.interrupt')).toBe('[0,1] landed');
  expect(await console.enter('% kept')).toBe("[ 'kept 0', 'kept 1' ]");
  expect(await console.enter('.interrupt')).toBe('[0,1] idle');
  expect(await console.enter('.result')).toMatch(/kept 0/);

  await console.enter(
    "all.apply(async () => { await new Promise((r) => setTimeout(r, 10)); console.log('past'); for (;;); }); 0",
  );
  await console.until(/^\[0\] past$/m);
  await console.until(/^\[1\] past$/m);
  console.type(`.interrupt${ENTER}`);
  await console.until(/> \.interrupt\n\[0,1\] unwound$/m);
  expect(await console.enter('% kept')).toBe("[ 'kept 0', 'kept 1' ]");
});

test('Ctrl-C stops what runs on the engines, what waits here and what loops here; then it leaves', async () => {
  // Consoles of other tests were killed, and thread engines with them.
  const before = terminal.litter();
  const console = start(threads(2));
  await console.enter("% let kept = 1; console.log('ready')");
  const stopped = async (line: string, running: RegExp, said: RegExp): Promise<void> => {
    await console.atPrompt();
    console.type(`${line}${ENTER}`);
    await console.until(running);
    // Who sees nothing happen presses again.
    const again = setInterval(() => console.type(CTRL_C), 5_000);
    console.type(CTRL_C);
    await console.until(said).finally(() => clearInterval(again));
    await console.atPrompt();
  };
  await stopped("% console.log('engines loop'); for (;;);", /\[1\] engines loop/, /InterruptedError/);
  expect(await console.enter('% kept')).toBe('[0,1] 1');
  await stopped(
    "console.log('here waits'); await new Promise(() => {})",
    /^here waits/m,
    /^here waits\n(\^C)?Interrupted/m,
  );
  await stopped("process.stdout.write('here loops\\n'); for (;;);", /^here loops/m, /^here loops\n(\^C)*Interrupted/m);
  await stopped("% console.log('later'); for (;;); &", /\[1\] later[\s\S]*> $|\[1\] later/, /Interrupted: \d+\.\d+/);
  expect(await console.enter('% kept + 1')).toBe('[0,1] 2');
  console.type(`half a line${CTRL_C}`);
  await console.until(/half a line\n/);
  await console.atPrompt();
  console.type(CTRL_C);
  await console.until(/To exit/);
  console.type(CTRL_C);
  expect((await console.exited).exitCode).toBe(0);
  expect(terminal.litter().filter((left) => !before.includes(left))).toEqual([]);
});

test('a Ctrl-C that comes as a line ends does not stop the next one', async () => {
  const console = start(threads(1));
  let stopped = 0;
  for (let i = 0; i < 20; i++) {
    await console.enter("process.kill(process.pid, 'SIGINT')");
    if ((await console.enter(`for (let n = 0; n < 1e7; n++); ${i}`)) !== String(i)) stopped++;
  }
  // Without what waits for it after each line it is three of four; with it, one whose thread got no time for milliseconds.
  expect(stopped).toBeLessThan(8);
  console.close();
});

test('output goes above the line that is typed, bars come and go, and the terminal may become narrow', async () => {
  const console = start(threads(2), { size: { cols: 60, rows: 20 } });
  await console.enter(
    '% (async () => { for (let n = 1; !globalThis.enough; n++) { task.progress(Math.min(n, 900), 1000); await new Promise((r) => setTimeout(r, 20)); } })() &',
  );
  await console.until(/█+░+ +\d+ % .*\/s, ETA/);
  const typed = `let long = '${'x'.repeat(80)}`;
  console.type(typed);
  await console.until((text) => text.endsWith(`> ${typed}`), 'the line that is typed');
  console.resize({ cols: 40, rows: 20 });
  console.type(`'${ENTER}`);
  expect(await console.enter('long.length')).toBe('80');
  await console.enter("void setTimeout(() => console.log('from a timer'), 10)");
  console.type('half');
  await console.until(/from a timer\n[\s\S]*> half$/);
  console.type(CTRL_C + CTRL_C);
  await console.until(/Interrupted: \d/);
  // A row that was drawn before the terminal became narrow may stay above; below there is none.
  expect(await console.enter('1 + 1')).toBe('2');
  await console.until((text) => !/[█░]/.test(text.split('\n').slice(-2).join()), 'no bar');
});

test('without colour where NO_COLOR says so', async () => {
  const console = start(threads(1), { env: { NO_COLOR: '1' } });
  await console.enter("% console.log('plain'); ({ a: 1 })");
  expect(await console.enter('({ b: [1] })')).toBe('{ b: [ 1 ] }');
  await console.enter('null.x');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: this is what is looked for
  expect(console.raw).not.toMatch(/\u001b\[[\d;]*m/);
});

test('one whose terminal is gone ends, with its engines and what loops on them', async () => {
  const console = start(['-n', '1', '--kind', 'process']);
  const shown = [await console.enter('process.pid'), await console.enter('% process.pid')];
  const pids = shown.map((text) => Number(/\d{2,}/.exec(text)![0]));
  console.type(`% while (true);${ENTER}`);
  await until(() => isBusy(pids[1]!), Boolean);
  console.vanish();
  await until(
    () => pids.filter(lives),
    (living) => living.length === 0,
  );
});

function lives(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** It has been computing since the last look. */
function isBusy(pid: number): boolean {
  const ticks = Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')[11]);
  const before = seen.get(pid) ?? ticks;
  seen.set(pid, ticks);
  return ticks > before;
}
const seen = new Map<number, number>();

test('what was typed is remembered, for its user alone', async () => {
  const first = start(threads(1));
  await first.enter("'to be remembered'");
  first.type(CTRL_D);
  await first.exited;
  const file = path.join(terminal.folder, 'state/tutti/history');
  expect(readFileSync(file, 'utf8')).toMatch(/'to be remembered'\n$/);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  // Many lines, and long ones, of a session before.
  const many = Array.from({ length: 50 }, (_, i) => `${i} + '${'x'.repeat(50 - i)}'`);
  writeFileSync(file, `${many.join('\n')}\n'to be remembered'\n`);
  const second = start(threads(1));
  await second.atPrompt();
  // The history is read after the prompt is there.
  await second.enter('1');
  second.type(UP + UP);
  await second.until(/> 'to be remembered'$/);
  expect(readFileSync(file, 'utf8')).toBe(`${many.join('\n')}\n'to be remembered'\n1\n`);
});

test('commands mean the engines that are chosen; what was stopped is not saved; engines that are lost are told', async () => {
  const console = start(['-n', '2']);
  await console.atPrompt();
  await console.enter("% for (;;) { const m = task.poll(); if (m) console.log('got', m.value) } &");
  await console.enter('.targets 1');
  await console.enter(".send 'only one'");
  await console.until(/\[1\] got only one/);
  expect(console.text).not.toMatch(/\[0\] got/);
  await console.enter('.targets all');
  expect(await console.enter('.interrupt')).toMatch(/^\[0,1\] landed/m);
  await console.until(/InterruptedError/);
  await console.enter('% 1');
  await console.enter('.save stopped.mjs');
  const saved = readFileSync(path.join(terminal.cwd, 'stopped.mjs'), 'utf8');
  expect(saved).not.toMatch(/poll/);
  expect(saved.match(/view = /g)).toHaveLength(2); // at the start, and the last choice
  await console.enter("client.engines.forEach(({ id, pid }) => id === 1 && process.kill(pid, 'SIGKILL'))");
  await console.until(/Engine 1 was lost: .*SIGKILL/);
});

test('files are loaded, sessions saved', async () => {
  writeFileSync(path.join(terminal.cwd, 'tour.txt'), 'let n: number = 5\n% let m = engine.id\n% m\nn\n');
  const console = start(threads(2));
  expect(await console.enter('.load tour.txt')).toBe('[ 0, 1 ]\n5');
  expect(await console.enter('.save tour.mjs')).toBe('Saved; run it with: node tour.mjs');
  expect(readFileSync(path.join(terminal.cwd, 'tour.mjs'), 'utf8')).toMatch(
    /cluster\(\{ engines: 2, kind: 'thread' \}\)[\s\S]*console\.log\(await px\('m'\)\);\nconsole\.log\(n\);/,
  );
});

test('two consoles at one cluster see the same; one whose cluster has gone stays, and comes back to it', async () => {
  const begin = (): Promise<unknown> =>
    terminal.run(['start', '-n', '2', '--kind', 'thread', '--name', 'shared', '--detach']);
  await begin();
  const [one, two] = [start(['--name', 'shared']), start(['--name', 'shared'])];
  expect(await one.atPrompt()).toMatch(/engines 0,1 of cluster 'shared'|engines 0, 1 of cluster 'shared'/);
  await one.enter('% let common = engine.id + 5');
  expect(await two.enter('% common')).toBe('[ 5, 6 ]');
  await one.enter("% console.log('begun'); for (;;); &");
  await one.until(/\[1\] begun/);
  // What has just begun may be said to wait.
  const both = /execute +0 +running +[\d.]+ s +client \d+\n.*execute +1 +running /;
  while (!both.test(await two.enter('.tasks')));
  expect(await two.enter('.interrupt')).toBe('[0,1] landed');
  await one.until(/InterruptedError/);
  await one.enter('let mine = 1');

  await terminal.run(['stop', '--name', 'shared']);
  await one.until(/Cluster 'shared' is gone/);
  expect(await one.enter('mine + 1')).toBe('2');
  expect(await one.enter('% common')).toMatch(/SessionLostError: Cluster 'shared' is gone/);
  await begin();
  await one.until(/Connected again to cluster 'shared'/);
  // It is there before its engines are.
  await until(
    () => one.enter('client.engines.length'),
    (count) => count === '2',
  );
  expect(await one.enter('% typeof common')).toBe("[0,1] 'undefined'");
  await one.enter('.push mine');
  expect(await one.enter('% mine')).toBe('[0,1] 1');
  one.type(CTRL_D);
  expect((await one.exited).exitCode).toBe(0);
  await terminal.run(['stop', '--name', 'shared']);
});
