/** A controller with all that belongs to it, as one tree of services: what it stands on comes first, and goes last. */
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import type { ConnectionInfo } from '../cluster-info.ts';
import { removeOwnConnectionFile, replaceConnectionFile, writeConnectionFile } from '../connection-file.ts';
import { type StoreLockedError, UsageError } from '../errors.ts';
import type { Launcher } from '../launch/launcher.ts';
import { openLog } from '../log-output.ts';
import type { Service } from '../service/service.ts';
import { serviceTree } from '../service/service-tree.ts';
import { memoryStores } from '../store/memory-store.ts';
import { storesAt } from '../store/stores.ts';
import { keyToken } from '../wire/handshake.ts';
import { isLoopback } from '../wire/loopback.ts';
import { answering } from '../wire/rpc.ts';
import { adaptFleet } from './adaptation.ts';
import { Controller } from './controller.ts';
import { Estate, standBy } from './estate.ts';
import { type Door, Fleet } from './fleet.ts';
import { checkedLauncher, type HostOptions, launcherOf } from './host-options.ts';
import { Listeners } from './listeners.ts';
import { type Observatory, openObservatory } from './observatory.ts';
import type { Credentials } from './public-listeners.ts';
import type { EngineRecord } from './registry.ts';
import { Rotation } from './rotation.ts';
import { SocketFolder } from './socket-folder.ts';

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
  /** Why it has stopped by itself: another controller has taken over. */
  readonly replaced: Error | undefined;
  stop(): Promise<void>;
}

/** Rejects with what could not be started, and leaves nothing of it behind. */
export async function startHost(options: HostOptions): Promise<Host> {
  const launcher = checkedLauncher(options);
  const { name = 'private', cwd = process.cwd(), env = {}, beat = 1_000, durable, supervised = true } = options;
  const stores = durable === undefined ? memoryStores() : storesAt(durable);
  const log = openLog(options.log);
  const folder = new SocketFolder();
  const listeners = new Listeners({
    folder,
    accept: (connection) => void controller.accept(connection),
    authorities: () => controller.authorities,
    refused: (remote, reason) => log.logger.warn('turned a peer away', { remote, reason }),
  });
  let controller!: Controller;
  let fleet!: Fleet;
  let observatory!: Observatory;
  let inline!: string;
  let outside!: ConnectionInfo;
  let estate!: Estate;
  let successor: Error | undefined;
  const waiting = ({ pid }: StoreLockedError): void => {
    log.logger.info('Standing by while another controller is active', { active: pid });
    options.standingBy?.(pid);
  };
  const replaced = (error: Error): void => {
    successor = error;
    log.logger.error(`This controller stops: ${error.message}`);
    void stop().catch(() => {});
  };
  let further: string[] = [];
  let local: string[] = [];
  let rotation!: Rotation;
  let adapting: { stop(): void } | undefined;
  let file: string | undefined;
  const publish = (): void => {
    outside = outsideOf(controller, [...local, ...further], listeners.credentials);
    if (file) replaceConnectionFile(file, outside);
    estate.keep(controller.keys);
  };
  /** Other machines start engines, and nobody has said where they are to come: anywhere, encrypted. */
  const listen = launcher.scheme === 'network' && !options.listen?.length ? [ANYWHERE] : options.listen;

  const members: Service[] = [
    stops('log', () => {
      log.logger.info(`Cluster '${name}' has stopped`);
      log.close();
    }),
    {
      name: 'stores',
      // Whether its folder can be used is asked now, and not when the first paradigm comes.
      async start() {
        if (options.standby) await standBy(stores, { log: log.logger, signal: options.signal, waits: waiting });
        estate = await Estate.open(stores, log.logger);
        void stores.tenure?.lost.then((error) => replaced(error));
      },
      stop: () => stores.close(),
    },
    stops('folder', () => folder.remove()),
    stops('listeners', () => listeners.close()),
    {
      name: 'controller',
      start() {
        const { misses, busyAfter, lostAfter, clientWindow, limits } = options;
        controller = new Controller({
          ...{
            name,
            beat,
            busyAfter,
            lostAfter,
            clientWindow,
            limits,
            stores,
            durable: durable !== undefined,
            keys: estate.keys,
            used: (paradigm: string) => durable !== undefined && estate.use(paradigm),
            log: log.logger,
          },
          ...(misses && { misses }),
        });
        controller.broker.folder = () => folder.path;
        controller.broker.meeting = () => outside.urls.find((url) => url.startsWith('nats:'));
        controller.broker.nested = async (record) => ({
          name,
          urls: record.info.host === hostname() ? [await listeners.local('unix')] : outside.urls,
          token: keyToken(controller.keys.nested(record)),
          ...listeners.credentials,
        });
        controller.broker.address = () => networkHost(further);
        controller.broker.authorities = controller.authorities;
        rotation = new Rotation(controller, listeners, publish);
      },
      stop() {
        rotation.stop();
        return controller.close();
      },
    },
    {
      name: 'fleet',
      start() {
        const door = async ({ kind, scheme }: Launcher): Promise<Door> => {
          if (scheme !== 'network') return { urls: [await listeners.local(scheme)] };
          if (further.length) return { urls: further, ...listeners.credentials };
          throw new UsageError(
            `Engines of kind ${kind} come from other machines; give an address for them: listen: ['tls://0.0.0.0:7777']`,
          );
        };
        const litter = (): string[] => [folder.made, file].filter((f) => f !== undefined);
        const revoke = (record: EngineRecord): void => rotation.revoke(record);
        fleet = new Fleet(controller, { cwd, env, beat, supervised, door, litter, revoke });
        controller.conversations.restart = (id) => fleet.restart([id]);
        controller.restartEngines = (ids) => fleet.restart(ids);
      },
      stop: () => fleet.close(),
    },
    starts('plug-ins', async () => {
      for (const plugin of options.plugins ?? [])
        await controller.offers.load(plugin, cwd).then(
          () => log.logger.info(`Plug-in ${plugin} is loaded`),
          (error: Error) => log.logger.error(error.message),
        );
    }),
    starts('paradigms that go on', () => controller.goOn(estate.used)),
    // Before anybody can come.
    {
      name: 'observatory',
      async start() {
        observatory = await openObservatory(controller, options);
      },
      stop: () => observatory.close(),
    },
    // Before anybody can come.
    starts('requests', () => serveRequests({ controller, fleet, launcher, observatory, rotation }, stop)),
    starts('addresses', async () => {
      inline = await listeners.inline();
      if (options.name !== undefined || options.local) local = [await listeners.local('unix')];
      further = await listeners.further({ ...options, listen, tenure: stores.tenure });
      publish();
    }),
    {
      name: 'connection file',
      start() {
        if (options.name !== undefined) file = writeConnectionFile(outside, stores.tenure !== undefined);
      },
      stop() {
        if (file) removeOwnConnectionFile(file);
      },
    },
    {
      name: 'adaptation',
      start() {
        if (options.adaptive) adapting = adaptFleet(options.adaptive, { controller, fleet, launcher, beat });
      },
      stop: () => adapting?.stop(),
    },
  ];
  const services = serviceTree(`cluster ${name}`, members, { log: log.logger });

  let onStopped = (): void => {};
  const stopped = new Promise<void>((resolve) => {
    onStopped = resolve;
  });
  const stop = (): Promise<void> => services.stop().finally(onStopped);
  await services.start();
  const { metrics } = observatory;
  const { host, urls } = outside;
  log.logger.info(`Cluster '${name}' listens`, { host, urls, metrics });
  return {
    controller,
    fleet,
    launcher,
    stopped,
    stop,
    get outside() {
      return outside;
    },
    get replaced() {
      return successor;
    },
    metrics,
    info: { name, urls: [inline], token: keyToken(controller.keys.own) },
  };
}

