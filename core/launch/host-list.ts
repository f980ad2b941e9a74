/** Machines and how many engines each takes: `host1:4,host2:4`, or a hosts file with one a line. */
import { existsSync, readFileSync } from 'node:fs';
import { UsageError } from '../errors.ts';

export interface SshHost {
  /** As ssh takes it: a name of its config file, or `user@host`. */
  readonly host: string;
  /** Engines that it has places for. Default 1. */
  readonly engines?: number;
}

/** @param given a text as above, or the path of a hosts file */
export function parseHosts(given: string): SshHost[] {
  if (existsSync(given)) return parseFile(given);
  return checked(given.split(',').map((piece) => parseHost(piece.trim(), given)));
}

/** `host`, `host:4`, `host 4`, or as MPI's hosts files have it: `host slots=4`. `#` begins a comment. */
function parseFile(file: string): SshHost[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new UsageError(`The hosts file ${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
  const lines = text.split('\n').map((line) => line.replace(/#.*/, '').trim());
  const hosts = lines.flatMap((line, i) => (line ? [parseHost(line, `line ${i + 1} of ${file}: ${line}`)] : []));
  if (!hosts.length) throw new UsageError(`The hosts file ${file} names no host; write one a line, e.g. host1:4`);
  return checked(hosts);
}

function parseHost(piece: string, within: string): SshHost {
  const [, host, engines = '1'] =
    /^((?:[\w.-]+@)?(?:[\w.-]+|\[[\da-f:.]+\]))(?:(?::|\s+(?:slots=)?)(\d{1,4}))?$/i.exec(piece) ?? [];
  if (!host || host.startsWith('-') || engines === '0')
    throw new UsageError(
      `Hosts are named like 'host1:4,user@host2:4', with how many engines each takes; got '${within}'`,
    );
  return { host: host.replace(/\[(.*)\]$/, '$1'), engines: Number(engines) };
}

function checked(hosts: SshHost[]): SshHost[] {
  const names = hosts.map(({ host }) => host);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice) throw new UsageError(`Host ${twice} is named twice; say once how many engines it takes: ${twice}:4`);
  return hosts;
}
