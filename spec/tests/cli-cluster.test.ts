/** Clusters with names: started, used, changed and stopped by commands that know each other by name alone. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { eventually, isRunning, Terminal } from '../fixtures/cli/terminal.ts';

let terminal: Terminal;
beforeEach(() => {
  terminal = new Terminal();
});
afterEach(() => terminal.close());
const script = fileURLToPath(new URL('../fixtures/cli/job/main.ts', import.meta.url));

/** The controller's pid and those of the engines that are processes. */
async function pidsOf(name: string): Promise<number[]> {
  const { pid, engines } = await terminal.json('status', '--name', name);
  return [pid, ...engines.map((e: { pid: number }) => e.pid)];
}

test('two clusters side by side, each used from other processes, until they are stopped', async () => {
  const [a, b] = await Promise.all([
    terminal.json('start', '-n', '3', '--name', 'a', '--detach'),
    terminal.json('start', '-n', '1', '--name', 'b', '--detach', '--cwd', terminal.tmp),
  ]);
  expect(a).toMatchObject({ name: 'a', engines: 3 });

  const exec = (name: string, code: string) => terminal.json('exec', '--name', name, code);
  expect(await exec('a', 'let x: number = 1')).toEqual([null, null, null]);
  expect(await exec('a', 'let x = 2; await Promise.resolve(x)')).toEqual([2, 2, 2]);
  expect(await exec('a', 'x + engine.id')).toEqual([2, 3, 4]);
  expect(await exec('b', '[typeof x, process.cwd()]')).toEqual([['undefined', terminal.tmp]]);
  const run = await terminal.run(['run', '--name', 'a', '-t', '0,2', script, 'exit', '4']);
  expect(run.code).toBe(4);
  expect(run.stdout).toContain('[2] arguments ["exit","4"]\n');
  expect(run.stdout).not.toContain('[1]');

  const status = await terminal.json('status', '--name', 'a');
  expect(status).toMatchObject({ name: 'a', pid: a.pid, clients: 0 });
  expect(status.engines.map((e: any) => [e.id, e.state, e.kind, e.incarnation])).toEqual([
    [0, 'alive', 'process', 1],
    [1, 'alive', 'process', 1],
    [2, 'alive', 'process', 1],
  ]);
  const list = await terminal.run(['list', '--json']);
  expect(JSON.parse(list.stdout).map((c: any) => [c.name, c.pid])).toEqual([
    ['a', a.pid],
    ['b', b.pid],
  ]);
  const none = await terminal.run(['stop', '--name', 'c']);
  expect(none).toMatchObject({
    code: 3,
    stderr: expect.stringMatching(/No cluster named 'c' is running here, but a, b;/),
  });
  const { token } = JSON.parse(readFileSync(path.join(terminal.home, 'a.json'), 'utf8'));
  expect(list.stdout).not.toContain(token.split('.')[1]);

  const taken = await terminal.run(['start', '-n', '1', '--name', 'a', '--detach']);
  expect(taken).toMatchObject({ code: 2, stderr: expect.stringContaining("named 'a' is running already") });

  const pids = [await pidsOf('a'), await pidsOf('b')];
  expect((await terminal.run(['stop', '--name', 'a'])).code).toBe(0);
  expect(pids[0]!.filter(isRunning)).toEqual([]);
  expect(await exec('b', 'engine.size')).toEqual([1]);
  expect(await terminal.json('stop', '--all')).toEqual({ stopped: ['b'] });
  expect(pids[1]!.filter(isRunning)).toEqual([]);
  expect(terminal.litter()).toEqual([]);
});

