/** Ranks on hosts that are named, as mpiexec takes them. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { UsageError } from '../../main.ts';
import { mapRanks, parseHostList, readHostfile } from '../../paradigms/mpi/hosts.ts';
import { Terminal } from '../fixtures/cli/terminal.ts';
import { reasonToSkip } from './support/programs.ts';
import { inFolder } from './support/shared.ts';
import { type Sshd, startSshd } from './support/sshd.ts';

const read = (text: string): Promise<ReturnType<typeof readHostfile>> =>
  inFolder(async (folder) => {
    const file = path.join(folder, 'hosts');
    writeFileSync(file, text);
    return readHostfile(file);
  });
const most = Number.POSITIVE_INFINITY;

test('a hostfile has a host a line, with its slots', async () => {
  expect(
    await read('# ours\nnode1 slots=2 max-slots=4 # new\n\n  me@node2\tslots = 3\nnode3 username=you\nnode1 slots=1\n'),
  ).toEqual([
    { host: 'node1', slots: 3, most },
    { host: 'me@node2', slots: 3, most },
    { host: 'you@node3', slots: 1, most },
  ]);
  expect(await read('a slots=1 max_slots=2\r\n')).toEqual([{ host: 'a', slots: 1, most: 2 }]);
  expect(parseHostList('a:2,[fe80::1]:1, me@b,a')).toEqual([
    { host: 'a', slots: 3, most },
    { host: 'fe80::1', slots: 1, most },
    { host: 'me@b', slots: 1, most },
  ]);
});

test.each([
  ['a\nb slot=2', /line 2 of .*: 'slot=2' is not known; a line is: host slots=4/],
  ['a slots=0', /line 1 of .*: slots is 1 or more; got '0'/],
  ['\n\na slots=x', /line 3 of .*: slots is 1 or more; got 'x'/],
  ['a slots=2 slots=3', /line 1 of .*'slots=3' comes twice/],
  ['a slots=4 max-slots=2', /line 1 of .*max-slots is 2, and slots 4/],
  ['a slots', /line 1 of .*'slots' is not known/],
  ['-oProxyCommand=evil slots=1', /line 1 of .*is no name of a host/],
  ['a;b', /line 1 of .*'a;b' is no name of a host/],
  ['# nothing\n', /names no host/],
])('but not like %j', async (text, says) => {
  const error = await read(text).catch((e) => e);
  expect(error).toBeInstanceOf(UsageError);
  expect(error.message).toMatch(says);
});

test('a list that makes no sense, a file that is not there', () => {
  for (const list of ['', 'a,,b', 'a:0', 'a:x', 'a;b']) expect(() => parseHostList(list), list).toThrow(UsageError);
  expect(() => readHostfile('/nowhere/hosts')).toThrow(/The hostfile \/nowhere\/hosts cannot be read: ENOENT/);
});

test('ranks fill hosts by slots, or go to each in turn; more than there are slots only where that is wanted', () => {
  const hosts = parseHostList('a:3,b:1,c:2');
  expect(mapRanks(hosts, 6, 'slot').join('')).toBe('aaabcc');
  expect(mapRanks(hosts, 6, 'node').join('')).toBe('abcaca');
  expect(mapRanks(hosts, 4, 'slot').join('')).toBe('aaab');
  expect(mapRanks(hosts, 2, 'node').join('')).toBe('ab');
  expect(() => mapRanks(hosts, 7, 'slot')).toThrow(/7 ranks, and the hosts have 6 slots; .*--oversubscribe/);
  expect(mapRanks(hosts, 8, 'slot', true).join('')).toBe('aaabccab');
  const limited = [
    { host: 'a', slots: 1, most: 2 },
    { host: 'b', slots: 1, most: 1 },
  ];
  expect(mapRanks(limited, 3, 'node', true).join('')).toBe('aba');
  expect(() => mapRanks(limited, 4, 'node', true)).toThrow(/4 ranks, and the hosts take 3 at most \(max-slots\)/);
});

const skip = reasonToSkip(
  'TUTTI_REQUIRE_SSHD',
  ['ssh', 'sshd', 'ssh-keygen'],
  'apt-get install openssh-server openssh-client',
);

describe.skipIf(skip)(skip ? `by ssh (${skip})` : 'by ssh', () => {
  let sshd: Sshd;
  const terminal = new Terminal();
  beforeAll(async () => {
    if (skip) return;
    sshd = await startSshd();
    writeFileSync(
      path.join(terminal.cwd, 'main.ts'),
      `export default async function main(comm: any): Promise<void> {
        const where = await comm.gather([process.ppid, typeof process.env.SSH_CONNECTION]);
        if (comm.rank === 0) console.log(JSON.stringify(where), process.argv.length > 0);
      }\n`,
    );
    writeFileSync(path.join(terminal.cwd, 'hosts'), 'here slots=2 # this one\nthere slots=2\n');
    writeFileSync(path.join(terminal.cwd, 'mixed'), 'localhost slots=1\nhere slots=1\n');
    writeFileSync(path.join(terminal.cwd, 'wrong'), 'here slots=2\nthere slot=2\n');
    writeFileSync(path.join(terminal.cwd, 'deaf'), 'here slots=1\ndeaf slots=1\n');
  });
  afterAll(async () => {
    await terminal.close();
    await sshd?.close();
  });
  const mpi = (...args: string[]) => terminal.run(['mpi', '--ssh-config', sshd.config, ...args]);
  /** By rank: the same letter where they have one agent. */
  const places = (stdout: string): string => {
    const where: [number, string][] = JSON.parse(/\[\[.*\]\]/.exec(stdout)![0]);
    expect(where.every(([, ssh]) => ssh === 'string')).toBe(true);
    const agents = [...new Set(where.map(([ppid]) => ppid))];
    return where.map(([ppid]) => 'ab'[agents.indexOf(ppid)]).join('');
  };

  test('ranks are where the hostfile has them, by slot and by node, and nothing is left', async () => {
    const bySlot = await mpi('-n', '4', '--hostfile', 'hosts', 'main.ts');
    expect([bySlot.code, bySlot.stderr]).toEqual([0, '']);
    expect(places(bySlot.stdout)).toBe('aabb');
    const byNode = await mpi('--machinefile', 'hosts', '--map-by', 'node', 'main.ts');
    expect([byNode.code, byNode.stderr]).toEqual([0, '']);
    expect(places(byNode.stdout)).toBe('abab');
    const few = await mpi('-n', '3', '--host', 'here:2,there:2', 'main.ts', '--hostfile', 'of the script');
    expect([few.code, few.stderr]).toEqual([0, '']);
    expect(places(few.stdout)).toBe('aab');
    await expect.poll(() => sshd.agents()).toEqual([]);
  });

  test('this machine needs no ssh', async () => {
    const mixed = await mpi('-n', '2', '--hostfile', 'mixed', 'main.ts');
    expect([mixed.code, mixed.stderr]).toEqual([0, '']);
    expect(JSON.parse(/\[\[.*\]\]/.exec(mixed.stdout)![0]).map(([, ssh]: [number, string]) => ssh)).toEqual([
      'undefined',
      'string',
    ]);
  });

  test.each<[string[], number, string]>([
    [['-n', '4', '--hostfile', 'wrong', 'main.ts'], 2, "line 2 of wrong: 'slot=2' is not known"],
    [['-n', '5', '--hostfile', 'hosts', 'main.ts'], 2, '5 ranks, and the hosts have 4 slots'],
    [['-n', '2', '--hostfile', 'hosts', '--host', 'a', 'main.ts'], 2, 'give one of them'],
    [['-n', '2', '--hostfile', 'hosts', '--map-by', 'core', 'main.ts'], 2, "--map-by: slot or node; got 'core'"],
    [['-n', '2', '--hostfile', 'hosts', '--kind', 'thread', 'main.ts'], 2, 'without --kind and --name'],
    [['-n', '2', '--oversubscribe', 'main.ts'], 2, 'is for ranks on hosts that are named'],
    [['--hostfile', 'deaf', 'main.ts'], 3, 'ssh to deaf failed: no sshd listens there'],
  ])('%j', async (args, code, says) => {
    expect(await mpi(...args)).toMatchObject({ code, stderr: expect.stringContaining(says) });
  });
});
