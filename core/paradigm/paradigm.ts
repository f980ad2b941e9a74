/**
 * The door through which paradigms come in: what a plug-in is made of. It has up to three halves (one a role) that talk to
 * each other by name, and perhaps a command. Built-in paradigms use nothing else.
 */
import type { Observable } from 'rxjs';
import type { AsyncResult } from '../client/async-result.ts';
import type { Client } from '../client/client.ts';
import type { ClusterEvent, EngineInfo } from '../cluster-info.ts';
import type { InterruptResult, TaskInfo } from '../conversation.ts';
import type { Clock } from '../deferred/clock.ts';
import { ParadigmError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Store } from '../store/store.ts';
import type { Parcel } from './parcel.ts';

/** Version of this door; a paradigm that was written for another one is refused. */
export const PARADIGM_API_VERSION = 1;

/** Who asks. */
export interface Caller {
  readonly role: 'client' | 'controller' | 'engine';
  /** Of the client or engine; 0 for the controller. */
  readonly id: number;
  /** Aborted when the caller cancels what it asked, stops reading its stream, or is gone. */
  readonly signal: AbortSignal;
}

/**
 * What others can ask of a half, by name. Messages of one caller come in the order in which they were sent; those of
 * several callers come interleaved. What is returned (or what its promise resolves to) is the answer; an error that is thrown
 * is thrown where it was asked. For `stream` it returns an iterable, which is read only as fast as the caller reads.
 */
export type Handler = (value: any, caller: Caller) => unknown;
export type Handlers = Record<string, Handler>;

/** The half of the same paradigm in another place. */
export interface Party {
  /** Rejects with what the other side threw, EngineLostError or SessionLostError when it is gone, or the signal's reason. */
  ask<R = any>(op: string, value?: unknown, options?: { signal?: AbortSignal }): Promise<R>;
  /** One way, at most once, in order with all else that is sent to this party. */
  tell(op: string, value?: unknown): void;
  /**
   * The same for bytes, without a codec: the handler gets a list of as many parts, each over memory of its own. They must not
   * change any more, and belong to the channel from here on, unless they are `kept` here as well.
   */
  tellBytes(op: string, parts: readonly Uint8Array[], options?: { kept?: boolean }): void;
  /** Items as they come; some are asked for ahead. Breaking out of the loop stops the other side. */
  stream<T = any>(op: string, value?: unknown, options?: { signal?: AbortSignal }): AsyncIterable<T>;
  /** Resolves when what was sent is mostly on its way (below 1 MiB are waiting): for those who send much. */
  drained(): Promise<void>;
}

/** All halves of this paradigm on engines, or some of them. */
export interface Group {
  /** One answer an engine, in the order of the ids; rejects with the first that fails. */
  ask<R = any>(op: string, value?: unknown, options?: { signal?: AbortSignal }): Promise<R[]>;
  tell(op: string, value?: unknown): void;
}

