/** Arguments that say where the engines of a cluster are started, and how many. */
import { readFileSync } from 'node:fs';
import type { HostOptions } from '../core/controller/host-options.ts';
import { UsageError } from '../core/errors.ts';
import { once, parseCount, text } from './arguments.ts';

/** For `yargs.options(…)`. */
export const launchOptions = {
  ssh: text('--ssh', "Engines on other machines: 'host1:4,user@host2:4', or a hosts file"),
  'ssh-config': text('--ssh-config', "Config file for ssh in place of the user's own"),
  slurm: { type: 'boolean' as const, default: false, describe: 'Engines as jobs of Slurm' },
  'slurm-template': text('--slurm-template', 'Batch script of an engine, with {command} on a line of its own'),
  node: text('--node', 'Node on those machines, where it is not on the PATH'),
  min: {
    ...text('--min', 'So many engines must start; the cluster does without others that could not (default: all)'),
    coerce: (given: string | string[] | undefined) =>
      given === undefined ? undefined : parseCount('--min', once('--min', given)),
  },
  adaptive: {
    ...text('--adaptive', 'More engines while there is work for them, fewer when there is not: MIN-MAX, e.g. 1-8'),
    coerce: (given: string | string[] | undefined) => range(once('--adaptive', given)),
  },
};

interface Given {
  ssh: string | undefined;
  'ssh-config': string | undefined;
  slurm: boolean;
  'slurm-template': string | undefined;
  node: string | undefined;
  min: number | undefined;
  adaptive: { min: number; max: number } | undefined;
}

/** What a cluster is told of them. */
export function launchOf(given: Given, engines: number | undefined) {
  const { ssh: hosts, 'ssh-config': config, 'slurm-template': file, node, min, adaptive } = given;
  const slurm = given.slurm || file !== undefined;
  if (hosts !== undefined && slurm)
    throw new UsageError('--ssh and --slurm both say where engines run; give one of them');
  if (config !== undefined && hosts === undefined) throw new UsageError('--ssh-config is for --ssh');
  if (node !== undefined && hosts === undefined && !slurm)
    throw new UsageError('--node is for engines on other machines: --ssh or --slurm');
  if (min !== undefined && engines !== undefined && min > engines)
    throw new UsageError(`--min: at least ${min} engines are to start, and -n wants only ${engines}`);
  return {
    min,
    adaptive,
    ...(hosts !== undefined && { ssh: { hosts, config, node } }),
    ...(slurm && { slurm: { node, ...(file !== undefined && { template: read(file) }) } }),
  } satisfies HostOptions;
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new UsageError(`--slurm-template: ${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
}

function range(given: string | undefined): { min: number; max: number } | undefined {
  if (given === undefined) return undefined;
  const [, min, max] = /^(\d{1,6})-(\d{1,6})$/.exec(given) ?? [];
  if (min === undefined || Number(max) < Math.max(1, Number(min)))
    throw new UsageError(`--adaptive takes MIN-MAX, e.g. 1-8; got '${given}'`);
  return { min: Number(min), max: Number(max) };
}
