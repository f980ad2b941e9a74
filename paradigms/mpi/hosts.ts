/** Machines for ranks as mpiexec is told of them: a hostfile or a list, and which rank is to be where. */
import { readFileSync } from 'node:fs';
import { UsageError } from '../../core/index.ts';

export interface Host {
  /** As ssh takes it. */
  readonly host: string;
  /** Ranks that it takes. */
  readonly slots: number;
  /** With more than it has slots. Default: as many as anybody wants. */
  readonly most: number;
}

export const MAPPINGS = ['slot', 'node'] as const;
export type Mapping = (typeof MAPPINGS)[number];

const HOST = /^(?:[\w.-]+@)?(?:[\w.-]+|\[[\da-f:.]+\])$/i;
const KEYS: Record<string, 'slots' | 'most' | 'user'> = {
  slots: 'slots',
  'max-slots': 'most',
  max_slots: 'most',
  username: 'user',
};

/**
 * One host a line, with `slots=N` (default 1), `max-slots=N`, `username=NAME`; `#` begins a comment. A host that comes again has
 * more slots.
 */
export function readHostfile(file: string): Host[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new UsageError(`The hostfile ${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
  const hosts = text.split('\n').flatMap((line, i) => {
    const said = line.replace(/#.*/, '').trim();
    return said ? [lineOf(said, `line ${i + 1} of ${file}`)] : [];
  });
  if (!hosts.length) throw new UsageError(`The hostfile ${file} names no host; write one a line, e.g. node1 slots=4`);
  return together(hosts);
}

/** `a:2,b:2`, or `a,a,b,b`. */
export function parseHostList(list: string): Host[] {
  return together(
    list.split(',').map((piece) => {
      const [, host = '', slots = '1'] = /^(.*?)(?::(\d+))?$/.exec(piece.trim()) ?? [];
      return hostOf(host, slots, undefined, `--host ${list}`);
    }),
  );
}

function lineOf(said: string, where: string): Host {
  const [host, ...rest] = said.replace(/\s*=\s*/g, '=').split(/\s+/) as [string, ...string[]];
  const found: { slots?: string; most?: string; user?: string } = {};
  for (const word of rest) {
    const [, key = '', value = ''] = /^([^=]+)=(.+)$/.exec(word) ?? [];
    const known = Object.hasOwn(KEYS, key) ? KEYS[key]! : undefined;
    if (!known || found[known] !== undefined)
      throw new UsageError(
        `${where}: '${word}' ${known ? 'comes twice' : 'is not known'}; a line is: host slots=4 max-slots=8 username=me`,
      );
    found[known] = value;
  }
  const { slots = '1', most, user } = found;
  return hostOf(user === undefined ? host : `${user}@${host}`, slots, most, where);
}

function hostOf(host: string, slots: string, most: string | undefined, where: string): Host {
  if (!HOST.test(host) || host.startsWith('-'))
    throw new UsageError(`${where}: '${host}' is no name of a host; write it as ssh takes it: node1, me@node1`);
  const number = (name: string, text: string): number => {
    if (/^\d{1,6}$/.test(text) && Number(text) > 0) return Number(text);
    throw new UsageError(`${where}: ${name} is 1 or more; got '${text}'`);
  };
  const count = number('slots', slots);
  const limit = most === undefined ? Number.POSITIVE_INFINITY : number('max-slots', most);
  if (limit < count) throw new UsageError(`${where}: max-slots is ${limit}, and slots ${count}: it cannot be less`);
  return { host: host.replace(/\[(.*)\]$/, '$1'), slots: count, most: limit };
}

/** Those of one name as one, where it comes first. */
function together(hosts: readonly Host[]): Host[] {
  const byName = new Map<string, Host>();
  for (const { host, slots, most } of hosts) {
    const before = byName.get(host);
    if (!before) byName.set(host, { host, slots, most });
    else
      byName.set(host, { host, slots: before.slots + slots, most: Math.max(before.most, most, before.slots + slots) });
  }
  return [...byName.values()];
}

export function slotsOf(hosts: readonly Host[]): number {
  return hosts.reduce((sum, { slots }) => sum + slots, 0);
}

/**
 * The host of each rank. By slot: a host is filled before the next one begins; by node: each host takes one in turn, as long as it has
 * slots. Beyond the slots, if that is wanted, each in turn takes one more.
 */
export function mapRanks(hosts: readonly Host[], ranks: number, by: Mapping, oversubscribe = false): string[] {
  const total = slotsOf(hosts);
  const room = hosts.reduce((sum, { most }) => sum + most, 0);
  if (ranks > total && !oversubscribe)
    throw new UsageError(
      `${ranks} ranks, and the hosts have ${total} slots; name more, run fewer ranks, or say --oversubscribe`,
    );
  if (ranks > room) throw new UsageError(`${ranks} ranks, and the hosts take ${room} at most (max-slots)`);
  const taken = hosts.map(() => 0);
  const places: string[] = [];
  const turn = (limit: (host: Host) => number, fill: boolean): void => {
    for (const [i, host] of hosts.entries())
      while (places.length < ranks && taken[i]! < limit(host)) {
        taken[i]!++;
        places.push(host.host);
        if (!fill) break;
      }
  };
  if (by === 'slot') turn(({ slots }) => slots, true);
  while (places.length < Math.min(ranks, total)) turn(({ slots }) => slots, false);
  while (places.length < ranks) turn(({ most }) => most, false);
  return places;
}