export interface ControllerHost {
  /** The cluster: its id is another one after each start. */
  readonly cluster: { readonly id: string; readonly name: string };
  readonly engines: readonly EngineInfo[];
  engine(id: number): Party;
  client(id: number): Party;
  /** Of these engines, or all that there are at the time of each message. */
  group(ids?: readonly number[]): Group;
  /** What happens in the cluster, in order with messages. Returns how to stop listening. */
  onEvent(listener: (event: ClusterEvent) => void): () => void;
  /** News for all clients: they find it on `events$` as `{ type: 'paradigm', paradigm, event }`. */
  emit(event: unknown): void;
  /** What survives the controller, if the cluster was started with `durable`; else it lasts as long as the cluster. */
  store(): Promise<Store>;
  /** A value for the way to others, as halves there open it. */
  parcel<T>(value: T): Parcel<T>;
  /** What another half, or this one, has put into a parcel that needs nothing. */
  read<T>(parcel: Parcel<T>): T;
  /** The parcel with all texts of its code in it: it can be opened when its client has left. LimitError: the client has sent too much code. */
  whole<T>(parcel: Parcel<T>): Parcel<T>;
  /** Starts engines anew under their ids. Rejects for those that joined by themselves. */
  restart(ids: readonly number[]): Promise<void>;
  /**
   * Stops what an engine half runs under this name (`RunOptions.call`), wherever it is; cancel: without restarting engines for it.
   * Never rejects.
   */
  interrupt(
    engine: number,
    call: CallId,
    options: { kind: 'interrupt' | 'cancel'; reason: string },
  ): Promise<InterruptResult>;
  /**
   * Calls back when what an engine's tasks have printed and sent has been passed on to their clients, as far as `RunOptions.told`
   * said; at once if it has been, or if it will not come any more. What a client is told from then on comes after it. `lost`: the
   * engine has gone, and some of it with it perhaps.
   */
  whenTold(engine: number, end: number, then: (lost: boolean) => void): void;
  /** What this paradigm has under way, for who lists tasks, or wants to talk to one. */
  tasks(source: TaskSource): void;
  /** What `status` of the cluster says of this paradigm; asked for each time. */
  report(read: () => unknown): void;
  /** Work that waits or runs: by it a cluster that adapts has more engines or fewer. Asked for again and again. */
  demand(read: () => Demand): void;
  /** An engine is to go: the handler sees to it that it gets nothing new, and resolves when nothing is left there. */
  onDrain(handler: (engine: number) => Promise<void>): void;
  /** Was the cluster started with `durable`? */
  readonly durable: boolean;
  readonly log: Logger;
  readonly clock: Clock;
}

export interface Demand {
  /** More engines than tasks are of no use. */
  tasks: number;
  /** ms that one engine would take for all of it, as far as that is known. */
  ms: number;
}

export interface TaskSource {
  /** Where a task runs, if it does. */
  where(call: CallId): number | undefined;
  list(): Omit<TaskInfo, 'mine'>[];
}

export interface EngineHost {
  /** Of this engine. */
  readonly id: number;
  readonly controller: Party;
  /** Another engine (or this one), over a direct channel that does not pass the controller. */
  engine(id: number): Party;
  client(id: number): Party;
  /** Runs user code when it is its turn: one at a time with the calls of views, first come first served. */
  run<T>(code: () => T, options?: RunOptions): Promise<Awaited<T>>;
  /**
   * What a client or another half has put into a parcel; the values in it that are still pending are waited for. `remake: false`:
   * not for those that are to be made again since they went down with their engine; it rejects then, with ValueLostError as the cause.
   */
  open<T = any>(parcel: Parcel<T>, options?: { remake?: boolean }): Promise<T>;
  /** The same by callback, without a promise: called at once where nothing has to be waited for. */
  openTo<T = any>(
    parcel: Parcel<T>,
    done: (error: { thrown: unknown } | undefined, value?: T) => void,
    options?: { remake?: boolean },
  ): void;
  /** The same at once, for a parcel that needs nothing (see `Parcel.flat`). */
  read<T = any>(parcel: Parcel<T>): T;
  /** The same, of one whose bytes (`Parcel.flat`) lie among others. */
  readWithin<T = any>(bytes: Uint8Array, from: number, size: number): T;
  parcel<T>(value: T): Parcel<T>;
  /**
   * The same where functions may be in it, as a client sends them: by a client on this engine, as `task.client()` gives one, which takes the
   * package in reach. Rejects with CannotTravelError.
   */
  codeParcel<T>(value: T): Promise<Parcel<T>>;
  /**
   * As `run`, several at a time: they enter together, and tell by callback how they ended, without a promise each. `onMicrotask`:
   * called from a callback of `queueMicrotask`, with nothing of Node's below it, where habits count. `within`: ms that those which
   * have been brief may take together before they are told how they ended. Default: 4.
   */
  start(works: readonly Work[], options?: { onMicrotask?: boolean; within?: number }): void;
  /**
   * How a call of a client ended, ready to travel. Others find its value here from now on: a large one stays until it is fetched
   * or released (then `kept` is true, and the parcel empty), a small one for a while. `stay: false`: a large one travels, too.
   */
  settle(call: CallId, ok: boolean, value: unknown, options?: { stay?: boolean }): Outcome;
  /** Aborts `task.signal` of the work that runs under that name. */
  abort(call: CallId, reason: unknown): void;
  /** Lets go of values that were kept. */
  release(calls: readonly CallId[]): void;
  /** Engines and clients that are gone, and direct channels that broke. Returns how to stop listening. */
  onLoss(listener: (loss: Loss) => void): () => void;
}

