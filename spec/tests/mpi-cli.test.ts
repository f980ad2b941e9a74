/** `tutti mpi`, as a user calls it. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually, isRunning, Terminal } from '../fixtures/cli/terminal.ts';

const terminal = new Terminal();
beforeAll(() => {
  writeFileSync(
    path.join(terminal.cwd, 'main.ts'),
    `interface Comm { rank: number; size: number; allreduce(x: number): Promise<number>; abort(code: number): never; barrier(): Promise<void> }
    export default async function main(comm: Comm, how: string, ...more: string[]): Promise<number> {
      if (how !== 'fine') console.log('in process', process.pid);
      console.log('rank', comm.rank, 'of', comm.size, await comm.allreduce(comm.rank), more.join());
      if (how === 'throw' && comm.rank === 1) throw new TypeError('boom');
      if (how === 'exit' && comm.rank === 1) process.exit(7);
      if (how === 'abort' && comm.rank === 1) comm.abort(9);
      if (how === 'loop' && comm.rank === 1) throw new TypeError('boom');
      if (how === 'loop' && comm.rank === 0) for (;;);
      await comm.barrier();
      return comm.rank;
    }\n`,
  );
  writeFileSync(
    path.join(terminal.cwd, 'parent.ts'),
    `export default async function main(comm: any, how: string): Promise<void> {
      const child = async (comm: any, how: string): Promise<void> => {
        console.log('child', comm.rank, 'of', comm.size);
        if (how === 'throw' && comm.rank === 1) throw new TypeError('boom');
      };
      const children = await comm.spawn(2, child, { args: [how] });
      console.log(children.remoteSize, 'children');
    }\n`,
  );
  writeFileSync(path.join(terminal.cwd, 'no-main.ts'), 'export const main = () => 1;\n');
});
afterAll(() => terminal.close());
const mpi = (...args: string[]) => terminal.run(['mpi', ...args]);
const sorted = (text: string): string[] => text.split('\n').slice(0, -1).sort();

test.each(['thread', 'process'])(
  '%s ranks print behind their rank; the arguments of main are its own',
  async (kind) => {
    const { code, stdout, stderr } = await mpi('-n', '3', '--kind', kind, 'main.ts', 'fine', '--flag', '-n', '9');
    expect(sorted(stdout)).toEqual([0, 1, 2].map((rank) => `[${rank}] rank ${rank} of 3 3 --flag,-n,9`));
    expect([code, stderr]).toEqual([0, '']);
    expect(terminal.litter()).toEqual([]);
  },
);

test('--json prints what the mains return', async () => {
  const { code, stdout, stderr } = await mpi('-n', '2', '--kind', 'thread', '--json', 'main.ts', 'fine');
  expect([code, stdout]).toEqual([0, '[0,1]\n']);
  expect(sorted(stderr)).toEqual(['[0] rank 0 of 2 1 ', '[1] rank 1 of 2 1 ']);
});

test.each([
  ['throw', 'process', 1, /^\[1\] TypeError: boom\n(.*\n)*\[[0,2,3]+\] RankLostError: Rank \d is gone: /],
  ['exit', 'thread', 7, /^tutti: Rank 1 has ended with process.exit\(7\)\n$/],
  ['abort', 'thread', 9, /^tutti: Rank 1 has aborted the run with code 9\n$/],
  ['loop', 'process', 1, /^\[1\] TypeError: boom/],
])('a rank that fails by %s ends all, of %s ranks, and says so first', async (how, kind, exit, says) => {
  const { code, stdout, stderr } = await mpi('-n', '4', '--kind', kind, 'main.ts', how);
  expect(code).toBe(exit);
  expect(stderr).toMatch(says);
  expect(terminal.litter()).toEqual([]);
  const pids = [...stdout.matchAll(/in process (\d+)/g)].map(([, pid]) => Number(pid));
  expect(new Set(pids).size).toBe(kind === 'process' ? 4 : 1);
  await eventually(() => !pids.some(isRunning), 'an engine is left');
});

test('worlds that ranks spawn print behind a number of their own, and fail the command', async () => {
  const { code, stdout, stderr } = await mpi('-n', '2', '--kind', 'thread', 'parent.ts', 'fine');
  expect([code, stderr]).toEqual([0, '']);
  expect(sorted(stdout)).toEqual(['[0] 2 children', '[1:0] child 0 of 2', '[1:1] child 1 of 2', '[1] 2 children']);
  const failed = await mpi('-n', '2', '--kind', 'thread', 'parent.ts', 'throw');
  expect(failed.code).toBe(1);
  expect(failed.stderr).toMatch(/SpawnError: \d of 2 ranks that were spawned have failed:\n(.*\n)*.*child 1: .*boom/);
  expect(terminal.litter()).toEqual([]);
});

describe.concurrent('a mistake is told:', () => {
  test.each([
    [['-n', '2'], 'Which script?'],
    [['-n', '0', 'main.ts'], '1 rank or more'],
    [['-n', '2', 'none.ts'], 'Cannot read the script none.ts'],
    [['-n', '2', 'no-main.ts'], 'no-main.ts has no default export'],
    [
      ['-n', '2', '--ranks', '3', '--kind', 'thread', 'main.ts'],
      '3 ranks need as many engines, one each, and the cluster has 2',
    ],
  ])('%j', async (args, says) => {
    expect(await mpi(...args)).toMatchObject({ code: 2, stderr: expect.stringContaining(says) });
  });
});
