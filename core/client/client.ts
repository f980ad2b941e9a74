/** A client of a cluster: a program, the console, a test. Several can share one cluster. */
import type { Observable } from 'rxjs';
import type { ClusterEvent, ClusterParadigms, ConnectionInfo, EngineInfo } from '../cluster-info.ts';
import type { ClusterStatus } from '../cluster-status.ts';
import type { InterruptOutcome, TaskInfo } from '../conversation.ts';
import { LONGEST_DELAY } from '../deferred/clock.ts';
import { InvalidTargetError, LaunchError, TimeoutError, UsageError } from '../errors.ts';
import type { Paradigm } from '../paradigm/paradigm.ts';
import { lineEcho, type PrintedLines } from './echo.ts';
import { Link, type LinkOptions } from './link.ts';
import { checkOptions, flag, type Kinds, period, signal, timeout } from './options.ts';
import { taskHandle } from './task-handle.ts';
import { createView } from './view.ts';
import type { EngineView, View } from './view-types.ts';

export interface Client extends AsyncDisposable {
  /** The cluster's name. */
  readonly name: string;
  readonly engines: readonly EngineInfo[];
  /** The engines now, and at each change. */
  readonly engines$: Observable<readonly EngineInfo[]>;
  readonly events$: Observable<ClusterEvent>;
  /** Bytes of this client's connection. */
  readonly traffic: { sent: number; received: number };
  /** Every engine there is at the time of each call. */
  readonly all: View;
  /** Some engines, by id or by a test that is asked at each call. Throws InvalidTargetError for an unknown id. */
  view(targets: readonly number[] | ((engine: EngineInfo) => boolean)): View;
  /** One engine: its results are scalars. */
  engine(id: number): EngineView;
  /**
   * A paradigm's API in this client: `client.use(taskFarm)`. Options follow: `client.use(tupleSpace, { name: 'jobs' })`.
   * @throws ParadigmError when the plug-in itself is at fault. What the cluster says of it (not installed, another version) comes
   * with the first thing that is asked of it.
   */
  use<A, O extends unknown[]>(paradigm: (...options: O) => Paradigm<A>, ...options: O): A;
  /** Resolves when at least `n` engines are there. */
  waitForEngines(n: number, options?: { signal?: AbortSignal; timeout?: number }): Promise<void>;
  /** What the controller says of itself and its engines, with the numbers that its metrics show. */
  status(): Promise<ClusterStatus>;
  /** Paradigms that can be used in this cluster, with their versions, and plug-ins of its start list that failed to load. */
  paradigms(): Promise<ClusterParadigms>;
  /** What runs and waits in the cluster now, of all clients. */
  tasks(): Promise<TaskInfo[]>;
  /** A task of any client, by its id as `tasks` and `AsyncResult.id` tell it: to talk to it. */
  task(id: string): TaskHandle;
  /** Starts engines, ends them, or starts them anew; resolves when that is done. */
  add(count: number, kind?: 'process' | 'thread'): Promise<number[]>;
  /** `drain`: ms that they may take for what they have; they get nothing new meanwhile, and tasks left then go to other engines. Default 0. */
  remove(engines: readonly number[], options?: { drain?: number }): Promise<void>;
  /** Ends engines that are not to be trusted any more: their keys open nothing from now on, and their ids retire. */
  revoke(engines: readonly number[]): Promise<void>;
  /**
   * New keys for clients, observers, and engines that are to join, new ones for each engine, and new certificates for `tls:` and
   * `wss:` listeners and those who dial them; the connection file then has the new ones. The old keys let in for `grace` ms more
   * (default 0), then who came with them is sent away. With `authority` the authority that signs is another one as well, and the one
   * before is trusted for as long.
   * @throws UsageError when the listeners have certificates of their user's own.
   */
  rotateKeys(options?: { grace?: number; authority?: boolean }): Promise<void>;
  restart(engines: readonly number[]): Promise<void>;
  /** Stops the whole cluster, whoever started it. */
  shutdown(): Promise<void>;
  /** Leaves the cluster; of `cluster()`: stops what it started. Closing twice is fine. */
  close(): Promise<void>;
  /** Resolves when the connection is gone for good, with what pending calls were rejected with: SessionLostError, which says why. */
  readonly closed: Promise<Error>;
}

/** A task that runs, whoever's it is. */
export interface TaskHandle {
  /** Stops it on every engine where it has not ended; its owner sees InterruptedError. */
  interrupt(reason?: string): Promise<InterruptOutcome[]>;
  /** One value for each engine where it runs; as `AsyncResult.peek`. */
  peek(expression: string): Promise<unknown[]>;
  /** To all engines where it runs, or to one. Throws CannotTravelError; rejects with NotOnStackError when it has ended. */
  send(message: unknown, engine?: number): Promise<void>;
}

export interface ClientOptions extends Pick<LinkOptions, 'window' | 'signal' | 'observe' | 'tls'> {
  /**
   * What engines print and no `stdout$` takes: `'inherit'` (default) prints it here, each line with `[engine] `; `'ignore'` drops it;
   * a function gets it, in whole lines.
   */
  output?: 'inherit' | 'ignore' | ((printed: PrintedLines) => void);
}