test('engines are added, removed and restarted', async () => {
  await terminal.run(['start', '-n', '2', '--detach', '--kind', 'thread']);
  expect(await terminal.json('exec', 'let kept = 1; engine.size')).toEqual([2, 2]); // default is used, since it runs
  expect(await terminal.json('engines', 'add', '2', '--kind', 'process')).toEqual([2, 3]);
  expect(await terminal.json('engines', 'remove', '1-2')).toEqual([1, 2]);
  expect(await terminal.json('engines', 'restart', '0')).toEqual([0]);
  const { engines } = await terminal.json('status');
  expect(engines.map((e: any) => [e.id, e.kind, e.incarnation])).toEqual([
    [0, 'thread', 2],
    [3, 'process', 1],
  ]);
  expect(await terminal.json('exec', '-t', '0', 'typeof kept')).toEqual(['undefined']);
  expect(await terminal.run(['engines', 'remove', '1'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('no engine 1; engines here: 0, 3'),
  });
  expect(await terminal.run(['engines', 'add', '1', '--kind', 'ship'])).toMatchObject({ code: 2 });
  const table = await terminal.run(['status']);
  expect(table.stdout).toMatch(/^ *0 +alive +thread +\d+/m);
});

test.each<[NodeJS.Signals, number | null]>([
  ['SIGINT', 130],
  ['SIGKILL', null],
])('nothing is left of a cluster in the foreground after %s', async (signal, code) => {
  const cluster = terminal.start(['start', '-n', '2', '--name', 'here']);
  await cluster.until(/Ctrl-C stops it/);
  const pids = await pidsOf('here');
  cluster.child.kill(signal);
  expect((await cluster.ended).code).toBe(code);
  await eventually(() => !pids.some(isRunning), 'engines end');
  await eventually(() => terminal.litter().length === 0, 'files are removed');
});

test('a controller takes engines that join by themselves, and no client as an engine', async () => {
  const controller = terminal.start(['controller', '--name', 'open', '--listen', 'tcp://127.0.0.1:0']);
  const [url] = await controller.until(/tcp:\/\/127\.0\.0\.1:\d+/);
  await controller.until(/Ctrl-C stops it/);
  const { token, engineToken } = JSON.parse(readFileSync(path.join(terminal.home, 'open.json'), 'utf8'));

  const refused = await terminal.run(['engine', '--connect', url], { env: { TUTTI_TOKEN: token } });
  expect(refused).toMatchObject({ code: 3, stderr: expect.stringContaining('cannot act as engine') });
  const taken = await terminal.run(['start', '-n', '1', '--name', 'other', '--listen', url]);
  expect(taken).toMatchObject({ code: 3, stderr: expect.stringContaining('in use') });

  const joined = async (n: number) => (await terminal.json('status', '--name', 'open')).engines.length === n;
  const byName = terminal.start(['engine', '--connect', 'open']);
  await eventually(() => joined(1), 'an engine joins by the name of the cluster');
  const byUrl = terminal.start(['engine', '--connect', url, '--cwd', terminal.tmp], {
    env: { TUTTI_ENGINE_TOKEN: engineToken },
  });
  await eventually(() => joined(2), 'an engine joins by URL');
  expect(await terminal.json('exec', '--name', 'open', 'process.cwd()')).toEqual([terminal.cwd, terminal.tmp]);
  const { engines } = await terminal.json('status', '--name', 'open');
  expect(engines.map((e: any) => e.kind)).toEqual(['external', 'external']);

  byName.child.kill('SIGINT');
  expect((await byName.ended).code).toBe(130);
  expect(isRunning(engines[0].pid)).toBe(false);
  expect((await terminal.run(['stop', '--name', 'open'])).code).toBe(0);
  expect((await byUrl.ended).code).toBe(0);
  expect((await controller.ended).code).toBe(0);
  expect(terminal.litter()).toEqual([]);
});

test('a cluster whose controller was killed is found dead, and cleared away', async () => {
  const { pid } = await terminal.json('start', '-n', '1', '--kind', 'thread', '--detach', '--name', 'dead');
  process.kill(pid, 'SIGKILL');
  await eventually(() => !isRunning(pid), 'it ends');
  expect(terminal.litter()).not.toEqual([]); // nobody was left to remove it
  expect(await terminal.run(['status', '--name', 'dead'])).toMatchObject({
    code: 3,
    stderr: expect.stringContaining('has ended without stopping'),
  });
  expect(terminal.litter()).toEqual([]);
  expect(await terminal.json('list')).toEqual([]);
});

test('what a cluster keeps is in the folder that it is started with, of the shell and not of its process', async () => {
  const folder = path.join(terminal.cwd, 'state');
  await terminal.json('start', '-n', '0', '--name', 'kept', '--durable', 'state', '--detach');
  expect(readdirSync(folder)).toContain('data.mdb');
  const second = await terminal.run(['controller', '--name', 'second', '--durable', 'state']);
  expect(second).toMatchObject({ code: 3, stderr: expect.stringContaining(`The store in ${folder} is in use by`) });
  expect((await terminal.run(['stop', '--name', 'kept'])).code).toBe(0);
  expect(terminal.litter()).toEqual([]);
  const third = terminal.start(['controller', '--name', 'third', '--durable', 'state']);
  await third.until(/Cluster 'third' is ready/);
  expect((await terminal.run(['stop', '--name', 'third'])).code).toBe(0);
  expect((await third.ended).code).toBe(0);
});
