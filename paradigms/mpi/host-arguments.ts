/** Arguments of `tutti mpi` that say on which hosts its ranks are. */
import { type Launcher, UsageError } from '../../core/index.ts';
import { hostLauncher } from './host-launcher.ts';
import { MAPPINGS, type Mapping, mapRanks, parseHostList, readHostfile, slotsOf } from './hosts.ts';

export interface HostArguments {
  engines?: number | undefined;
  kind?: string | undefined;
  name?: string | undefined;
  hostfile?: string | undefined;
  host?: string | undefined;
  'map-by'?: string | undefined;
  oversubscribe: boolean;
  'ssh-config'?: string | undefined;
  node?: string | undefined;
}

const TEXT = { type: 'string', requiresArg: true } as const;

/** For `yargs.options(…)`. */
export const hostOptions = {
  hostfile: { ...TEXT, alias: 'machinefile', describe: "Hosts for the ranks, by ssh: lines of 'host slots=4'" },
  host: { ...TEXT, describe: 'The same as a list: a:2,b:2' },
  'map-by': { ...TEXT, describe: `How ranks are put on them, by ${MAPPINGS.join(' or ')} (default: slot)` },
  oversubscribe: { type: 'boolean', default: false, describe: 'More ranks than the hosts have slots' },
  'ssh-config': { ...TEXT, describe: "Config file for ssh in place of the user's own" },
  node: { ...TEXT, describe: 'Node on those hosts, where it is not on the PATH' },
} as const;

/** How many engines, and their launcher, if it is said where they are to be. */
export function hostsOf(args: HostArguments): { engines?: number; launcher?: Launcher } {
  const { hostfile, host, 'map-by': mapBy, 'ssh-config': config, node, oversubscribe } = args;
  const given = Object.entries({ hostfile, host, 'map-by': mapBy, 'ssh-config': config, node }).filter(
    ([, value]) => value !== undefined,
  );
  const twice = given.find(([, value]) => Array.isArray(value));
  if (twice) throw new UsageError(`--${twice[0]} is given ${twice[1]!.length} times`);
  if (hostfile === undefined && host === undefined) {
    const lone = given[0]?.[0] ?? (oversubscribe ? 'oversubscribe' : undefined);
    if (lone) throw new UsageError(`--${lone} is for ranks on hosts that are named: --hostfile FILE or --host a:2,b:2`);
    return {};
  }
  if (hostfile !== undefined && host !== undefined)
    throw new UsageError('--hostfile and --host both say where ranks are; give one of them');
  if (args.kind !== undefined || args.name !== undefined)
    throw new UsageError(
      '--hostfile and --host start engines on hosts, one for each rank; they go without --kind and --name',
    );
  const by = (mapBy ?? 'slot') as Mapping;
  if (!MAPPINGS.includes(by)) throw new UsageError(`--map-by: ${MAPPINGS.join(' or ')}; got '${by}'`);
  const hosts = hostfile === undefined ? parseHostList(host!) : readHostfile(hostfile);
  const engines = args.engines ?? slotsOf(hosts);
  const places = mapRanks(hosts, engines, by, oversubscribe);
  return { engines, launcher: hostLauncher(places, { config, node }) };
}
