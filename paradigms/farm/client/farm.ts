/** What `client.use(taskFarm)` gives: functions with arguments go out, and whichever engine has time runs them. */
import { Observable } from 'rxjs';
import {
  type AsyncResult,
  type ClientHost,
  DependencyError,
  type Fn,
  type PendingResult,
  type SendableArgs,
  UsageError,
} from '../../../core/index.ts';
import type { Dependency, Explanation, FarmEvent, FarmStats } from '../messages.ts';
import { checkTaskOptions, type FarmOptions, type Pending, type TaskOptions } from '../options.ts';
import { type Desk, taskHere } from './desk.ts';
import { type MapOptions, type MapResult, mapOver, type Outcome, type Source, settleOver } from './map.ts';
import { pipelineOf, type Stage } from './pipeline.ts';
import type { Registry } from './registry.ts';

export interface Farm {
  /** Runs it on one engine. The result is like those of views: its value can be an argument of any call. Never throws. */
  submit<A extends unknown[], R>(fn: Fn<A, R>, ...args: SendableArgs<A>): AsyncResult<Awaited<R>, Awaited<R>>;
  /** A function that submits: what it captures is taken once, here. Disposed of, it is forgotten everywhere, and submits no more. */
  wrap<A extends unknown[], R>(
    fn: Fn<A, R>,
  ): ((...args: SendableArgs<A>) => AsyncResult<Awaited<R>, Awaited<R>>) & Disposable;
  /** The same farm, where tasks have these options. */
  with(options: TaskOptions): Farm;
  /**
   * A call for each item, in chunks that follow from how long they take. Awaited: the list of values; iterated: values as they
   * come, in the order of the items unless `ordered: false`. Items are taken from the source no further ahead than `ahead`, so
   * that it may be endless.
   */
  map<T, R>(source: Source<T>, fn: (item: T) => R, options?: MapOptions): MapResult<Awaited<R>>;
  /** The same, with failures as values. */
  settle<T, R>(source: Source<T>, fn: (item: T) => R, options?: MapOptions): MapResult<Outcome<Awaited<R>>>;
  /** Each item goes through all stages, its values from engine to engine; many items at a time. */
  pipeline<T>(...stages: Stage[]): (source: Source<T>, options?: MapOptions) => MapResult<any>;
  /** Resolves when what was submitted with `detached` is in the journal: it will run, whatever becomes of us. */
  accepted(): Promise<void>;
  /** The result of a detached task of any client, by its id or label: once. */
  collect<R = any>(task: string): AsyncResult<R, R>;
  /** Detached tasks that were not collected yet. */
  detached(): Promise<{ id: string; label?: string; state: 'queued' | 'running' | 'done' }[]>;
  /** Why a task has not begun, or what it does. */
  explain(task: Pending | string): Promise<Explanation>;
  /** Changes the priority of a task that has not begun. False: it has. */
  prioritize(task: Pending, priority: number): Promise<boolean>;
  /** Cancels what this client has pending. Resolves with how many that were. */
  cancelAll(reason?: string): Promise<number>;
  stats(): Promise<FarmStats>;
  /** The farm's figures, of all clients: now and every half second. */
  readonly stats$: Observable<FarmStats>;
  /** What becomes of this client's tasks. Costs a message a task while somebody listens. */
  readonly events$: Observable<FarmEvent>;
  /** Resolves when nothing of this client is pending. */
  drain(): Promise<void>;
  /** Takes no more tasks; resolves when those that are pending are done, or with `cancel` cancelled. */
  shutdown(options?: { cancel?: boolean }): Promise<void>;
}

/** ms between figures. */
const PACE = 500;

export interface FarmParts {
  readonly host: ClientHost;
  readonly desk: Desk;
  readonly registry: Registry;
  readonly events$: Observable<FarmEvent>;
}

