/** A real sshd on this machine's loopback address, with keys, a port and a config file for ssh of its own. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import net from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import path from 'node:path';
import { freePort } from './free-port.ts';
import { programAt } from './programs.ts';

export interface Sshd {
  /** For `ssh -F`: hosts `here` and `there` are this machine; `stranger` has another host key, `locked` lets nobody in. */
  readonly config: string;
  /** Folders of agents that are there now. */
  agents(): string[];
  /** What it has logged. */
  log(): string;
  close(): Promise<void>;
}

export async function startSshd(): Promise<Sshd> {
  const folder = mkdtempSync(path.join(tmpdir(), 'tutti-sshd-'));
  chmodSync(folder, 0o700);
  const at = (name: string): string => path.join(folder, name);
  for (const key of ['host', 'other', 'user', 'nobody'])
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', key, '-f', at(key)]);
  const port = await freePort();
  const { username, uid } = userInfo();
  writeFileSync(at('authorized_keys'), readFileSync(at('user.pub')));
  const hostKey = readFileSync(at('host.pub'), 'utf8').split(' ').slice(0, 2).join(' ');
  const otherKey = readFileSync(at('other.pub'), 'utf8').split(' ').slice(0, 2).join(' ');
  writeFileSync(at('known_hosts'), `here ${hostKey}\nthere ${hostKey}\nlocked ${hostKey}\nstranger ${otherKey}\n`);
  writeFileSync(
    at('sshd_config'),
    [
      `Port ${port}`,
      'ListenAddress 127.0.0.1',
      `HostKey ${at('host')}`,
      `AuthorizedKeysFile ${at('authorized_keys')}`,
      `PidFile ${at('pid')}`,
      'StrictModes no',
      'UsePAM no',
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
      'PermitRootLogin yes',
      'MaxStartups 100',
      `SetEnv TMPDIR=${folder}`,
      '',
    ].join('\n'),
  );
  const of = (name: string, ...more: string[]): string =>
    [
      `Host ${name}`,
      '  HostName 127.0.0.1',
      `  Port ${port}`,
      `  User ${username}`,
      `  HostKeyAlias ${name}`,
      `  IdentityFile ${at(name === 'locked' ? 'nobody' : 'user')}`,
      '  IdentitiesOnly yes',
      `  UserKnownHostsFile ${at('known_hosts')}`,
      '  GlobalKnownHostsFile /dev/null',
      '  StrictHostKeyChecking yes',
      ...more,
      '',
    ].join('\n');
  writeFileSync(
    at('config'),
    [
      ...['here', 'there', 'locked', 'stranger', 'unknown'].map((name) => of(name)),
      'Host deaf',
      '  HostName 127.0.0.1',
      '  Port 1',
      '',
    ].join('\n'),
  );
  if (uid === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  const child = spawn(programAt('sshd')!, ['-D', '-e', '-f', at('sshd_config')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let ended = false;
  const exited = once(child, 'exit').then(() => {
    ended = true;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => appendFileSync(at('log'), text));
  const log = (): string => {
    try {
      return readFileSync(at('log'), 'utf8');
    } catch {
      return '';
    }
  };
  while (!(await answers(port))) {
    if (ended) throw new Error(`sshd has ended: ${log()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return {
    config: at('config'),
    agents: () => readdirSync(folder).filter((name) => name.startsWith('tutti-agent-')),
    log,
    async close() {
      child.kill();
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.once('error', () => resolve(false));
    socket.once('data', () => {
      resolve(true);
      socket.destroy();
    });
  });
}
