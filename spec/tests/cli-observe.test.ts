/** Watching a cluster from the command line: its log, its metrics, its status. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { engineTable } from '../../cli/engine-table.ts';
import { ranges } from '../../cli/ranges.ts';
import type { EngineStatus } from '../../core/cluster-status.ts';
import { eventually, Terminal } from '../fixtures/cli/terminal.ts';

let terminal: Terminal;
beforeEach(() => {
  terminal = new Terminal();
});
afterEach(() => terminal.close());
/** As a user's environment is: this suite's own turns logs off. */
const env = { TUTTI_LOG: '' };

const documents = (text: string): any[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));

test('a detached cluster logs to its file and serves metrics, until it is stopped', async () => {
  const file = path.join(terminal.cwd, 'tutti.log');
  const start = ['start', '-n', '1', '--detach', '--log-file', 'tutti.log', '--metrics', '127.0.0.1:0', '--json'];
  const { code, stdout } = await terminal.run(start, { env });
  expect(code).toBe(0);
  const { metrics, pid } = JSON.parse(stdout);
  expect(await (await fetch(metrics)).text()).toContain('tutti_engines{state="alive"} 1\n');
  const { stdout: status } = await terminal.run(['status']);
  expect(status).toMatch(
    /^calls: none; under way: 0\ntraffic: .*\nmetrics: http:\/\/127.0.0.1:\d+\/metrics\nid {2}state/m,
  );
  expect((await terminal.run(['stop'])).code).toBe(0);
  await expect(fetch(metrics)).rejects.toThrow();
  await eventually(() => /has stopped/.test(readFileSync(file, 'utf8')), 'the last line of the log');
  const lines = documents(readFileSync(file, 'utf8'));
  expect(lines.map(({ msg }) => msg)).toEqual(
    expect.arrayContaining(["Cluster 'default' listens", 'Engine 0 has joined', "Cluster 'default' has stopped"]),
  );
  expect(lines.every((line) => line.level === 'info' && line.pid === pid)).toBe(true);
  expect(JSON.stringify(lines)).not.toMatch(/[0-9a-f]{32}/);
});

test('in the foreground the log goes to stderr, and the level decides', async () => {
  const loud = terminal.start(['controller', '--name', 'loud', '--log-level', 'debug', '--log-format', 'pretty'], {
    env,
  });
  await loud.until(/INFO \(tutti\): Cluster 'loud' listens/);
  const quiet = terminal.start(['start', '-n', '1', '--name', 'quiet'], { env });
  await quiet.until(/Ctrl-C stops it/);
  loud.child.kill('SIGINT');
  quiet.child.kill('SIGINT');
  const [one, other] = [await loud.ended, await quiet.ended];
  expect(one).toMatchObject({ code: 130, stdout: '', stderr: expect.stringContaining("Cluster 'loud' has stopped") });
  expect(documents(other.stderr)).toEqual([]);
});

test('commands with engines of their own log when they are asked to', async () => {
  const silent = await terminal.run(['exec', '-n', '1', 'process.kill(process.pid, "SIGKILL")'], { env });
  expect(documents(silent.stderr)).toEqual([]);
  const asked = await terminal.run(['exec', '-n', '1', '--log-level', 'info', 'engine.id'], { env });
  expect(asked).toMatchObject({ code: 0, stdout: '[0] 0\n' });
  expect(documents(asked.stderr).map(({ msg }) => msg)).toContain('Engine 0 has joined');
  const byEnvironment = await terminal.run(['exec', '-n', '1', 'engine.id'], { env: { TUTTI_LOG: 'info' } });
  expect(documents(byEnvironment.stderr).length).toBeGreaterThan(0);
});

test.each([
  [['start', '--detach', '--log-level', 'info'], /nowhere to log to: give --log-file/],
  [['start', '--log-level', 'chatty'], /--log-level is one of debug, info, warn, error, silent/],
  [['controller', '--log-file', '/nowhere/at/all'], /Cannot write the log file/],
  [['controller', '--metrics', '0.0.0.0:0'], /read by other machines/],
  [['status', '--watch', 'often'], /--watch takes seconds from 0.1 on/],
])('tutti %j is refused', async (args, message) => {
  expect(await terminal.run(args, { env })).toMatchObject({ code: 2, stderr: expect.stringMatching(message) });
  expect(existsSync(path.join(terminal.home, 'default.json'))).toBe(false);
});

test('status --watch tells again and again until Ctrl-C: a line each time, or a document', async () => {
  await terminal.json('start', '-n', '2', '--detach');
  const lines = terminal.start(['status', '--watch', '0.1']);
  await lines.until(/engines: 2 alive {2}clients: 0 {2}parts of calls: 0 {2}[^\n]*\n[^\n]*\(0\/s\)/);
  await terminal.json('exec', '1');
  await lines.until(/parts of calls: 2 /);
  lines.child.kill('SIGINT');
  expect(await lines.ended).toMatchObject({ code: 130 });
  const json = terminal.start(['status', '--watch', '--json']);
  await json.until(/\n/);
  json.child.kill('SIGINT');
  const [status] = documents((await json.ended).stdout);
  expect(status).toMatchObject({ name: 'default', calls: [{ op: 'execute', ok: 2 }] });
  expect(status.engines).toHaveLength(2);
});

describe('many engines', () => {
  const engine = (id: number, more: Partial<EngineStatus> = {}): EngineStatus => ({
    id,
    incarnation: 1,
    host: 'here',
    pid: 1_000 + id,
    kind: 'process',
    transport: 'unix',
    state: 'alive',
    memory: 50e6 + id * 1e6,
    cwd: '/work',
    node: 'v20',
    underWay: 0,
    queued: 1,
    calls: 2,
    load: 0.5,
    lag: 0,
    heap: 0,
    kept: 0,
    traffic: { messagesSent: 0, messagesReceived: 0, bytesSent: 0, bytesReceived: 0 },
    peers: { sent: 0, received: 0 },
    ...more,
  });
  const rows = (engines: EngineStatus[]): string[][] =>
    engineTable(engines)
      .trim()
      .split('\n')
      .map((line) => line.trim().split(/ {2,}/));

  test('share a line where they are equal; those that differ stand alone', () => {
    const all = Array.from({ length: 128 }, (_, id) => engine(id));
    all[5] = engine(5, { state: 'lost' });
    all[9] = engine(9, { incarnation: 2 });
    const equal = [
      '0-4, 6-8, 10-127',
      'alive',
      'process',
      '126 pids',
      'here',
      '50-177',
      '50',
      '252',
      '126',
      '1',
      '/work',
    ];
    const lost = ['5', 'lost', 'process', '1005', 'here', '55', '50', '2', '1', '1', '/work'];
    const restarted = ['9', 'alive', 'process', '1009', 'here', '59', '50', '2', '1', '2', '/work'];
    expect(rows(all).slice(1)).toEqual([equal, lost, restarted]);
  });

  test('a few have a line each', () => {
    expect(
      rows([engine(0), engine(1)])
        .slice(1)
        .map((row) => [row[0], row[3]]),
    ).toEqual([
      ['0', '1000'],
      ['1', '1001'],
    ]);
    expect(engineTable([])).toBe('');
  });

  test('ids are written as ranges', () => {
    expect(ranges([3, 1, 2, 0, 7, 9, 10])).toBe('0-3, 7, 9, 10');
    expect(ranges([])).toBe('');
  });
});
