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
  // Reading all of a system's authorities at each start of Node takes as long as the rest of it, and nobody here needs them.
  const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
  const run = `hostname "$1" && shift && mount -t tmpfs tmpfs ${PRIVATE} && exec "$0" "$@"`;
  return spawn(
    'ip',
    ['netns', 'exec', namespace, 'unshare', '--uts', 'sh', '-c', run, process.execPath, hostname, ...args],
    { env, ...options },
  );
}