export type Loss =
  | { type: 'engine'; engine: number }
  | { type: 'client'; client: number }
  /** What was on its way through the channel is undecided; the next message opens another. */
  | { type: 'channel'; engine: number; reason: string };

export interface RunOptions {
  /** On whose behalf: what it prints goes to that client, and it is told to stop when that client leaves. */
  client?: number;
  /** Which result of that client it makes (see `ClientHost.result`): `task.id`, output and messages are those of the result then. */
  call?: number;
  /** What code finds as `task.attempt`. Default: 1. */
  attempt?: number;
  /** Once it waits for something, other work may run beside it. */
  beside?: boolean;
  /** It goes on when its client leaves. */
  detached?: boolean;
  signal?: AbortSignal;
  /**
   * Called before it ends if it has printed or sent something, which goes to its client another way than what this half says. With
   * this number the controller's half can wait for it: `ControllerHost.whenTold`.
   */
  told?(end: number): void;
}

export interface Work extends RunOptions {
  code(): unknown;
  /** Called once, when it has ended. */
  done(ok: boolean, value: unknown): void;
  /** It has given up its turn (`task.client()`): other work may run beside it from now on. */
  yielded?(): void;
  /** One object for all works of one function: what has always been brief is entered at less cost. Begin with `brief: false`. */
  readonly habit?: { brief: boolean };
}

/** A result of a client, as the other halves name it. */
export interface CallId {
  readonly client: number;
  readonly call: number;
}

export interface Outcome {
  /** False: what travels is the error that it threw, or why its value cannot travel. */
  readonly ok: boolean;
  readonly kept: boolean;
  readonly parcel: Parcel;
  /** Size of the value. */
  readonly bytes: number;
}

export interface ResultOptions {
  label?: string;
  timeout?: number;
  signal?: AbortSignal;
}

/** What becomes of results that a paradigm makes. All are called with the result's `call`. */
export interface ResultHooks {
  /** It is to stop, or (cancel, which a timeout is, too) was given up here; says how that was taken. */
  stop(call: number, kind: 'interrupt' | 'cancel', reason: string): Promise<InterruptResult>;
  /** The engine that it runs on, for who wants to talk to it. */
  where?(call: number): Promise<number | undefined>;
  /** Nobody holds its kept value any more. */
  release?(call: number, engine: number): void;
  /** Its kept value went down with its engine: where it has been made again, or the error. */
  again?(call: number): Promise<Settlement>;
}

/** How a call ended, as its client is told. */
export interface Settlement {
  readonly engine: number;
  readonly incarnation: number;
  /** `failed`: the parcel holds what was thrown there. `lost`: it holds an error of ours. */
  readonly status: 'ok' | 'failed' | 'kept' | 'lost';
  readonly parcel?: Parcel | undefined;
  /** Of one that is ok, in place of a parcel: the value. */
  readonly value?: unknown;
  /** ms since the epoch, by the engine's clock. */
  readonly started?: number;
  readonly completed?: number;
  readonly bytes?: number;
}

/** A result that the paradigm settles, once. */
export interface PendingResult<T> {
  /** Of this client; counts up. The other halves name the result by it. */
  readonly call: number;
  readonly result: AsyncResult<T, T>;
  settle(settlement: Settlement): void;
  fail(error: Error): void;
}

