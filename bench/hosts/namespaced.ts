/** Programs in network namespaces: each on a host of its own, as far as it can see. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';

/** A folder of each host's own. */
export const PRIVATE = '/mnt';

/** Runs node there, with these arguments; the process becomes the program, and keeps its pid. */
export function spawnIn(
  namespace: string,
  hostname: string,
  args: readonly string[],
  options: SpawnOptions,
): ChildProcess {
  const run = `hostname "$1" && shift && mount -t tmpfs tmpfs ${PRIVATE} && exec "$0" "$@"`;
  return spawn(
    'ip',
    ['netns', 'exec', namespace, 'unshare', '--uts', 'sh', '-c', run, process.execPath, hostname, ...args],
    options,
  );
}
