/**
 * Engines on other machines, by the system's ssh: what a user has in its config (names, users, ports, jump hosts, agents) is how
 * they are reached. One connection a machine, on which an agent starts its engines; they need nothing but Node there.
 */
import { spawn } from 'node:child_process';
import { AgentLine } from './agent-line.ts';
import { agentCommand, OLD_NODE } from './agent-program.ts';
import { parseHosts, type SshHost } from './host-list.ts';
import type { EngineHandle, EngineSpec, Launcher } from './launcher.ts';

export interface SshOptions {
  /** `'host1:4,user@host2:4'`, the path of a hosts file, or a list. */
  hosts: string | readonly SshHost[];
  /** A config file in place of the user's own: `ssh -F`. */
  config?: string | undefined;
  /** Further options of ssh, e.g. `['-p', '2222']`. */
  options?: readonly string[] | undefined;
  /** Node on those machines, where it is not on the PATH. */
  node?: string | undefined;
  /** Working directory there. Default: that of the cluster, where there is such a folder, or the home. */
  cwd?: string | undefined;
}

/**
 * Nobody is there to be asked for a password. Machines that have gone are noticed within a minute. What users say in `options`
 * comes before, and so counts.
 */
const DEFAULTS = ['BatchMode=yes', 'ConnectTimeout=10', 'ServerAliveInterval=15', 'ServerAliveCountMax=4'];
/** Engines of one machine that start at a time. */
const AT_ONCE = 4;
/** ms after which a machine that could not be reached is tried again. */
const AGAIN = 10_000;

/** @throws UsageError for hosts that make no sense. */
export function ssh(options: SshOptions): Launcher {
  const hosts = typeof options.hosts === 'string' ? parseHosts(options.hosts) : options.hosts;
  const sites = hosts.map((host) => new Site(host, options));
  return {
    kind: 'ssh',
    scheme: 'network',
    atOnce: AT_ONCE * sites.length,
    places: sites.reduce((sum, { places }) => sum + places, 0),
    launch: (spec, tell = () => {}) => roomiest(sites).launch(spec, tell),
    close: async () => void (await Promise.all(sites.map((site) => site.close()))),
  };
}

/** One with a place that is free, if there is one, and rather one that was reached. */
function roomiest(sites: readonly Site[]): Site {
  const free = sites.filter(({ share }) => share < 1);
  const reached = free.filter(({ unreachable }) => !unreachable);
  const from = reached.length ? reached : free.length ? free : sites;
  return from.reduce((best, site) => (site.share < best.share ? site : best));
}

class Site {
  readonly places: number;
  #host: string;
  #options: SshOptions;
  #line: AgentLine | undefined;
  #failed = Number.NEGATIVE_INFINITY;
  #engines = 0;

  constructor({ host, engines = 1 }: SshHost, options: SshOptions) {
    this.#host = host;
    this.places = engines;
    this.#options = options;
  }

  get share(): number {
    return this.#engines / this.places;
  }

  get unreachable(): boolean {
    return performance.now() - this.#failed < AGAIN;
  }

  launch(spec: EngineSpec, tell: (warning: string) => void): EngineHandle {
    // For a while it stays known that it cannot be reached; one that was lost is tried again at once.
    if (!this.#line || (this.#line.failure && !this.unreachable)) this.#line = this.#open(tell);
    const { cwd = spec.cwd } = this.#options;
    this.#engines++;
    const handle = this.#line.launch({ ...spec, cwd, kind: 'ssh' });
    void handle.exited.then(() => this.#engines--);
    return handle;
  }

  async close(): Promise<void> {
    await this.#line?.close();
  }

  #open(warn: (text: string) => void): AgentLine {
    const { config, options = [], node = 'node' } = this.#options;
    const args = [
      ...(config === undefined ? [] : ['-F', config]),
      ...options,
      ...DEFAULTS.flatMap((option) => ['-o', option]),
      '-T',
      this.#host,
      agentCommand(node),
    ];
    const line = new AgentLine(spawn('ssh', args, { stdio: ['pipe', 'pipe', 'pipe'] }), {
      host: this.#host,
      warn,
      reason: (exit) => why(this.#host, node, exit),
    });
    void line.ended.then(() => {
      if (!line.here) this.#failed = performance.now();
    });
    return line;
  }
}

/** What ssh says when it fails for a known reason, and what to do about it. */
const ADVICE: readonly [RegExp, string][] = [
  [
    /host key verification failed/i,
    'its host key is not known here: compare it and log in once by hand, or have its key put into known_hosts',
  ],
  [/permission denied/i, 'no key of yours lets you in: ssh-add, ssh-copy-id, or an IdentityFile in ~/.ssh/config'],
  [/could not resolve/i, 'its name is not known'],
  [/connection refused/i, 'no sshd listens there'],
  [/timed out|no route|unreachable/i, 'it cannot be reached'],
];

function why(
  host: string,
  node: string,
  { exitCode, signal, printed }: { exitCode: number | null; signal: string | null; printed: string },
): string {
  const said = printed && `; it printed: ${printed}`;
  if (exitCode === OLD_NODE) return `${host} has a Node that is too old${said}`;
  if (exitCode === 127 || exitCode === 126)
    return `${host} has no program '${node}' on the PATH of a login without a terminal; say where Node is (node, --node)${said}`;
  if (signal) return `the ssh connection to ${host} was ended by ${signal}`;
  if (exitCode !== 255) return `the agent on ${host} has ended with code ${exitCode}${said}`;
  const advice = ADVICE.find(([pattern]) => pattern.test(printed))?.[1];
  return `ssh to ${host} failed: ${advice ?? 'the connection was lost'}${said}`;
}
