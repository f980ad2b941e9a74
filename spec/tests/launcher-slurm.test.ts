/** Engines as jobs of a real Slurm of one node. */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ClusterOptions, cluster, LaunchError, slurm, UsageError } from '../../main.ts';
import { launcherCompliance } from '../compliance/launcher.ts';
import { isRunning } from '../fixtures/cli/terminal.ts';
import { reasonToSkip } from './support/programs.ts';
import { using } from './support/shared.ts';
import { type Slurm, startSlurm } from './support/slurm.ts';

const skip = reasonToSkip(
  'TUTTI_REQUIRE_SLURM',
  ['slurmctld', 'slurmd', 'munged', 'sbatch'],
  'apt-get install slurmctld slurmd slurm-client munge',
);
let site: Slurm;
beforeAll(async () => {
  if (!skip) site = await startSlurm();
});
afterAll(() => site?.close());

const LISTEN = { listen: ['tls://127.0.0.1:0'] };
const NODE = process.execPath;
const options = (): ClusterOptions => ({ ...LISTEN, slurm: { node: NODE, folder: site.shared } });

describe.skipIf(skip)(skip ? `slurm (${skip})` : 'slurm', () => {
  launcherCompliance({ launcher: () => slurm({ node: NODE, folder: site.shared }), options: LISTEN }, { test });

  test('engines are tasks of one array job, which is gone when the cluster has stopped', async () => {
    await using({ ...options(), engines: 3 }, async (client) => {
      expect(client.engines.map(({ kind, transport }) => [kind, transport])).toEqual(Array(3).fill(['slurm', 'tls']));
      expect(new Set(await client.all.execute('process.env.SLURM_ARRAY_JOB_ID')).size).toBe(1);
      expect(new Set(await client.all.execute('process.env.SLURM_ARRAY_TASK_ID'))).toEqual(new Set(['0', '1', '2']));
      expect(await client.all.execute('"TUTTI_AGENT" in process.env')).toEqual([false, false, false]);
      expect(await site.jobs()).toHaveLength(3);
    });
    await expect.poll(() => site.jobs()).toEqual([]);
    expect(readdirSync(site.shared)).toEqual([]);
  });

  test('a job that is cancelled behind the back of its cluster', () =>
    using({ ...options(), engines: 2 }, async (client) => {
      const [job] = (await site.jobs())[0]!.split(' ');
      const pids = client.engines.map(({ pid }) => pid);
      execFileSync('scancel', [job!]);
      await expect.poll(() => pids.filter(isRunning).length).toBe(1);
      await expect.poll(() => client.engines.filter(({ state }) => state === 'lost').length).toBe(1);
    }));

  test.each<[string, object, RegExp]>([
    ['that is refused', { options: ['--partition=nowhere'] }, /Slurm has refused the job: .*invalid partition/i],
    ['that has no Node', { node: '/nowhere/node' }, /127.*not found/s],
  ])('a job %s', async (_what, more, words) => {
    const failure = await cluster({
      ...LISTEN,
      ...{ engines: 2, log: 'silent', slurm: { node: NODE, folder: site.shared, ...more } },
    }).catch((error) => error);
    expect(failure).toBeInstanceOf(LaunchError);
    expect(failure.message).toMatch(words);
    expect(readdirSync(site.shared)).toEqual([]);
  });
});

test('a template has a place for the engine', () => {
  expect(() => slurm({ template: '#!/bin/sh\necho {command}\n' })).toThrow(UsageError);
});

test.skipIf(!skip)('without Slurm the error says what is missing', async () => {
  const failure = await cluster({ ...LISTEN, engines: 1, log: 'silent', slurm: {} }).catch((error) => error);
  expect(failure.message).toMatch(/There is no program sbatch here/);
});