/** What can be said of them by whoever starts a cluster or joins one. */
export const connectOptions = {
  output: {
    is: "'inherit', 'ignore' or a function",
    test: (output) => output === 'inherit' || output === 'ignore' || typeof output === 'function',
  },
  window: period,
  signal,
} satisfies Kinds;

export async function openClient(
  info: ConnectionInfo,
  options: ClientOptions & Pick<LinkOptions, 'offer'> = {},
): Promise<Client & { link: Link }> {
  const { output = 'inherit', ...rest } = options;
  const link = await Link.open(info, { ...rest, echo: echoOf(output) });
  const there = (): EngineInfo[] => link.news.engines.filter((e) => e.state !== 'lost' && e.state !== 'draining');
  const known = (ids: readonly number[]): number[] => {
    if (!Array.isArray(ids)) throw new UsageError(`Engines are named by a list of ids, e.g. [0, 2]; got ${typeof ids}`);
    for (const id of ids) {
      if (typeof id !== 'number')
        throw new InvalidTargetError(`An engine's id is a number; got ${typeof id} '${String(id)}'`);
      if (link.news.engines.some((e) => e.id === id)) continue;
      throw new InvalidTargetError(
        `There is no engine ${id}; engines here: ${link.news.engines.map((e) => e.id).join(', ') || 'none'}`,
      );
    }
    return [...ids];
  };
  const base = { link, single: false, options: {} };

  const client: Client & { link: Link } = {
    link,
    get name() {
      return link.name;
    },
    get engines() {
      return link.news.engines;
    },
    engines$: link.news.engines$,
    events$: link.news.events$,
    get traffic() {
      return link.traffic;
    },
    all: createView({ ...base, targets: () => there().map((e) => e.id) }),
    view(targets) {
      if (typeof targets === 'function')
        return createView({
          ...base,
          targets: () =>
            there()
              .filter(targets)
              .map((e) => e.id),
        });
      if (!Array.isArray(targets))
        throw new UsageError('view takes a list of engine ids, or a function that picks engines');
      if (new Set(targets).size !== targets.length)
        throw new InvalidTargetError(`An engine is named twice in [${targets.join(', ')}]`);
      const ids = known(targets);
      return createView({ ...base, targets: () => known(ids) });
    },
    engine(id) {
      known([id]);
      return createView({ ...base, single: true, targets: () => known([id]) });
    },
    use: (paradigm, ...options) => link.paradigms.use(client, paradigm, options),
    waitForEngines: (n, options) => waitForEngines(link, n, options),
    status: () => link.rpc.ask('status'),
    paradigms: () => link.rpc.ask('paradigms'),
    tasks: () => link.rpc.ask('tasks'),
    task: (id) => taskHandle(link, id),
    add: (count, kind) => link.rpc.ask('add', { count, kind }),
    remove: (engines, options = {}) => {
      checkOptions('remove', options, REMOVING);
      const { drain } = options;
      return link.rpc.ask('remove', drain === undefined ? known(engines) : { engines: known(engines), drain });
    },
    revoke: (engines) => link.rpc.ask('revoke', known(engines)),
    rotateKeys: (options = {}) => {
      checkOptions('rotateKeys', options, ROTATING);
      return link.rpc.ask('rotate', options);
    },
    restart: (engines) => link.rpc.ask('restart', known(engines)),
    shutdown: async () => {
      await link.rpc.ask('stop');
      await link.close();
    },
    close: () => link.close(),
    closed: link.closed,
    [Symbol.asyncDispose]: () => link.close(),
  };
  return client;
}

function echoOf(output: NonNullable<ClientOptions['output']>) {
  if (output === 'ignore') return undefined;
  return output === 'inherit' ? lineEcho() : lineEcho(output);
}

const WAITING: Kinds = { signal, timeout };
const REMOVING: Kinds = { drain: timeout };
const ROTATING: Kinds = { grace: timeout, authority: flag };

async function waitForEngines(
  link: Link,
  n: number,
  options: { signal?: AbortSignal; timeout?: number } = {},
): Promise<void> {
  checkOptions('waitForEngines', options, WAITING);
  const { signal, timeout = Number.POSITIVE_INFINITY } = options;
  if (!(typeof n === 'number' && n >= 0))
    throw new UsageError(`waitForEngines takes how many: 0, 1, 2, …; got ${String(n)}`);
  return new Promise((resolve, reject) => {
    const there = (): number => link.news.engines.filter((e) => e.state !== 'lost').length;
    if (there() >= n) return resolve();
    if (signal?.aborted) return reject(signal.reason);
    const finish = (settle: () => void): void => {
      subscription.unsubscribe();
      signal?.removeEventListener('abort', abort);
      clearTimeout(timer);
      settle();
    };
    const abort = (): void => finish(() => reject(signal?.reason));
    const late = (): void =>
      finish(() => reject(new TimeoutError(`Waited ${timeout} ms for ${n} engines; there are ${there()}`)));
    const timer = timeout > LONGEST_DELAY ? undefined : setTimeout(late, timeout);
    signal?.addEventListener('abort', abort, { once: true });
    const subscription = link.news.engines$.subscribe({
      next: () => there() >= n && finish(resolve),
      complete: () => finish(() => reject(new LaunchError(`The cluster has gone before it had ${n} engines`))),
    });
  });
}
