/** Programs in network namespaces: each on a host of its own, as far as it can see. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';

/** Runs node there, with these arguments; the process is `ip`'s own, so its pid is the program's. */
export function spawnIn(
  namespace: string,
  hostname: string,
  args: readonly string[],
  options: SpawnOptions,
): ChildProcess {
  const run = 'hostname "$1" && shift && exec "$0" "$@"';
  return spawn(
    'ip',
    ['netns', 'exec', namespace, 'unshare', '--uts', 'sh', '-c', run, process.execPath, hostname, ...args],
    options,
  );
}