export interface ClientHost {
  readonly client: Client;
  readonly controller: Party;
  engine(id: number): Party;
  /** Of these engines, or all that there are at the time of each message. */
  group(ids?: readonly number[]): Group;
  /** What the other halves may ask of this client. An op has one handler a client: see `shared`. */
  handle(handlers: Handlers): void;
  /**
   * Called once if the paradigm turns out not to be of use here (not installed, another version): whatever has been told and waits
   * for an answer of its own gets none. What is asked, or told later, throws that error.
   */
  onRefused(listener: (error: Error) => void): void;
  /** Called when the client is told to close, before it does: what is told now leaves first. Not when it is cut off. */
  onClose(listener: () => void): void;
  /** Made at the first `use` of the paradigm in this client, and then the same for all further ones. */
  shared<T>(make: () => T): T;
  /** What the controller's half emits. */
  readonly events$: Observable<any>;
  /** Closes a value for the way through the controller, which does not read it: functions and pending results may be in it. */
  parcel<T>(value: T): Parcel<T>;
  open<T>(parcel: Parcel<T>): Promise<T>;
  /** The same at once: what comes from engines needs nothing. */
  read<T>(parcel: Parcel<T>): T;
  /** The same, of one whose bytes (`Parcel.flat`) lie among others. */
  readWithin<T>(bytes: Uint8Array, from: number, size: number): T;
  /**
   * Where there are many small values, without a parcel each: gives the bytes of one (`Parcel.flat`) to `take`, which must copy them
   * at once. False: it is more than plain data, and needs a parcel.
   */
  pack(value: unknown, take: (bytes: Uint8Array, from: number, size: number) => void): boolean;
  /** Will this function be the same whenever it travels? It has captured nothing then. Known once it has been in a parcel. */
  isConstant(fn: unknown): boolean;
  /** Of this client, as the other halves see it. */
  readonly id: number;
  /**
   * Makes results: each is an AsyncResult like those of views, whose value can be an argument of any call, with output
   * and messages of the work that an engine half runs under its name (`RunOptions.call`).
   */
  results(hooks: ResultHooks): <T>(options?: ResultOptions) => PendingResult<T>;
  /** Resolves when this result of this client is settled: with its error, if it has failed. */
  settled(call: number): Promise<Error | undefined>;
  /** A number for a call that no result stands for, from the same count. */
  nextCall(): number;
  /** Another paradigm, one of `requires`. */
  use<A, O extends unknown[]>(paradigm: (...options: O) => Paradigm<A>, ...options: O): A;
}

/** Handlers, and how to end: `[Symbol.asyncDispose]` is called when the cluster stops. */
export type ControllerHalf = Handlers & Partial<AsyncDisposable>;
/** Handlers, and `globals`: names that code on the engine finds. */
export interface EngineHalf {
  globals?: Record<string, unknown>;
  [op: string]: Handler | Record<string, unknown> | undefined;
}

export type MakeEngineHalf = (host: EngineHost) => EngineHalf | Promise<EngineHalf>;

export interface ParadigmDefinition<A, O extends unknown[]> {
  /** Small letters, digits and `-`; the same on all sides. */
  name: string;
  /** Of all halves together: they work only with halves of the same version. */
  version: string;
  /** Of this door, as the paradigm's author knew it. Default: the current one. */
  apiVersion?: number;
  /** `import.meta.url` of the module that exports the paradigm. Needed for an engine half, which travels as a bundle. */
  module?: string;
  /** Paradigms that it builds on; they are put in place before it. */
  requires?: readonly ((...options: any[]) => Paradigm<unknown>)[];
  controller?(host: ControllerHost): ControllerHalf | Promise<ControllerHalf>;
  /** Or the path, from `module`, of a module of its own whose default export it is, so that engines get nothing else. */
  engine?: MakeEngineHalf | string;
  client(host: ClientHost, ...options: O): A;
  /** A command for `tutti`. */
  cli?(tools: CommandTools): Command;
}

/** A yargs command module. */
export interface Command {
  command: string | readonly string[];
  describe?: string;
  builder?: any;
  handler(args: any): void | Promise<void>;
}

/** What commands of paradigms share with tutti's own. */
export interface CommandTools {
  /** `-n`, `--kind`, `--name` and `--json`: for `yargs.options(…)`. */
  readonly options: Record<string, object>;
  /**
   * Opens the cluster that these options name, or one of the command's own, and closes it after `body`. Ctrl-C aborts the signal. With
   * `launcher`, a Launcher, in them, and `engines`, those of its own are started by it.
   */
  session(args: object, body: (client: Client, signal: AbortSignal) => Promise<void>): Promise<void>;
  /** For a command that does without a cluster: aborted by Ctrl-C, which from the call on does not end the process. */
  interruption(): AbortSignal;
  /** Of commands that run a script (`tutti NAME script.ts …`): the script, and what follows it, which is its own. Only built-in ones. */
  readonly given?: { readonly script: string | undefined; readonly rest: readonly string[] };
  /**
   * Prints what engines print for this result as it comes, each line after `[id] `; with `json` on stderr. `finish` prints what
   * had no newline at its end.
   * @param options.nameOf what stands for an engine's id
   * @param options.only leaves out what engines print for no result: where several are followed, one shows that
   */
  follow(
    client: Client,
    result: AsyncResult<any, any>,
    options?: { json?: boolean; nameOf?: (engine: number) => number | string; only?: boolean },
  ): { finish(): void };
  /** One document on stdout. */
  printJson(value: unknown): void;
}

