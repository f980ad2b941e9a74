/**
 * The door through which paradigms come in: what a plug-in is made of. It has up to three halves (one a role) that talk to
 * each other by name, and perhaps a command. Built-in paradigms use nothing else.
 */
import type { Observable } from 'rxjs';
import type { Client } from '../client/client.ts';
import type { ClusterEvent, EngineInfo } from '../cluster-info.ts';
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
  /** Was the cluster started with `durable`? */
  readonly durable: boolean;
  readonly log: Logger;
  readonly clock: Clock;
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
  /** What a client or another half has put into a parcel; the values in it that are still pending are waited for. */
  open<T = any>(parcel: Parcel<T>): Promise<T>;
  parcel<T>(value: T): Parcel<T>;
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
  signal?: AbortSignal;
}

export interface ClientHost {
  readonly client: Client;
  readonly controller: Party;
  engine(id: number): Party;
  /** Of these engines, or all that there are at the time of each message. */
  group(ids?: readonly number[]): Group;
  /** What the other halves may ask of this client. An op has one handler a client: see `shared`. */
  handle(handlers: Handlers): void;
  /** Made at the first `use` of the paradigm in this client, and then the same for all further ones. */
  shared<T>(make: () => T): T;
  /** What the controller's half emits. */
  readonly events$: Observable<any>;
  /** Closes a value for the way through the controller, which does not read it: functions and pending results may be in it. */
  parcel<T>(value: T): Parcel<T>;
  open<T>(parcel: Parcel<T>): Promise<T>;
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
  /** Opens the cluster that these options name, or one of the command's own, and closes it after `body`. Ctrl-C aborts the signal. */
  session(args: object, body: (client: Client, signal: AbortSignal) => Promise<void>): Promise<void>;
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
