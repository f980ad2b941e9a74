/** The secrets of a cluster are in its connection file, and in nothing that it says or shows. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { openClient } from '../../core/client/client.ts';
import { startHost } from '../../core/controller/host.ts';
import { type ConnectionInfo, connect } from '../../main.ts';
import { blackBox } from './support/black-box.ts';
import { ownHome } from './support/shared.ts';

ownHome();

const tutti = path.resolve(import.meta.dirname, '../../dist/cli/main.js');
const run = (...args: string[]): string => {
  const { stdout, stderr } = spawnSync(process.execPath, [tutti, ...args], { encoding: 'utf8', env: process.env });
  return stdout + stderr;
};

function secretsOf(info: ConnectionInfo): string[] {
  const tokens = [info.token, info.observerToken!, info.engineToken!];
  return tokens.map((token) => token.split('.')[1]!);
}

/** Of every process that we may look at. */
function processes(): string {
  const shown: string[] = [];
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name)))
    for (const file of ['cmdline', 'environ'])
      try {
        shown.push(readFileSync(`/proc/${pid}/${file}`, 'latin1'));
      } catch {
        // another user's, or gone meanwhile
      }
  return shown.join('\n');
}

function expectNone(secrets: string[], shown: string): void {
  expect(shown).not.toBe('');
  for (const secret of secrets) expect(shown.includes(secret), shown.slice(0, 2_000)).toBe(false);
}

test('of a cluster with a process of its own: command line, processes, errors', () => {
  const name = `secrets-${process.pid}`;
  const shown = [run('start', '-n', '1', '--name', name, '--detach')];
  try {
    const file = path.join(process.env.TUTTI_HOME!, `${name}.json`);
    const secrets = secretsOf(JSON.parse(readFileSync(file, 'utf8')));
    expect(secrets.every((secret) => /^[0-9a-f]{64}$/.test(secret))).toBe(true);
    const everything = 'JSON.stringify([process.env, process.argv, process.execArgv, Object.keys(globalThis)])';
    shown.push(run('status', '--name', name), run('list'), run('exec', '--name', name, everything));
    shown.push(run('exec', '--name', name, 'throw new Error(JSON.stringify(process.env))'));
    shown.push(run('engines', '--name', name, 'add', '1'), run('status', '--name', name, '--json'));
    expectNone(secrets, processes());
    expectNone(secrets, shown.join('\n'));
  } finally {
    shown.push(run('stop', '--name', name));
  }
});

test('of a cluster in this process: log, errors, clients as they are printed, those that are turned away', async () => {
  const { log, entries } = blackBox();
  const host = await startHost({ listen: ['tcp://127.0.0.1:0'], log, beat: 50 });
  const shown: string[] = [];
  const fails = async (info: ConnectionInfo): Promise<void> => {
    const error = await connect(info).catch((e: unknown) => e as Error);
    expect(error).toBeInstanceOf(Error);
    shown.push(inspect(error, { depth: 10 }), (error as Error).stack!);
  };
  try {
    await host.fleet.add(1, host.launcher);
    const { outside } = host;
    const secrets = secretsOf(outside);
    const engineSecret = host.controller.registry.get(0).key.secret;
    const [id, secret] = outside.token.split('.');
    await fails({ ...outside, token: `${id}.${'0'.repeat(64)}` });
    await fails({ ...outside, token: `${secret}.${id}` });
    await fails({ ...outside, token: outside.engineToken! });
    await fails({ ...outside, token: secret! });
    await fails({ ...outside, token: `${outside.token}.more` });
    const client = await openClient(host.info, { output: 'ignore' });
    const far = await connect(outside, { output: 'ignore' });
    for (const c of [client, far])
      shown.push(inspect(c, { depth: 12, showHidden: true }), inspect(await c.status(), { depth: 9 }));
    process.kill(client.engines[0]!.pid, 'SIGKILL');
    const lost = await client
      .engine(0)
      .execute('new Promise(() => {})')
      .catch((e: unknown) => e);
    shown.push(inspect(lost, { depth: 10 }));
    expectNone([...secrets, engineSecret], processes());
    await far.close();
    await client.close();
    expect(entries.map((entry) => entry.message)).toEqual(
      expect.arrayContaining(['turned a peer away', expect.stringContaining('was lost')]),
    );
    shown.push(inspect(entries, { depth: 10 }));
    expectNone([...secrets, engineSecret], shown.join('\n'));
  } finally {
    await host.stop();
  }
});
