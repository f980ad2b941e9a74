/** A controller with all that belongs to it: its listeners, its folder, its connection file, and the engines it started. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import type { ConnectionInfo } from '../cluster-info.ts';
import { removeConnectionFile, writeConnectionFile } from '../connection-file.ts';
import { UsageError } from '../errors.ts';
import type { Launcher } from '../launch/launcher.ts';
import { processLauncher } from '../launch/process.ts';
import { threadLauncher } from '../launch/thread.ts';
import type { LogWish } from '../log-options.ts';
import { openLog } from '../log-output.ts';
import { keyToken } from '../wire/handshake.ts';
import { answering } from '../wire/rpc.ts';
import { type Listener, listen } from '../wire/transport.ts';
import { Controller } from './controller.ts';
import { Fleet } from './fleet.ts';
import { type Observatory, openObservatory } from './observatory.ts';

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
  /** Lets clients of other processes in, without a name. */
  local?: boolean | undefined;
  /** Allows listeners that others on the network can reach, without encryption. */
  insecure?: boolean | undefined;
  /** A level, where and how to write, or a Logger of your own. Default: `warn`, on stderr. */
  log?: LogWish | undefined;
  /** Serves metrics for Prometheus at this `HOST:PORT`; port 0 takes a free one, which `status()` tells. */
  metrics?: string | undefined;
}

export interface Host {
  readonly controller: Controller;
  readonly fleet: Fleet;
  readonly launcher: Launcher;
  /** Where a client in this process connects. */
  readonly info: ConnectionInfo;
  /** Where clients of other processes connect: what the connection file holds. */
  readonly outside: ConnectionInfo;
  /** Where metrics are served, if they are. */
  readonly metrics: string | undefined;
  /** Resolves when it has stopped, whoever stopped it. */
  readonly stopped: Promise<void>;
  stop(): Promise<void>;
}

const LAUNCHERS = { process: processLauncher, thread: threadLauncher };

export function launcherOf(kind: string): Launcher {
  if (!Object.hasOwn(LAUNCHERS, kind))
    throw new UsageError(`'${kind}' is no kind of engine; kinds: ${Object.keys(LAUNCHERS).join(', ')}`);
  return LAUNCHERS[kind as keyof typeof LAUNCHERS]();
}

export async function startHost(options: HostOptions): Promise<Host> {
  if (options.cwd !== undefined && !statSync(options.cwd, { throwIfNoEntry: false })?.isDirectory()) {
    throw new UsageError(`cwd: ${options.cwd} is no folder`);
  }
  const launcher = options.launcher ?? launcherOf(options.kind ?? 'process');
  if (typeof launcher.launch !== 'function')
    throw new UsageError('launcher is an object with launch(spec), as processLauncher() makes');
  const log = openLog(options.log);
  const beat = options.beat ?? 1_000;
  const controller = new Controller({
    name: options.name ?? 'private',
    beat,
    log: log.logger,
    ...(options.misses && { misses: options.misses }),
  });
  const listeners = new Map<string, Listener>();
  let dir: string | undefined;
  let file: string | undefined;
  const folder = (): string => (dir ??= mkdtempSync(path.join(shortTmpdir(), 'tutti-')));
  const open = async (key: string, url: () => string): Promise<string> => {
    const there = listeners.get(key);
    if (there) return there.url;
    const listener = await listen(url(), (connection) => void controller.accept(connection));
    listeners.set(key, listener);
    return listener.url;
  };
  const local = {
    unix: () => open('unix', () => `unix:${path.join(folder(), 'controller.sock')}`),
    thread: () => open('thread', () => `thread:controller-${randomBytes(8).toString('hex')}`),
    tcp: () => open('tcp', () => 'tcp://127.0.0.1:0'),
  };
  controller.broker.folder = folder;
  const fleet = new Fleet(controller, {
    cwd: options.cwd ?? process.cwd(),
    env: options.env ?? {},
    beat,
    urls: async ({ scheme }) => [await local[scheme]()],
    litter: () => [dir, file].filter((f) => f !== undefined),
  });

  let observatory: Observatory | undefined;
  let stopping: Promise<void> | undefined;
  let onStopped = (): void => {};
  const stopped = new Promise<void>((resolve) => {
    onStopped = resolve;
  });
  const stop = (): Promise<void> => (stopping ??= shutDown().finally(onStopped));
  async function shutDown(): Promise<void> {
    if (file) removeConnectionFile(file);
    await observatory?.close();
    await fleet.close();
    await controller.close();
    await Promise.all([...listeners.values()].map((l) => l.close()));
    if (dir) rmSync(dir, { recursive: true, force: true });
    log.logger.info(`Cluster '${controller.name}' has stopped`);
    log.close();
  }

  try {
    observatory = await openObservatory(controller, options);
    serveRequests(controller, fleet, launcher, observatory, stop); // before anybody can come
    const inline = await open('inline', () => `inline:${randomBytes(8).toString('hex')}`);
    const urls: string[] = options.name !== undefined || options.local ? [await local.unix()] : [];
    for (const url of options.listen ?? []) {
      checkExposure(url, options.insecure ?? false);
      urls.push(await open(url, () => url));
    }
    const token = keyToken(controller.clientKey);
    const outside: ConnectionInfo = {
      name: controller.name,
      urls,
      token,
      engineToken: keyToken(controller.joinKey),
      host: hostname(),
      pid: process.pid,
    };
    if (options.name !== undefined) file = writeConnectionFile(outside);
    log.logger.info(`Cluster '${controller.name}' listens`, {
      host: hostname(),
      urls,
      metrics: observatory.metrics,
    });
    return {
      controller,
      fleet,
      launcher,
      stopped,
      stop,
      outside,
      metrics: observatory.metrics,
      info: { name: controller.name, urls: [inline], token },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function serveRequests(
  controller: Controller,
  fleet: Fleet,
  launcher: Launcher,
  observatory: Observatory,
  stop: () => Promise<void>,
): void {
  Object.assign(controller.requests, {
    status: answering(() => observatory.status()),
    add: answering(({ count, kind }: { count: number; kind?: string }) =>
      fleet.add(count, kind ? launcherOf(kind) : launcher),
    ),
    remove: answering((ids: number[]) => fleet.remove(ids)),
    restart: answering((ids: number[]) => fleet.restart(ids)),
    stop: answering(() => {
      setImmediate(() => void stop()); // the answer first
    }),
  });
}

/** A listener that others can reach would carry code and values in the clear. */
function checkExposure(url: string, insecure: boolean): void {
  if (insecure || !URL.canParse(url)) return; // what is no URL is refused by `listen`
  const { protocol, hostname: host } = new URL(url);
  if (protocol !== 'tcp:' || host === 'localhost' || host === '[::1]' || (isIPv4(host) && host.startsWith('127.')))
    return;
  throw new UsageError(
    `${url} can be reached from other machines, without encryption; listen on 127.0.0.1, or say 'insecure' if the network is yours alone`,
  );
}

/** A unix socket's path holds about 100 bytes; some systems' temporary folders are longer than that. */
function shortTmpdir(): string {
  return tmpdir().length > 60 ? '/tmp' : tmpdir();
}
