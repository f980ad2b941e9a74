import { mapStacks, withInnerErrors } from './inner-errors.ts';
import { FRAME, homeward } from './places.ts';

/**
 * Every error that tutti itself raises. One base class; `code` is stable, `message` says what happened, where, and what
 * to do next.
 */
export class TuttiError extends Error {
  /** Stable identifier, e.g. `ENGINE_LOST`. Match on this or on the class. */
  readonly code: string = 'TUTTI';
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    Object.defineProperty(this, 'name', {
      value: new.target.name,
      enumerable: false,
      configurable: true,
      writable: true,
    });
  }
}

/** An address that cannot be listened on or dialled, or a connection that failed. */
export class TransportError extends TuttiError {
  override readonly code: string = 'TRANSPORT';
}
/** Bytes that make no sense, or a peer that does not keep to the protocol. */
export class ProtocolError extends TuttiError {
  override readonly code: string = 'PROTOCOL';
}
/** The other side did not let us in: wrong secret, wrong role, other protocol version. */
export class RefusedError extends TuttiError {
  override readonly code: string = 'REFUSED';
}
/** A connection was lost and could not be resumed; what was pending on it is undecided. */
export class SessionLostError extends TuttiError {
  override readonly code: string = 'SESSION_LOST';
}
/** No cluster where one was looked for. */
export class ClusterNotFoundError extends TuttiError {
  override readonly code: string = 'CLUSTER_NOT_FOUND';
}
/** An engine could not be started. */
export class LaunchError extends TuttiError {
  override readonly code: string = 'LAUNCH';
}
/** A target that does not exist. */
export class InvalidTargetError extends TuttiError {
  override readonly code: string = 'INVALID_TARGET';
}
/** The cluster has no engines. */
export class NoEnginesError extends TuttiError {
  override readonly code: string = 'NO_ENGINES';
}
/** An option or argument that makes no sense. */
export class UsageError extends TuttiError {
  override readonly code: string = 'USAGE';
}
/** A value that cannot travel; `path` says where in the argument it sits. */
export class CannotTravelError extends TuttiError {
  override readonly code: string = 'CANNOT_TRAVEL';
  readonly path: string;
  constructor(message: string, path: string, options?: { cause?: unknown }) {
    super(message, options);
    this.path = path;
  }
}
/** An engine ended or stayed unreachable while it held pending work. */
export class EngineLostError extends TuttiError {
  override readonly code: string = 'ENGINE_LOST';
  readonly engine: number;
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** The last lines that the engine printed. */
  readonly lastOutput: string;
  constructor(
    message: string,
    info: { engine: number; exitCode?: number | null; signal?: string | null; lastOutput?: string },
  ) {
    super(message);
    this.engine = info.engine;
    this.exitCode = info.exitCode ?? null;
    this.signal = info.signal ?? null;
    this.lastOutput = info.lastOutput ?? '';
  }
}
/** A result that stayed on its engine and went down with it, or was released, before anybody fetched it. */
export class ValueLostError extends TuttiError {
  override readonly code: string = 'VALUE_LOST';
}
/** A pending result that was used as an argument failed; `cause` is its error. */
export class DependencyError extends TuttiError {
  override readonly code: string = 'DEPENDENCY';
}
/** Cancelled by its owner before it finished. */
export class CancelledError extends TuttiError {
  override readonly code: string = 'CANCELLED';
}
/** Stopped while it ran, or before it began, because somebody said so. The engine and its namespace are still there. */
export class InterruptedError extends TuttiError {
  override readonly code: string = 'INTERRUPTED';
}
/** A running function cannot be looked into now: it waits at an `await`, has not begun, or has ended. */
export class NotOnStackError extends TuttiError {
  override readonly code: string = 'NOT_ON_STACK';
}
/** Not finished within its `timeout`. */
export class TimeoutError extends TuttiError {
  override readonly code: string = 'TIMEOUT';
}
/** A plug-in that cannot be used: two of one name, versions that do not match, a half that is missing or failed to load. */
export class ParadigmError extends TuttiError {
  override readonly code: string = 'PARADIGM';
}
/** The controller has not been started with this paradigm, and controller halves are not sent to it. */
export class ParadigmNotInstalledError extends ParadigmError {
  override readonly code: string = 'PARADIGM_NOT_INSTALLED';
}
/** A store cannot be opened, read or written; the message says which folder and why. */
export class StoreError extends TuttiError {
  override readonly code: string = 'STORE';
}
/** The folder of a store is in use; `pid` is the process that uses it. */
export class StoreLockedError extends StoreError {
  override readonly code: string = 'STORE_LOCKED';
  readonly pid: number;
  constructor(message: string, pid: number) {
    super(message);
    this.pid = pid;
  }
}
/** No room for what was to be written: the disk or the store's `maxBytes`. Reads and removals go on working. */
export class StoreFullError extends StoreError {
  override readonly code: string = 'STORE_FULL';
}
/** The store's files are damaged, or are none of ours. */
export class StoreCorruptError extends StoreError {
  override readonly code: string = 'STORE_CORRUPT';
  /** The entry that is not what was written there, if it is one alone: `entries` can go on behind it. */
  readonly key: string | undefined;
  constructor(message: string, options?: { cause?: unknown; key?: string }) {
    super(message, options);
    this.key = options?.key;
  }
}
/** The store was written in a format that this version does not know. */
export class StoreFormatError extends StoreError {
  override readonly code: string = 'STORE_FORMAT';
}
/** A write found something else than it expected at `key`; none of it happened. */
export class StoreConflictError extends StoreError {
  override readonly code: string = 'STORE_CONFLICT';
  readonly key: string;
  constructor(message: string, key: string) {
    super(message);
    this.key = key;
  }
}
/** More than the cluster lets one client have; only what met the limit failed. `limit` is its name, `max` its value. */
export class LimitError extends TuttiError {
  override readonly code: string = 'LIMIT';
  readonly limit: string;
  readonly max: number;
  constructor(message: string, info: { limit: string; max: number }) {
    super(message);
    this.limit = info.limit;
    this.max = info.max;
  }
}
/** `callback` or `errback` on a Deferred that has fired. */
export class AlreadyCalledError extends TuttiError {
  override readonly code: string = 'ALREADY_CALLED';
}
/** One of several Deferreds failed before the others had their outcome: `index` says which, `cause` is its error. */
export class FirstError extends TuttiError {
  override readonly code: string = 'FIRST_ERROR';
  readonly index: number;
  constructor(message: string, index: number, options?: { cause?: unknown }) {
    super(message, options);
    this.index = index;
  }
}
/** All of several Deferreds failed where one value was wanted; `errors` are theirs, in the order given. */
export class AllFailedError extends TuttiError {
  override readonly code: string = 'ALL_FAILED';
  readonly errors: readonly unknown[];
  constructor(message: string, errors: readonly unknown[]) {
    super(message);
    this.errors = errors;
  }
}
/** `put` into a DeferredQueue that is full. */
export class QueueOverflowError extends TuttiError {
  override readonly code: string = 'QUEUE_OVERFLOW';
}
/** `get` from an empty DeferredQueue for which as many wait as may. */
export class QueueUnderflowError extends TuttiError {
  override readonly code: string = 'QUEUE_UNDERFLOW';
}
/** `put` into a DeferredQueue that is closed, or `get` when nothing is left in it. */
export class QueueClosedError extends TuttiError {
  override readonly code: string = 'QUEUE_CLOSED';
}
/** Nobody handled the error of a Deferred; `cause` is that error. */
export class UnhandledError extends TuttiError {
  override readonly code: string = 'UNHANDLED';
}

