/** Starting a cluster from a program: a controller in this process (or one of its own), and its engines. */
import { fork } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ConnectionInfo } from '../cluster-info.ts';
import { checkedLauncher, enginesOf, type HostOptions } from '../controller/host-options.ts';
import { LaunchError, UsageError } from '../errors.ts';
import type { Launcher } from '../launch/launcher.ts';
import { HUGE_PAGES } from '../launch/process.ts';
import { programUrl } from '../launch/programs.ts';
import { isLogger, logOptions } from '../log-options.ts';
import type { AnyDefinition } from '../paradigm/paradigm.ts';
import { isStoreUrl } from '../store/stores.ts';
import { decode } from '../wire/codec.ts';
import type { Payload } from '../wire/forms.ts';
import { type Client, type ClientOptions, connectOptions, openClient } from './client.ts';
import {
  checkOptions,
  count,
  flag,
  type Kind,
  type Kinds,
  object,
  objectOf,
  oneOfTexts,
  period,
  text,
  texts,
  textsByName,
} from './options.ts';

export interface ClusterOptions extends Omit<ClientOptions, 'observe'>, HostOptions {
  /** How many engines; default: as many as there are cores, as the machines of `ssh` have places for, as `adaptive` begins with. */
  engines?: number;
  /** Where the controller runs. `'process'`: of its own, so that a client that blocks does not hold it up. */
  controller?: 'embedded' | 'process';
}

export interface Cluster extends Client {
  /** How others join: the addresses that it listens on, and the tokens that let them in. Holds secrets. */
  readonly connection: ConnectionInfo;
  /**
   * Adds or removes engines (the newest first) until there are `n`. Those that go may take `drain` ms (default 60,000) for what they
   * have, and get nothing new meanwhile; tasks left then go to other engines.
   */
  scale(n: number, options?: { drain?: number }): Promise<void>;
  add(count: number, launcher?: 'process' | 'thread' | Launcher): Promise<number[]>;
}

const WHOLE: Kind = { is: '0, 1, 2, …', test: (n) => Number.isSafeInteger(n) && n >= 0 };
const HOSTS: Kind = {
  is: "a text like 'host1:4,host2:4', a file of such, or a list of { host, engines }",
  test: (hosts) =>
    text.test(hosts) ||
    (Array.isArray(hosts) &&
      hosts.length > 0 &&
      hosts.every((one) => objectOf({ host: text, engines: count }, ['host']).test(one))),
};

const OPTIONS: Kinds = {
  engines: WHOLE,
  kind: text,
  launcher: object,
  name: text,
  listen: texts,
  controller: oneOfTexts('embedded', 'process'),
  ssh: objectOf({ hosts: HOSTS, config: text, options: texts, node: text, cwd: text }, ['hosts']),
  slurm: objectOf({ template: text, options: texts, node: text, cwd: text, folder: text }),
  min: WHOLE,
  adaptive: {
    is: '{ min, max, horizon?, calm? }: whole numbers of engines with min <= max, and milliseconds',
    test: (value) =>
      objectOf({ min: WHOLE, max: count, horizon: period, calm: period }, ['min', 'max']).test(value) &&
      value.min <= value.max,
  },
  cwd: text,
  env: textsByName(),
  ...connectOptions,
  beat: period,
  misses: count,
  busyAfter: period,
  lostAfter: period,
  supervised: flag,
  insecure: flag,
  local: flag,
  plugins: texts,
  durable: text,
  standby: flag,
  standingBy: { is: 'a function', test: (told) => typeof told === 'function' },
  log: { is: 'a level, { level, format, file } or a Logger', test: (log) => text.test(log) || object.test(log) },
  metrics: text,
  clientWindow: period,
  limits: object,
  tls: objectOf({ cert: text, key: text, ca: text, mutual: flag }),
  origins: texts,
};

/** Starts a cluster. `close` (or `await using`) stops all of it; engines never outlive the process that started them. */
export async function cluster(options: ClusterOptions = {}): Promise<Cluster> {
  checkOptions('cluster', options, OPTIONS);
  const { controller = 'embedded', output, window, signal, ...rest } = options;
  const { engines = enginesOf(rest, checkedLauncher(rest)), ...host } = rest;
  const { min = engines } = host;
  if (min > engines) throw new UsageError(`min: at least ${min} engines are to start, and only ${engines} are wanted`);
  const clientOptions: ClientOptions = {
    ...(output && { output }),
    ...(window && { window }),
    ...(signal && { signal }),
  };
  const home =
    controller === 'embedded' ? await embedded({ ...host, signal }) : await startController({ ...host, engines: 0 });
  try {
    const client = await openClient(home.info, { ...clientOptions, offer: home.offer });
    const extended = extend(client, home);
    const ids: number[] = await client.link.rpc.ask('add', { count: engines, min });
    await extended.waitForEngines(ids.length);
    return extended;
  } catch (error) {
    await home.stop();
    throw error;
  }
}