export function createFarm(parts: FarmParts, options: FarmOptions): Farm {
  const { host, desk, registry } = parts;
  const spec = registry.spec(options);
  const { after, follow, signal } = options;
  const resultOptions = signal && { signal };

  function submit(fn: unknown, args: readonly unknown[], known?: number): AsyncResult<any, any> {
    let pending: PendingResult<any> | undefined;
    try {
      // A name is looked up at each call, like an argument.
      const named = typeof fn === 'object' && fn !== null && 'expression' in fn;
      if (typeof fn !== 'function' && !named)
        throw new UsageError(`submit takes a function, and its arguments; got ${fn === null ? 'null' : typeof fn}`);
      const given = named ? [fn, ...args] : args;
      const code = named ? callNamed : (fn as () => unknown);
      const { detached } = options;
      const order = {
        fn: known ?? registry.fn(code),
        spec: spec.id(),
        args: given,
        dependencies: after || follow ? [...before(after, 'after'), ...before(follow, 'place')] : undefined,
        detached,
        parent: taskHere(),
      };
      pending = desk.results(resultOptions);
      desk.submit(pending.call, order, pending);
    } catch (error) {
      pending ??= desk.results();
      pending.fail(error as Error);
    }
    return pending.result;
  }

  function submitDisposed(): AsyncResult<any, any> {
    const pending = desk.results<any>();
    pending.fail(new UsageError('This function was disposed of; wrap it again'));
    return pending.result;
  }

  const farm: Farm = {
    submit: (fn, ...args) => submit(fn, args),
    wrap(fn) {
      if (typeof fn !== 'function') throw new UsageError(`wrap takes a function; got ${typeof fn}`);
      const known = registry.snapshot(fn);
      let over = false;
      const wrapped = (...args: unknown[]) => {
        if (over) return submitDisposed();
        return submit(fn, args, known);
      };
      return Object.assign(wrapped, {
        [Symbol.dispose]() {
          if (!over) desk.forget(known);
          over = true;
        },
      }) as never;
    },
    with(more) {
      checkTaskOptions('with', more);
      return createFarm(parts, { ...options, ...more });
    },
    map: (source, fn, o = {}) => mapOver({ ...parts, options }, source, fn as never, o),
    settle: (source, fn, o = {}) => settleOver({ ...parts, options }, source, fn as never, o),
    pipeline: (...stages) => pipelineOf({ ...parts, options }, farm, stages),
    accepted: () => {
      desk.flush();
      return host.controller.ask('accepted');
    },
    collect: (task) => desk.collect(task),
    detached: () => {
      desk.flush();
      return host.controller.ask('detached');
    },
    explain: (task) => {
      desk.flush();
      return host.controller.ask('explain', typeof task === 'string' ? task : task.id);
    },
    prioritize: (task, priority) => {
      checkTaskOptions('prioritize', { priority });
      return desk.prioritize(callOf(task).call, priority);
    },
    cancelAll: (reason = 'Cancelled') => registry.cancelAll(reason),
    stats: () => host.controller.ask('stats'),
    stats$: new Observable((subscriber) => {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const read = (): void => {
        host.controller.ask<FarmStats>('stats').then(
          (stats) => {
            if (subscriber.closed) return;
            subscriber.next(stats);
            timer = setTimeout(read, PACE);
          },
          (error) => subscriber.error(error),
        );
      };
      read();
      return () => clearTimeout(timer);
    }),
    events$: parts.events$,
    drain: () => desk.idle(),
    async shutdown({ cancel = false } = {}) {
      desk.closed = true;
      if (cancel) await registry.cancelAll('The farm was shut down');
      await desk.idle();
    },
  };
  return farm;
}

const callNamed = (fn: (...args: unknown[]) => unknown, ...args: unknown[]): unknown => fn(...args);

type Named = TaskOptions['after'];

/** Those that are pending; one that has failed already is told at once. */
function before(given: Named, as: Dependency['as']): Dependency[] {
  if (given === undefined) return [];
  const list = Array.isArray(given) ? given : [given];
  return list.flatMap((one: Pending | string): Dependency[] => {
    if (typeof one === 'string') return [{ ...callOf(one), as, strict: true }];
    const { status } = one;
    if (status === 'done' && as === 'after') return [];
    if (status === 'failed' || status === 'cancelled')
      throw new DependencyError(
        `Task ${one.id}, on which it depends, has ${status === 'failed' ? 'failed' : 'been cancelled'}`,
      );
    return [{ ...callOf(one), as }];
  });
}

function callOf(task: Pending | string): { client: number; call: number } {
  const id = typeof task === 'string' ? task : task?.id;
  const [client, call] = String(id).split('.').map(Number);
  if (!Number.isSafeInteger(client) || !Number.isSafeInteger(call))
    throw new UsageError(`A task is named by its result, or by its id, e.g. '1.17'; got ${JSON.stringify(id)}`);
  return { client: client!, call: call! };
}
