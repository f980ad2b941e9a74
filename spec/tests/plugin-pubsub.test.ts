/** A plug-in as its users have it: tutti and the plug-in are packed, and installed where nothing of this repository is. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { Terminal } from '../fixtures/cli/terminal.ts';

const root = path.resolve(import.meta.dirname, '../..');
const terminal = new Terminal('node_modules/tutti/dist/cli/main.js');
const modules = path.join(terminal.cwd, 'node_modules');

beforeAll(async () => {
  writeFileSync(path.join(terminal.cwd, 'package.json'), '{ "private": true }');
  const pack = (folder: string) => run('npm', ['pack', '--ignore-scripts', '--pack-destination', terminal.cwd], folder);
  await Promise.all([pack(root), pack(path.join(root, 'examples/plugin-pubsub'))]);
  const packed = ['./tutti-0.1.0.tgz', './tutti-pubsub-1.0.0.tgz'];
  await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', ...packed], terminal.cwd);
  // Beside it: what throws while it is loaded, what another one replaces, TypeScript, and no plug-in at all.
  install('tutti-broken', {}, "throw new TypeError('not today');");
  install('@far/tutti-typed', { exports: { import: './index.ts' }, description: 'In TypeScript' }, TYPED, 'index.ts');
  install('tutti-twin', {}, '');
  install('@other/twin', {}, '');
  install('tutti-mute', {}, READ.replaceAll('NAME', 'mute'));
  install('tutti-shadow', { tutti: { command: 'status' } }, "throw new Error('a command that is built in');");
  install('left-alone', { keywords: [] }, '');
  cpSync(path.join(modules, 'tutti-pubsub'), path.join(modules, 'tutti-pubsub-next'), { recursive: true });
  const next = path.join(modules, 'tutti-pubsub-next/index.js');
  writeFileSync(next, readFileSync(next, 'utf8').replace('1.0.0', '2.0.0'));
});
afterEach(() => terminal.clear());
afterAll(() => terminal.close());

const READ = `
  import { defineParadigm } from 'tutti';
  export const it = defineParadigm({ name: 'NAME', version: '1.0.0', client: (host) => host.controller });`;
const TYPED = `
  import { type CommandTools, defineParadigm } from 'tutti';
  export const typed = defineParadigm({
    name: 'typed',
    version: '0.1.0',
    module: import.meta.url,
    controller: () => ({ double: (n: number): number => 2 * n }),
    client: (host) => ({ double: (n: number): Promise<number> => host.controller.ask('double', n) }),
    cli: (tools: CommandTools) => ({
      command: 'another-name <number>',
      builder: (y: any) => y.positional('number', { type: 'number' }).options(tools.options),
      handler: (args: any) =>
        tools.session(args, async (client) => tools.printJson(await client.use(typed).double(args.number))),
    }),
  });`;

const USER = `
  import { cluster } from 'tutti';
  import { pubsub, type Topic } from 'tutti-pubsub';
  await using client = await cluster({ engines: 1 });
  const api = client.use(pubsub);
  const went: number = await api.publish('a', new Map());
  for await (const wind of api.subscribe<number>('wind')) wind.toFixed(went);
  const topics: Topic[] = await api.topics();
  // @ts-expect-error a topic has a name
  api.publish(topics, 5);
  await client.all.apply(() => publish('b', 6));`;

test('its own test passes there', async () => {
  const { stdout } = await run(process.execPath, ['--test', 'node_modules/tutti-pubsub/test/'], terminal.cwd);
  expect(stdout).toMatch(/^# fail 0$/m);
  expect(stdout).toMatch(/^# pass [1-9]\d$/m);
});

test('its types fit those of tutti', async () => {
  const compilerOptions = {
    module: 'NodeNext',
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    lib: ['ES2023', 'ESNext.Disposable'],
  };
  const types = { types: ['node'], typeRoots: [path.join(root, 'node_modules/@types')] };
  writeFileSync(path.join(terminal.cwd, 'typed.mts'), USER);
  const config = { compilerOptions: { ...compilerOptions, ...types }, files: ['typed.mts'] };
  writeFileSync(path.join(terminal.cwd, 'tsconfig.json'), JSON.stringify(config));
  const tsc = path.join(root, 'node_modules/.bin/tsc');
  expect(await run(tsc, ['-p', terminal.cwd], terminal.cwd)).toMatchObject({ stdout: '' });
});

test('it is found, without being loaded', async () => {
  const { stdout } = await run('npx', ['tutti', 'paradigms'], terminal.cwd);
  expect(stdout).toMatch(/^pubsub +1\.0\.0 +tutti-pubsub +.*node_modules\/tutti-pubsub$/m);
  const { paradigms } = await terminal.json('paradigms');
  const found = paradigms.filter((p: { where: string }) => p.where !== 'built in');
  expect(found.map((p: { package: string; command: string }) => `${p.command} of ${p.package}`)).toEqual([
    'typed of @far/tutti-typed',
    'twin of @other/twin',
    'broken of tutti-broken',
    'mute of tutti-mute',
    'pubsub of tutti-pubsub',
    'status of tutti-shadow',
    'twin of tutti-twin',
  ]);
  const help = await terminal.run(['--help']);
  expect(help.stdout).toMatch(/^ {2}tutti pubsub +Publish and subscribe by topic/m);
  expect(help.stdout).toMatch(/^ {2}tutti typed +In TypeScript/m);
  expect(help.stdout.match(/^ {2}tutti status /gm)).toHaveLength(1);
  expect(help).toMatchObject({ code: 0, stderr: '' });
  expect((await terminal.run(['pubsub', '--help'])).stdout).toMatch(/tutti pubsub publish <topic> <value>/);
});

test('its command works with a cluster that was started with it', async () => {
  await terminal.json('start', '-n', '1', '--name', 'a', '--detach', '--plugin', 'tutti-pubsub');
  const pubsub = (...args: string[]) => terminal.run(['pubsub', ...args, '--name', 'a']);
  const reader = terminal.start(['pubsub', 'subscribe', 'weather', '--count', '2', '--name', 'a']);
  const { code, stdout } = await pubsub('publish', 'weather', '{"wind":7}');
  expect({ code, stdout }).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^Published to [01] subscribers$/m),
  });
  await reader.until(/^\{"wind":7\}$/m);
  await pubsub('publish', 'weather', '"calm"');
  expect(await reader.ended).toMatchObject({ code: 0, stdout: '{"wind":7}\n"calm"\n' });
  expect(await terminal.json('pubsub', 'topics', '--name', 'a')).toMatchObject([{ name: 'weather', published: 2 }]);
  const { cluster } = await terminal.json('paradigms', '--name', 'a');
  expect(cluster).toMatchObject({ name: 'a', failed: [] });
  const used = cluster.paradigms.filter((p: { use: boolean }) => p.use);
  expect(used).toMatchObject([{ name: 'pubsub', version: '1.0.0', controller: true, engine: true }]);
  expect(await pubsub('publish', 'weather', 'no JSON')).toMatchObject({ code: 1 });
  expect((await terminal.run(['pubsub'])).code).toBe(2);
});

test('a command that waits ends with Ctrl-C', async () => {
  await terminal.json('start', '-n', '0', '--name', 'b', '--detach', '--plugin', 'tutti-pubsub');
  await terminal.run(['pubsub', 'publish', 'weather', '1', '--name', 'b']);
  const reader = terminal.start(['pubsub', 'subscribe', 'weather', '--name', 'b']);
  await reader.until(/^1$/m);
  reader.child.kill('SIGINT');
  expect((await reader.ended).code).toBe(130);
});

test('a cluster that was started without it refuses, and says what to do', async () => {
  await terminal.json('start', '-n', '0', '--name', 'c', '--detach');
  expect(await terminal.run(['pubsub', 'topics', '--name', 'c'])).toMatchObject({
    code: 3,
    stderr: expect.stringMatching(/not started with paradigm 'pubsub'.*tutti start --plugin/),
  });
  const own = await terminal.run(['pubsub', 'publish', 'weather', '1', '-n', '1', '--kind', 'thread']);
  expect(own).toMatchObject({ code: 0, stdout: 'Published to 0 subscribers\n', stderr: '' });
});

test('another version of it is refused, and both are named', async () => {
  await terminal.json('start', '-n', '0', '--name', 'd', '--detach', '--plugin', 'tutti-pubsub-next');
  expect(await terminal.run(['pubsub', 'topics', '--name', 'd'])).toMatchObject({
    code: 3,
    stderr: expect.stringMatching(/version 2\.0\.0 in this cluster and 1\.0\.0 in this client/),
  });
});

test('a plug-in that throws while it is loaded breaks nothing else', async () => {
  const start = ['start', '-n', '0', '--name', 'e', '--detach', '--plugin', 'tutti-broken', '--plugin', 'tutti-pubsub'];
  const started = await terminal.run(start);
  expect(started).toMatchObject({ code: 0, stderr: expect.stringMatching(/tutti-broken.*TypeError: not today/) });
  expect((await terminal.run(['pubsub', 'topics', '--name', 'e'])).code).toBe(0);
  const { cluster } = await terminal.json('paradigms', '--name', 'e');
  expect(cluster.failed).toMatchObject([{ plugin: 'tutti-broken', reason: expect.stringContaining('not today') }]);
  expect(await terminal.run(['broken'])).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(/^tutti: Command 'broken' of package tutti-broken .*TypeError: not today\n$/),
  });
  const told = await terminal.run(['broken', '--json']);
  expect(JSON.parse(told.stdout)).toMatchObject({ error: { message: expect.stringContaining('not today') } });
  expect(await terminal.run(['mute'])).toMatchObject({ code: 1, stderr: expect.stringContaining("(mute) has 'cli'") });
  const unknown = await terminal.run(['nonsense']);
  expect(unknown).toMatchObject({ code: 2, stderr: expect.not.stringContaining('not today') });
  expect((await terminal.run(['status', '--name', 'e'])).code).toBe(0); // a built-in command wins
});

test('two packages with one command are told apart when it is used', async () => {
  expect(await terminal.run(['twin'])).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/'twin': @other\/twin \(.*\) and tutti-twin \(.*\)/),
  });
});

test('a plug-in in TypeScript, for import alone, in a cluster and as a command', async () => {
  expect(await terminal.json('typed', '21', '-n', '0')).toBe(42);
  await terminal.json('start', '-n', '0', '--name', 'f', '--detach', '--plugin', '@far/tutti-typed');
  expect(await terminal.json('typed', '4', '--name', 'f')).toBe(8);
  writeFileSync(path.join(terminal.cwd, 'own.ts'), TYPED.replaceAll("'typed'", "'own'"));
  const controller = terminal.start(['controller', '--name', 'g', '--plugin', './own.ts', '--plugin', './gone.ts']);
  await controller.until(/gone\.ts' was not found from/);
  await controller.until(/Ctrl-C stops it/);
  const { cluster } = await terminal.json('paradigms', '--name', 'g');
  expect(cluster.paradigms).toContainEqual(expect.objectContaining({ name: 'own', use: false }));
});

/** A package that the project depends on. */
function install(name: string, manifest: object, code: string, file = 'index.js'): void {
  const folder = path.join(modules, name);
  mkdirSync(folder, { recursive: true });
  const own = {
    name,
    version: '1.0.0',
    type: 'module',
    exports: `./${file}`,
    keywords: ['tutti-paradigm'],
    ...manifest,
  };
  writeFileSync(path.join(folder, 'package.json'), JSON.stringify(own));
  writeFileSync(path.join(folder, file), code);
  const home = path.join(terminal.cwd, 'package.json');
  const project = JSON.parse(readFileSync(home, 'utf8'));
  const devDependencies = { ...project.devDependencies, [name]: '*' };
  writeFileSync(home, JSON.stringify({ ...project, devDependencies }));
}

function run(command: string, args: string[], cwd: string): Promise<{ stdout: string; stderr: string }> {
  const { NODE_OPTIONS: _, ...outer } = process.env;
  const env = { ...outer, TUTTI_HOME: terminal.home, TMPDIR: terminal.tmp };
  return promisify(execFile)(command, args, { cwd, env });
}

test('a subscriber that is let go is forgotten', async () => {
  const { makeController } = await import(new URL('../../examples/plugin-pubsub/controller.js', import.meta.url).href);
  const half = makeController();
  const { signal } = new AbortController();
  const values: AsyncIterator<number> = half.subscribe({ topic: 't' }, { signal });
  assert.equal(half.publish({ topic: 't', value: -1 }), 1);
  assert.equal((await values.next()).value, -1);
  for (let i = 0; i <= 10_000; i++) half.publish({ topic: 't', value: i });
  await assert.rejects(async () => {
    while (!(await values.next()).done);
  }, /10000 values behind/);
  assert.equal(half.publish({ topic: 't', value: 0 }), 0);
});