export type AnyDefinition = ParadigmDefinition<any, any[]>;

/** A paradigm with the options of one use. */
export interface Paradigm<A> {
  readonly definition: ParadigmDefinition<A, any[]>;
  readonly options: readonly unknown[];
}

/** What `defineParadigm` returns: call it with options, or give it to `client.use`. */
export interface ParadigmFactory<A, O extends unknown[]> {
  (...options: O): Paradigm<A>;
  readonly definition: ParadigmDefinition<A, O>;
}

/** Another copy of this package may have made it. */
const DEFINITION = Symbol.for('tutti.paradigm');

/**
 * @example
 * export const counter = defineParadigm({
 *   name: 'counter',
 *   version: '1.0.0',
 *   controller: () => {
 *     let count = 0;
 *     return { add: (by: number) => (count += by) };
 *   },
 *   client: (host) => ({ add: (by = 1): Promise<number> => host.controller.ask('add', by) }),
 * });
 * @throws ParadigmError when the definition lacks something.
 */
export function defineParadigm<A, O extends unknown[]>(definition: ParadigmDefinition<A, O>): ParadigmFactory<A, O> {
  checkDefinition(definition);
  const factory = (...options: O): Paradigm<A> => ({ definition, options });
  return Object.assign(factory, { definition, [DEFINITION]: true as const });
}

/** The paradigm that a value is, if it is one. */
export function definitionOf(value: unknown): AnyDefinition | undefined {
  return typeof value === 'function' && DEFINITION in value
    ? (value as unknown as { definition: AnyDefinition }).definition
    : undefined;
}

/** All paradigms among the exports of a module. */
export function paradigmsIn(namespace: object): AnyDefinition[] {
  return [...new Set(Object.values(namespace).map(definitionOf))].filter((found) => found !== undefined);
}

function checkDefinition(definition: AnyDefinition): void {
  if (typeof definition !== 'object' || definition === null)
    throw new ParadigmError(
      `defineParadigm takes an object: { name, version, client, … }; got ${definition === null ? 'null' : typeof definition}`,
    );
  const { name, version, apiVersion = PARADIGM_API_VERSION, module, controller, engine, client, cli } = definition;
  const fail = (problem: string): never => {
    throw new ParadigmError(`Paradigm ${typeof name === 'string' ? `'${name}'` : 'without a name'}: ${problem}`);
  };
  if (typeof name !== 'string' || !/^[a-z][a-z\d-]{0,63}$/.test(name))
    fail(`its name must be small letters, digits and '-', e.g. 'pubsub'; got ${JSON.stringify(name)}`);
  if (typeof version !== 'string' || !/^\d+\.\d+\.\d+/.test(version))
    fail(`its version must read like '1.0.0'; got ${JSON.stringify(version)}`);
  if (apiVersion !== PARADIGM_API_VERSION)
    fail(
      `it is written for version ${apiVersion} of the plug-in door, and this tutti has version ${PARADIGM_API_VERSION}; use versions of both that fit`,
    );
  if (typeof client !== 'function') fail('it has no client half; client(host, …options) makes what `use` returns');
  for (const [half, given] of Object.entries({ controller, cli }))
    if (given !== undefined && typeof given !== 'function') fail(`'${half}' must be a function`);
  if (engine !== undefined && typeof engine !== 'function' && typeof engine !== 'string')
    fail(`'engine' must be a function, or the path of a module whose default export is one`);
  if (engine !== undefined && typeof module !== 'string')
    fail('it has an engine half, which travels as a bundle of its module: add module: import.meta.url');
}
