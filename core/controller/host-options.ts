/** What a controller with its belongings can be given: by `cluster()`, by the command line. */
import { statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { UsageError } from '../errors.ts';
import type { Launcher } from '../launch/launcher.ts';
import { processLauncher } from '../launch/process.ts';
import { type SlurmOptions, slurm } from '../launch/slurm.ts';
import { type SshOptions, ssh } from '../launch/ssh.ts';
import { threadLauncher } from '../launch/thread.ts';
import type { LogWish } from '../log-options.ts';
import type { TlsOptions } from '../wire/transport.ts';
import type { AdaptiveOptions } from './adaptive.ts';
import type { Limits } from './limits.ts';

export interface HostOptions {
  /** Makes the cluster known under this name, in a connection file. */
  name?: string | undefined;
  /** Further addresses to listen on, for clients and engines from elsewhere. */
  listen?: readonly string[] | undefined;
  kind?: 'process' | 'thread' | undefined;
  launcher?: Launcher | undefined;
  cwd?: string | undefined;
  env?: Record<string, string> | undefined;
  /** ms between heartbeats (default 1,000), and how many may be missed (default 3). */
  beat?: number | undefined;
  misses?: number | undefined;
  /** ms that user code may have an engine's event loop before it is shown as busy (default: one beat). */
  busyAfter?: number | undefined;
  /** ms that an engine may be frozen, its process stopped, before it is given up (default: 10 times `misses` beats). */
  lostAfter?: number | undefined;
  /** Engines with a supervisor: a thread that beats, talks and stops tasks while they are in a loop. Default true. */
  supervised?: boolean | undefined;
  /** Lets clients of other processes in, without a name. */
  local?: boolean | undefined;
  /** Paradigms whose controller halves may run here: packages or modules, looked up from `cwd`. */
  plugins?: readonly string[] | undefined;
  /**
   * A folder for what paradigms keep, or a URL: `nats://host:4222/name`, for JetStream. It then outlives the cluster, and belongs to one controller at a
   * time. Default: memory.
   */
  durable?: string | undefined;
  /** While another controller has what is `durable`: waits for its end, and takes over. Default: that is an error. */
  standby?: boolean | undefined;
  /** Called when it begins to wait, with the pid of the controller that is active. */
  standingBy?: ((pid: number) => void) | undefined;
  /** Ends the waiting. */
  signal?: AbortSignal | undefined;
  /** Allows listeners that others on the network can reach, without encryption. */
  insecure?: boolean | undefined;
  /** ms that a cut-off client may take to come back (default 10,000); after three times that a silent one is cut off. */
  clientWindow?: number | undefined;
  /** What clients and strangers may take of the cluster. */
  limits?: Partial<Limits> | undefined;
  /** A level, where and how to write, or a Logger of your own. Default: `warn`, on stderr. */
  log?: LogWish | undefined;
  /** Serves metrics for Prometheus at this `HOST:PORT`; port 0 takes a free one, which `status()` tells. */
  metrics?: string | undefined;
  /** For `tls:` and `wss:` listeners. Without a certificate the controller makes one, which the connection file then vouches for. */
  tls?: TlsOptions | undefined;
  /** Engines on other machines, by ssh: in place of `launcher`. */
  ssh?: SshOptions | undefined;
  /** Engines as jobs of Slurm: in place of `launcher`. */
  slurm?: SlurmOptions | undefined;
  /** So many engines must start; the cluster does without others that could not. Default: all. */
  min?: number | undefined;
  /** More engines while there is work for them, fewer when there is not. */
  adaptive?: AdaptiveOptions | undefined;
  /** Origins, beside the listener's own, whose web pages may connect by `ws:` and `wss:`. */
  origins?: readonly string[] | undefined;
}

const LAUNCHERS = { process: processLauncher, thread: threadLauncher };

export function launcherOf(kind: string): Launcher {
  if (!Object.hasOwn(LAUNCHERS, kind))
    throw new UsageError(`'${kind}' is no kind of engine; kinds: ${Object.keys(LAUNCHERS).join(', ')}`);
  return LAUNCHERS[kind as keyof typeof LAUNCHERS]();
}

/** How many engines a cluster starts with that is not told. */
export function enginesOf({ adaptive }: HostOptions, { places }: Launcher): number {
  return adaptive?.min ?? places ?? availableParallelism();
}

/** The launcher of these options. Throws UsageError for what could not start anyway, before anything is opened. */
export function checkedLauncher({ cwd, launcher, kind = 'process', ...remote }: HostOptions): Launcher {
  const given = [launcher && 'launcher', remote.ssh && 'ssh', remote.slurm && 'slurm'].filter(
    (one) => one !== undefined,
  );
  if (given.length > 1)
    throw new UsageError(`${given.join(' and ')} each say how engines are started; give one of them`);
  if (cwd !== undefined && !statSync(cwd, { throwIfNoEntry: false })?.isDirectory())
    throw new UsageError(`cwd: ${cwd} is no folder`);
  const chosen =
    launcher ?? (remote.ssh && ssh(remote.ssh)) ?? (remote.slurm && slurm(remote.slurm)) ?? launcherOf(kind);
  if (typeof chosen.launch !== 'function')
    throw new UsageError('launcher is an object with launch(spec), as processLauncher() makes');
  return chosen;
}
