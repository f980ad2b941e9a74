/** Starting a cluster from a program: a controller in this process (or one of its own), and its engines. */
import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { filter, firstValueFrom } from 'rxjs';
import type { ConnectionInfo } from '../cluster-info.ts';
import { type HostOptions, startHost } from '../controller/host.ts';
import { LaunchError, TransportError, TuttiError, UsageError } from '../errors.ts';
import type { Launcher } from '../launch/launcher.ts';
import { HUGE_PAGES } from '../launch/process.ts';
import { programUrl } from '../launch/programs.ts';
import { type Client, type ClientOptions, openClient } from './client.ts';
import { checkOptions } from './options.ts';

export interface ClusterOptions extends Omit<ClientOptions, 'observe'>, Omit<HostOptions, 'log'> {
  /** How many engines; default: as many as there are cores. */
  engines?: number;
  /** Where the controller runs. `'process'`: of its own, so that a client that blocks does not hold it up. */
  controller?: 'embedded' | 'process';
}

export interface Cluster extends Client {
  /** Adds or removes engines (the newest first) until there are `n`. */
  scale(n: number): Promise<void>;
  add(count: number, launcher?: 'process' | 'thread' | Launcher): Promise<number[]>;
}

const OPTIONS =
  'engines kind launcher name listen controller cwd env output signal window beat misses insecure local clientWindow limits'.split(
    ' ',
  );

/** Starts a cluster. `close` (or `await using`) stops all of it; engines never outlive the process that started them. */
export async function cluster(options: ClusterOptions = {}): Promise<Cluster> {
  checkOptions('cluster', options, OPTIONS);
  const { engines = availableParallelism(), controller = 'embedded', output, window, signal, ...host } = options;
  if (!Number.isInteger(engines) || engines < 0)
    throw new UsageError(`engines must be 0, 1, 2, …; got ${String(engines)}`);
  if (controller !== 'embedded' && controller !== 'process')
    throw new UsageError(`controller is 'embedded' or 'process', not '${String(controller)}'`);
  const clientOptions: ClientOptions = {
    ...(output && { output }),
    ...(window && { window }),
    ...(signal && { signal }),
  };
  const home = controller === 'embedded' ? await embedded(host) : await startController({ ...host, engines: 0 });
  try {
    const client = await openClient(home.info, clientOptions);
    const extended = extend(client, home);
    await extended.add(engines);
    await extended.waitForEngines(engines);
    return extended;
  } catch (error) {
    await home.stop();
    throw error;
  }
}

interface Home {
  info: ConnectionInfo;
  stop(): Promise<void>;
  /** With a launcher of the caller's own: only where the controller runs in this process. */
  add?(count: number, launcher: Launcher): Promise<number[]>;
}

async function embedded(options: HostOptions): Promise<Home> {
  const host = await startHost(options);
  return { info: host.info, stop: host.stop, add: (count, launcher) => host.fleet.add(count, launcher) };
}

function extend(client: Client, home: Home): Cluster {
  const { add, close: leave } = client;
  const close = async (): Promise<void> => {
    await leave();
    await home.stop();
  };
  return Object.assign(client, {
    async add(count: number, launcher?: 'process' | 'thread' | Launcher): Promise<number[]> {
      if (typeof launcher !== 'object') return add(count, launcher);
      if (!home.add)
        throw new UsageError("A launcher of your own needs the controller in this process: controller: 'embedded'");
      const ids = await home.add(count, launcher);
      const known = client.engines$.pipe(filter((engines) => ids.every((id) => engines.some((e) => e.id === id))));
      await firstValueFrom(known);
      return ids;
    },
    async scale(n: number): Promise<void> {
      if (!Number.isInteger(n) || n < 0) throw new UsageError(`scale to 0, 1, 2, … engines; got ${String(n)}`);
      const ids = client.engines.filter((engine) => engine.state !== 'lost').map((engine) => engine.id);
      if (n > ids.length) await add(n - ids.length);
      else await client.remove(ids.slice(n));
    },
    shutdown: close,
    close,
    [Symbol.asyncDispose]: close,
  });
}

export interface ControllerBoot extends HostOptions {
  engines: number;
  /** Goes on without us. */
  detached?: boolean;
}

/** What can keep a controller from starting, by its error's code. */
const REASONS: Record<string, typeof TuttiError> = {
  USAGE: UsageError,
  LAUNCH: LaunchError,
  TRANSPORT: TransportError,
};

export type ControllerNews = { ready: ConnectionInfo } | { failed: string; code: string };

/** Starts a controller as a process of its own. Unless detached, it ends with this process. */
export async function startController(boot: ControllerBoot): Promise<Home & { pid: number }> {
  if (boot.launcher)
    throw new UsageError("A launcher of your own needs the controller in this process: controller: 'embedded'");
  const child = fork(fileURLToPath(programUrl('controller.js')), [], {
    detached: boot.detached ?? false,
    stdio: ['ignore', boot.detached ? 'ignore' : 'inherit', boot.detached ? 'ignore' : 'inherit', 'ipc'],
    execArgv: [],
    env: { ...HUGE_PAGES, ...process.env },
    cwd: boot.detached ? '/' : process.cwd(),
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.send({ ...boot, cwd: boot.cwd ?? process.cwd() });
  const news = await new Promise<ControllerNews>((resolve, reject) => {
    child.once('message', (message) => resolve(message as ControllerNews));
    child.once('error', reject);
    child.once('exit', (code, signal) =>
      reject(new LaunchError(`The controller ended at once (${signal ?? `code ${code}`})`)),
    );
  });
  if ('failed' in news) {
    await exited;
    throw new (REASONS[news.code] ?? TuttiError)(news.failed);
  }
  if (boot.detached) {
    child.disconnect();
    child.unref();
  }
  return {
    pid: child.pid ?? -1,
    info: news.ready,
    async stop() {
      if (child.connected) child.disconnect();
      await exited;
    },
  };
}
