/** A controller with all that belongs to it, as one tree of services: what it stands on comes first, and goes last. */
import { hostname } from 'node:os';
import type { ConnectionInfo } from '../cluster-info.ts';
import { removeOwnConnectionFile, writeConnectionFile } from '../connection-file.ts';
import type { StoreLockedError } from '../errors.ts';
import type { Launcher } from '../launch/launcher.ts';
import { openLog } from '../log-output.ts';
import type { Service } from '../service/service.ts';
import { serviceTree } from '../service/service-tree.ts';
import { memoryStores } from '../store/memory-store.ts';
import { storesAt } from '../store/stores.ts';
import { keyToken } from '../wire/handshake.ts';
import { answering } from '../wire/rpc.ts';
import { Controller } from './controller.ts';
import { Estate, standBy } from './estate.ts';
import { Fleet } from './fleet.ts';
import { checkedLauncher, type HostOptions, launcherOf } from './host-options.ts';
import { Listeners } from './listeners.ts';
import { type Observatory, openObservatory } from './observatory.ts';
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
  const listeners = new Listeners(folder, (connection) => void controller.accept(connection));
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
  let file: string | undefined;

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
          token: keyToken(controller.keyFor(record)),
          ...(outside.ca !== undefined && { ca: outside.ca }),
        });
      },
      stop: () => controller.close(),
    },
    {
      name: 'fleet',
      start() {
        const urlsOf = async ({ scheme }: Launcher): Promise<string[]> => [await listeners.local(scheme)];
        const litter = (): string[] => [folder.made, file].filter((f) => f !== undefined);
        fleet = new Fleet(controller, { cwd, env, beat, supervised, urls: urlsOf, litter });
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
    starts('requests', () => serveRequests({ controller, fleet, launcher, observatory }, stop)),
    starts('addresses', async () => {
      inline = await listeners.inline();
      const urls: string[] = [];
      if (options.name !== undefined || options.local) urls.push(await listeners.local('unix'));
      const further = await listeners.further({ ...options, tenure: stores.tenure });
      outside = outsideOf(controller, [...urls, ...further.urls], further.ca);
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
  ];
  const services = serviceTree(`cluster ${name}`, members, { log: log.logger });

  let onStopped = (): void => {};
  const stopped = new Promise<void>((resolve) => {
    onStopped = resolve;
  });
  const stop = (): Promise<void> => services.stop().finally(onStopped);
  await services.start();
  const { metrics } = observatory;
  const { host, urls, token } = outside;
  log.logger.info(`Cluster '${name}' listens`, { host, urls, metrics });
  return {
    ...{ controller, fleet, launcher, stopped, stop, outside, metrics, info: { name, urls: [inline], token } },
    get replaced() {
      return successor;
    },
  };
}

const starts = (name: string, start: Service['start']): Service => ({ name, start, stop() {} });
const stops = (name: string, stop: Service['stop']): Service => ({ name, start() {}, stop });

function outsideOf(controller: Controller, urls: string[], ca: string | undefined): ConnectionInfo {
  return {
    name: controller.name,
    urls,
    token: keyToken(controller.clientKey),
    observerToken: keyToken(controller.observerKey),
    engineToken: keyToken(controller.joinKey),
    ...(ca !== undefined && { ca }),
    host: hostname(),
    pid: process.pid,
  };
}

interface Served {
  controller: Controller;
  fleet: Fleet;
  launcher: Launcher;
  observatory: Observatory;
}

function serveRequests({ controller, fleet, launcher, observatory }: Served, stop: () => Promise<void>): void {
  Object.assign(controller.requests, {
    status: answering(() => observatory.status()),
    paradigms: answering(() => controller.paradigms()),
    add: answering(({ count, kind }: { count: number; kind?: string }) =>
      fleet.add(count, kind ? launcherOf(kind) : launcher),
    ),
    remove: answering((ids: number[]) => fleet.remove(ids)),
    restart: answering((ids: number[]) => fleet.restart(ids)),
    stop: answering(() => {
      setImmediate(() => void stop().catch(() => {})); // the answer first; of what fails the log has been told
    }),
  });
}