const OURS = new Set(['engine', 'task', 'remoteStack', 'original', 'name', 'message', 'stack']);

/** What user code on one engine threw. `name`, `message`, `cause`, `errors` and own fields are the original's; `original` is the rebuilt error. */
export class RemoteError extends TuttiError {
  override readonly code: string = 'REMOTE';
  readonly engine: number;
  readonly task: string;
  readonly remoteStack: string;
  readonly original: unknown;
  constructor(info: { engine: number; task: string; error: unknown; remoteStack?: string }) {
    const e = info.error;
    const error = e instanceof Error ? e : undefined;
    super(
      error ? error.message : `threw ${describe(e)}`,
      error && 'cause' in error ? { cause: error.cause } : undefined,
    );
    this.engine = info.engine;
    this.task = info.task;
    const { stack, excerpt } = leadHome(error, info.remoteStack);
    this.remoteStack = stack;
    this.original = e;
    for (const [field, value] of Object.entries(error ?? {})) {
      if (OURS.has(field)) continue;
      Object.defineProperty(this, field, { value, enumerable: true, configurable: true, writable: true });
    }
    // What an AggregateError is made of, hidden as it is there: Node prints it all the same.
    if (error && Object.hasOwn(error, 'errors') && !Object.hasOwn(this, 'errors'))
      Object.defineProperty(this, 'errors', {
        value: (error as AggregateError).errors,
        enumerable: false,
        configurable: true,
        writable: true,
      });
    // Both repeat what the error's own print-out shows.
    for (const field of ['remoteStack', 'original']) Object.defineProperty(this, field, { enumerable: false });
    Object.defineProperty(this, 'name', { value: error?.name ?? 'RemoteError', enumerable: false, configurable: true });
    Object.defineProperty(this, 'stack', {
      value: [
        `${this.name}: ${this.message}\n    on engine ${info.engine}, task ${info.task}`,
        ...(excerpt === undefined ? [] : [excerpt.replace(/^/gm, '    ')]),
        frames(stack),
      ].join('\n'),
      enumerable: false,
      configurable: true,
      writable: true,
    });
  }
}

/** Several targets of one call failed (or one of several did): `errors` holds one error for each that did, in target order. */
export class CompositeError extends AggregateError {
  readonly code: string = 'COMPOSITE';
  constructor(errors: readonly Error[], targets: number) {
    const shown = errors.slice(0, 4).map((e) => `  ${where(e)}${e.name}: ${e.message}`);
    if (errors.length > 4) shown.push(`  … and ${errors.length - 4} more in .errors`);
    super(errors, `${errors.length} of ${targets} engines failed:\n${shown.join('\n')}`);
    Object.defineProperty(this, 'name', { value: 'CompositeError', enumerable: false, configurable: true });
  }
}

function where(e: Error): string {
  const engine = (e as { engine?: unknown }).engine;
  return typeof engine === 'number' ? `[${engine}] ` : '';
}

function frames(stack: string): string {
  return stack
    .split('\n')
    .filter((line) => FRAME.test(line))
    .join('\n');
}

/** An error that has come from an engine, with all that it holds: their stacks say where whoever wrote the code finds the place. */
function leadHome(error: Error | undefined, remoteStack?: string): { stack: string; excerpt: string | undefined } {
  const first = homeward(remoteStack ?? error?.stack ?? '', error instanceof TuttiError);
  let { excerpt } = first;
  mapStacks(withInnerErrors(error), (stack, one) => {
    const led = homeward(stack, one instanceof TuttiError);
    excerpt ??= led.excerpt;
    return led.stack;
  });
  return { stack: first.stack, excerpt };
}

function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'object' && value !== null) {
    try {
      return `an object, not an Error: ${JSON.stringify(value)}`;
    } catch {
      return 'an object, not an Error';
    }
  }
  return `${String(value)}, not an Error`;
}