const ANYWHERE = 'tls://0.0.0.0:0';
const starts = (name: string, start: Service['start']): Service => ({ name, start, stop() {} });
const stops = (name: string, stop: Service['stop']): Service => ({ name, start() {}, stop });

/** By which of its addresses other machines reach this one; rather a number, which can be listened on, than a name. */
function networkHost(urls: readonly string[]): string | undefined {
  const hosts = urls.map((url) => new URL(url).hostname).filter((host) => host && !isLoopback(host));
  return hosts.find((host) => isIP(host.replace(/^\[(.*)\]$/, '$1'))) ?? hosts[0];
}

function outsideOf(controller: Controller, urls: string[], credentials: Credentials): ConnectionInfo {
  return {
    name: controller.name,
    urls,
    token: keyToken(controller.keys.client),
    observerToken: keyToken(controller.keys.observer),
    engineToken: keyToken(controller.keys.join),
    ...credentials,
    host: hostname(),
    pid: process.pid,
  };
}

interface Served {
  controller: Controller;
  fleet: Fleet;
  launcher: Launcher;
  observatory: Observatory;
  rotation: Rotation;
}

function serveRequests(
  { controller, fleet, launcher, observatory, rotation }: Served,
  stop: () => Promise<void>,
): void {
  Object.assign(controller.requests, {
    status: answering(() => observatory.status()),
    paradigms: answering(() => controller.paradigms()),
    add: answering(({ count, kind, min }: { count: number; kind?: string; min?: number }) =>
      fleet.add(count, kind ? launcherOf(kind) : launcher, min),
    ),
    remove: answering((wish: number[] | { engines: number[]; drain: number }) =>
      Array.isArray(wish) ? fleet.remove(wish) : fleet.remove(wish.engines, wish.drain),
    ),
    revoke: answering((ids: number[]) => fleet.revoke(ids)),
    rotate: answering((wish: { grace?: number; authority?: boolean }) => rotation.rotate(wish)),
    restart: answering((ids: number[]) => fleet.restart(ids)),
    stop: answering(() => {
      setImmediate(() => void stop().catch(() => {})); // the answer first; of what fails the log has been told
    }),
  });
}