/** ms that engines may take for what they have, before they go. */
const DRAIN = 60_000;

interface Home {
  info: ConnectionInfo;
  /** For other processes. */
  outside: ConnectionInfo;
  stop(): Promise<void>;
  /** With a launcher of the caller's own: only where the controller runs in this process. */
  add?(count: number, launcher: Launcher): Promise<number[]>;
  /** What this program uses, a controller in this process may start. */
  offer?(definition: AnyDefinition): void;
}

async function embedded(options: HostOptions): Promise<Home> {
  // A large part of all that there is, which programs do not need that join a cluster.
  const { startHost } = await import('../controller/host.ts');
  const host = await startHost(options);
  return {
    info: host.info,
    stop: host.stop,
    get outside() {
      return host.outside;
    },
    offer: (definition) => host.controller.offers.add(definition),
    add: (count, launcher) => host.fleet.add(count, launcher),
  };
}

function extend(client: Client, home: Home): Cluster {
  const { add, close: leave } = client;
  const close = async (): Promise<void> => {
    await leave();
    await home.stop();
  };
  const extended = Object.assign(client, {
    async add(count: number, launcher?: 'process' | 'thread' | Launcher): Promise<number[]> {
      if (typeof launcher !== 'object') return add(count, launcher);
      if (!home.add)
        throw new UsageError("A launcher of your own needs the controller in this process: controller: 'embedded'");
      try {
        return await home.add(count, launcher);
      } finally {
        await client.status().catch(() => {}); // what has changed comes before any answer
      }
    },
    async scale(n: number, { drain = DRAIN }: { drain?: number } = {}): Promise<void> {
      if (!Number.isInteger(n) || n < 0) throw new UsageError(`scale to 0, 1, 2, … engines; got ${String(n)}`);
      const there = client.engines.filter(({ state }) => state !== 'lost' && state !== 'draining');
      if (n > there.length) await add(n - there.length);
      else
        await client.remove(
          there.slice(n).map(({ id }) => id),
          { drain },
        );
    },
    shutdown: close,
    close,
    [Symbol.asyncDispose]: close,
  });
  // Secrets: whoever prints the client does not print them.
  return Object.defineProperty(extended, 'connection', {
    get: () => home.outside,
    enumerable: false,
  }) as typeof extended & Pick<Cluster, 'connection'>;
}

export interface ControllerBoot extends HostOptions {
  /** Undefined: as many as suit the other options. */
  engines?: number | undefined;
  /** Goes on without us. */
  detached?: boolean;
}

/** `own`: a token that is in no file. */
export type ControllerNews =
  | { ready: ConnectionInfo; own: string; engines: number; metrics: string | undefined }
  | { failed: Payload };

/** Starts a controller as a process of its own. Unless detached, it ends with this process. */
export async function startController(
  boot: ControllerBoot,
): Promise<Home & { pid: number; engines: number; metrics: string | undefined }> {
  const { launcher, log, ...rest } = boot;
  if (launcher || isLogger(log)) {
    const foreign = launcher ? 'launcher' : 'logger';
    throw new UsageError(`A ${foreign} of your own needs the controller in this process: controller: 'embedded'`);
  }
  const { durable, cwd = process.cwd() } = boot;
  // Paths are those of this process, wherever the controller runs.
  const options = {
    ...rest,
    log: logOptions(log),
    cwd,
    durable: durable && (isStoreUrl(durable) ? durable : path.resolve(durable)),
  };
  const child = fork(fileURLToPath(programUrl('controller.js')), [], {
    detached: boot.detached ?? false,
    stdio: ['ignore', boot.detached ? 'ignore' : 'inherit', boot.detached ? 'ignore' : 'inherit', 'ipc'],
    execArgv: [],
    serialization: 'advanced', // keeps the bytes of an error
    env: { ...HUGE_PAGES, ...process.env },
    cwd: boot.detached ? '/' : process.cwd(),
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  try {
    child.send(options);
  } catch (cause) {
    child.kill('SIGKILL');
    throw new UsageError(
      `Options for a controller in a process of its own are plain values: ${(cause as Error).message}`,
      {
        cause,
      },
    );
  }
  const news = await new Promise<ControllerNews>((resolve, reject) => {
    child.once('message', (message) => resolve(message as ControllerNews));
    child.on('error', reject);
    child.once('exit', (code, signal) =>
      reject(new LaunchError(`The controller ended at once (${signal ?? `code ${code}`})`)),
    );
  });
  if ('failed' in news) {
    child.disconnect();
    await exited;
    throw decode(news.failed);
  }
  if (boot.detached) {
    child.disconnect();
    child.unref();
  }
  return {
    pid: child.pid ?? -1,
    info: { ...news.ready, token: news.own },
    outside: news.ready,
    engines: news.engines,
    metrics: news.metrics,
    async stop() {
      if (child.connected) child.disconnect();
      await exited;
    },
  };
}
