/** Engines by a real ssh, from a real sshd. */
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ClusterOptions, cluster, LaunchError, ssh, UsageError } from '../../main.ts';
import { launcherCompliance } from '../compliance/launcher.ts';
import { isRunning, Terminal } from '../fixtures/cli/terminal.ts';
import { blackBox } from './support/black-box.ts';
import { reasonToSkip } from './support/programs.ts';
import { inFolder, using } from './support/shared.ts';
import { type Sshd, startSshd } from './support/sshd.ts';

const skip = reasonToSkip(
  'TUTTI_REQUIRE_SSHD',
  ['ssh', 'sshd', 'ssh-keygen'],
  'apt-get install openssh-server openssh-client',
);
let sshd: Sshd;
beforeAll(async () => {
  if (!skip) sshd = await startSshd();
});
afterAll(() => sshd?.close());

const agents = (): string[] => sshd.agents();
const to = (hosts: string): ClusterOptions => ({ ssh: { hosts, config: sshd.config }, listen: ['tls://127.0.0.1:0'] });

describe.skipIf(skip)(skip ? `ssh (${skip})` : 'ssh', () => {
  launcherCompliance(
    {
      launcher: () => ssh({ hosts: 'here:2', config: sshd.config }),
      options: { listen: ['tls://127.0.0.1:0'] },
    },
    { test },
  );

  test('engines run in their own login, on as many machines as there are, over TLS', async () => {
    await using(to('here:2,there:1'), async (client) => {
      expect(client.engines.map(({ kind, transport }) => [kind, transport])).toEqual(Array(3).fill(['ssh', 'tls']));
      const parents = await client.all.apply(() => process.ppid);
      expect(new Set(parents).size).toBe(2);
      expect(await client.all.execute('typeof process.env.SSH_CONNECTION')).toEqual(Array(3).fill('string'));
      expect(agents()).toHaveLength(2);
    });
    await expect.poll(agents).toEqual([]);
  });

  test('a machine that cannot be reached: the others will do where that was said, and the log names it', async () => {
    const { log, entries } = blackBox();
    await using({ ...to('here:2,deaf:2'), min: 2, log }, async (client) => {
      expect(client.engines.map(({ state }) => state)).toEqual(['alive', 'alive']);
      const said = entries.filter(({ level }) => level === 'warn').map(({ message }) => message);
      expect(said).toContainEqual(expect.stringMatching(/starts without some engines: .*deaf.*no sshd listens there/));
    });
    const failure = await cluster({ ...to('here:2,deaf:2'), min: 3, log: 'silent' }).catch((error) => error);
    expect(failure).toBeInstanceOf(LaunchError);
    expect(failure.message).toMatch(/2 of 4 engines could not be started, and at least 3 are wanted:\n.*deaf/);
  });

  test.each<[string, ClusterOptions['ssh'], RegExp]>([
    ['whose host key is not known', { hosts: 'unknown' }, /ssh to unknown failed: its host key is not known here/],
    ['whose host key is another', { hosts: 'stranger' }, /ssh to stranger failed: its host key is not known here/],
    ['that lets nobody in', { hosts: 'locked' }, /ssh to locked failed: no key of yours lets you in/],
    ['where nobody listens', { hosts: 'deaf' }, /ssh to deaf failed: no sshd listens there/],
    ['without Node', { hosts: 'here', node: '/nowhere/node' }, /here has no program '\/nowhere\/node'.*--node/],
  ])('a machine %s', async (_what, options, words) => {
    const failure = await cluster({ ssh: { ...options!, config: sshd.config }, log: 'silent' }).catch((error) => error);
    expect(failure).toBeInstanceOf(LaunchError);
    expect(failure.message).toMatch(words);
  });

  test('a machine with an old Node, and one whose clock goes wrong', () =>
    inFolder(async (folder) => {
      const program = (name: string, prelude: string): string => {
        const [script, js] = [path.join(folder, name), path.join(folder, `${name}.cjs`)];
        writeFileSync(js, prelude);
        writeFileSync(script, `#!/bin/sh\nexec '${process.execPath}' --require '${js}' "$@"\n`);
        chmodSync(script, 0o755);
        return script;
      };
      const old = program(
        'old',
        `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '18.12.0' } });
         Object.defineProperty(process, 'version', { value: 'v18.12.0' });`,
      );
      const hosts = { hosts: 'here', config: sshd.config };
      const failure = await cluster({ ssh: { ...hosts, node: old }, log: 'silent' }).catch((error) => error);
      expect(failure.message).toMatch(
        /here has a Node that is too old; it printed: tutti needs Node 20.19 or later; this is v18/,
      );
      const ahead = program('ahead', 'const { now } = Date; Date.now = () => now() + 3600e3;');
      const { log, entries } = blackBox();
      await using({ ssh: { ...hosts, node: ahead }, log, listen: ['tls://127.0.0.1:0'] }, async () => {
        expect(entries.map(({ message }) => message)).toContainEqual(
          expect.stringMatching(/clock of here is 3(599|600) s ahead of that of the controller/),
        );
      });
    }));

  test('when ssh dies, or the agent, its engines end, are lost, and nothing stays', async () => {
    await using(to('here:2'), async (client) => {
      const { pid } = client.engines[0]!;
      const [agent] = await client.all.apply(() => process.ppid);
      const lost = client.all.execute('await new Promise(() => {})');
      process.kill(agent!, 'SIGKILL');
      await expect(lost).rejects.toThrow(/2 of 2 engines failed/);
      await expect.poll(() => isRunning(pid)).toBe(false);
      await expect.poll(agents).toEqual([]);
      // And they can be started again.
      await client.restart([0, 1]);
      expect(await client.all.execute('1 + 1')).toEqual([2, 2]);
      const pids = client.engines.map((engine) => engine.pid);
      const [line] = sshChildren();
      process.kill(line!, 'SIGKILL');
      for (const one of pids) await expect.poll(() => isRunning(one)).toBe(false);
      await expect.poll(agents).toEqual([]);
    });
  });

  test('from the command line: started, seen, stopped, and nothing is left', async () => {
    const terminal = new Terminal();
    try {
      const start = ['start', '--ssh', 'here:3', '--ssh-config', sshd.config, '--detach', '--name', 'far'];
      const started = await terminal.json(...start);
      expect(started).toMatchObject({ engines: 3, fingerprint: expect.stringMatching(/^([\dA-F]{2}:){31}/) });
      const { engines } = await terminal.json('status', '--name', 'far');
      expect(engines.map((engine: { kind: string }) => engine.kind)).toEqual(['ssh', 'ssh', 'ssh']);
      expect((await terminal.run(['exec', '--name', 'far', 'console.log(engine.id)'])).stdout).toContain('[2] 2');
      const dead = await terminal.run(['exec', '--name', 'far', '-t', '1', 'process.exit(5)']);
      expect(dead).toMatchObject({ code: 1, stderr: expect.stringContaining('exited with code 5') });
      const pids = engines.map(({ pid }: { pid: number }) => pid);
      expect((await terminal.run(['stop', '--name', 'far'])).code).toBe(0);
      for (const pid of [...pids, started.pid]) await expect.poll(() => isRunning(pid)).toBe(false);
      await expect.poll(agents).toEqual([]);
    } finally {
      await terminal.close();
    }
  });

  test('a controller that is killed leaves nothing on the other side', async () => {
    const terminal = new Terminal();
    try {
      const start = ['start', '--ssh', 'here:2', '--ssh-config', sshd.config, '--detach', '--name', 'far'];
      const { pid } = await terminal.json(...start);
      const { engines } = await terminal.json('status', '--name', 'far');
      process.kill(pid, 'SIGKILL');
      for (const engine of engines) await expect.poll(() => isRunning(engine.pid)).toBe(false);
      await expect.poll(agents).toEqual([]);
    } finally {
      await terminal.close();
    }
  });
});

/** Of this process. */
function sshChildren(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const [, program, parent] = /\((.*)\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
        return program === 'ssh' && Number(parent) === process.pid;
      } catch {
        return false; // it has ended
      }
    });
}

describe('hosts', () => {
  const places = (hosts: string): number | undefined => ssh({ hosts }).places;

  test('are named in a text or in a file, with how many engines each takes', () =>
    inFolder(async (folder) => {
      expect(places('a:4,b.example.org:2, me@c')).toBe(7);
      expect(places('[fe80::1]:3')).toBe(3);
      const file = path.join(folder, 'hosts');
      writeFileSync(file, '# ours\na:2\nb 3\n\nc slots=4 # new\nd\n');
      expect(places(file)).toBe(10);
      writeFileSync(file, 'a:2\nb: 3 4\n');
      expect(() => places(file)).toThrow(/line 2 of .*: b: 3 4/);
      writeFileSync(file, '# none\n');
      expect(() => places(file)).toThrow(/names no host/);
    }));

  test.each(['', 'a,,b', 'a:0', 'a:x', '-oProxyCommand=evil', 'a;b', 'a:1,a:2'])('but not like %j', (hosts) => {
    expect(() => ssh({ hosts })).toThrow(UsageError);
  });
});
