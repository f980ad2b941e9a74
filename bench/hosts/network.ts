/**
 * Many hosts on one machine: network namespaces, each with an address of its own, on one bridge that is in a namespace too, so that
 * the machine's own network is not touched. Needs Linux, root, and iproute2.
 */
import { execFileSync, spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';

const PREFIX = 'tutti-bench-';
const MOST = 250;

export interface Network {
  /** Namespaces of hosts, in order; `address` of each is `10.77.0.(i + 2)`. */
  readonly hosts: readonly string[];
  /** Where the controller is to run, at 10.77.0.1. */
  readonly center: string;
  /** Takes the links of hosts down, or up again. */
  cut(hosts: readonly number[]): void;
  restore(hosts: readonly number[]): void;
  close(): void;
}

/** Why there can be no namespaces here; undefined when there can be. */
export function impossible(): string | undefined {
  const name = `${PREFIX}trial-${process.pid}`;
  try {
    execFileSync('ip', ['netns', 'add', name], { stdio: ['ignore', 'ignore', 'pipe'] });
    execFileSync('ip', ['netns', 'delete', name]);
    return undefined;
  } catch (error) {
    const { code, stderr, message } = error as NodeJS.ErrnoException & { stderr?: Buffer };
    if (code === 'ENOENT') return "there is no program 'ip' here: apt-get install iproute2";
    return `network namespaces are not allowed here (they need root): ${stderr?.toString().trim() || message}`;
  }
}

/** They are gone after `close`, and also when this process is killed. */
export function makeNetwork(count: number): Network {
  if (count > MOST) throw new RangeError(`At most ${MOST} hosts, got ${count}`);
  removeLeftovers();
  const base = `${PREFIX}${process.pid}`;
  const hub = `${base}-hub`;
  const center = `${base}-center`;
  const hosts = Array.from({ length: count }, (_, i) => `${base}-${i}`);
  const all = [hub, center, ...hosts];
  // It lives until its input ends, that is as long as this process, whatever ends that.
  const guard = spawn(
    'sh',
    ['-c', `cat >/dev/null; for n in ${all.join(' ')}; do ip netns delete $n 2>/dev/null; done`],
    {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    },
  );
  guard.unref();
  ip(all.map((name) => `netns add ${name}`));
  ip(['link add bridge type bridge', 'link set bridge up'], hub);
  // Links are made inside the hub, and their other ends moved to the hosts.
  ip(
    [center, ...hosts].flatMap((name, i) => [
      `link add link${i} type veth peer name eth0 netns ${name}`,
      `link set link${i} master bridge`,
      `link set link${i} up`,
    ]),
    hub,
  );
  for (const [i, name] of [center, ...hosts].entries())
    ip([`address add 10.77.0.${i + 1}/24 dev eth0`, 'link set eth0 up', 'link set lo up'], name);
  const set = (numbers: readonly number[], state: 'down' | 'up'): void =>
    ip(
      numbers.map((i) => `link set link${i + 1} ${state}`),
      hub,
    );
  return {
    hosts,
    center,
    cut: (numbers) => set(numbers, 'down'),
    restore: (numbers) => set(numbers, 'up'),
    close() {
      ip(all.map((name) => `netns delete ${name}`));
      guard.stdin.end();
    },
  };
}

/** Has this kernel what delays packets? */
export function canDelay(): boolean {
  try {
    tc(['qdisc add dev lo root netem delay 1ms']);
    tc(['qdisc delete dev lo root']);
    return true;
  } catch {
    return false;
  }
}

/** All that hosts send, and what is sent to them. @param delay ms; up to `jitter` more */
export function delayLinks(hosts: readonly string[], hub: string, delay: number, jitter: number): void {
  const netem = `root netem delay ${delay + jitter / 2}ms ${jitter / 2}ms`;
  for (const [i, name] of hosts.entries()) {
    tc([`qdisc add dev eth0 ${netem}`], name);
    tc([`qdisc add dev link${i + 1} ${netem}`], hub);
  }
}

function tc(commands: readonly string[], namespace?: string): void {
  const where = namespace === undefined ? [] : ['-n', namespace];
  execFileSync('tc', [...where, '-batch', '-'], {
    input: `${commands.join('\n')}\n`,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
}

function ip(commands: readonly string[], namespace?: string): void {
  const where = namespace === undefined ? [] : ['-n', namespace];
  execFileSync('ip', [...where, '-batch', '-'], { input: `${commands.join('\n')}\n` });
}

/** Of runs whose guard has been killed as well. */
function removeLeftovers(): void {
  let names: string[] = [];
  try {
    names = readdirSync('/run/netns');
  } catch {
    return; // none was ever made
  }
  const dead = names.filter((name) => {
    const pid = /^tutti-bench-(\d+)-/.exec(name)?.[1];
    if (!pid) return false;
    try {
      process.kill(Number(pid), 0);
      return false;
    } catch {
      return true;
    }
  });
  if (dead.length) ip(dead.map((name) => `netns delete ${name}`));
}
