/**
 * What is said of a value that cannot travel: what it is, where it sits, what to do instead.
 */
import { CannotTravelError } from '../errors.ts';
import { classNameOf, tagOf } from './kinds.ts';

export function refusal(value: unknown, path: string): CannotTravelError {
  const { what, instead } = explain(value);
  return new CannotTravelError(`${path} is ${what}, which cannot travel; ${instead}`, path);
}

/** What stands for it in an error report, where nothing is refused. */
export function shortly(value: unknown): string {
  if (typeof value === 'function') return `[function ${value.name || 'without a name'}]`;
  if (typeof value !== 'object' || value === null) return `[${String(value)}]`;
  try {
    return `[${classNameOf(value)}]`;
  } catch {
    return '[unreadable object]';
  }
}

/** Access to a member threw. */
export function unreadable(path: string, cause: unknown): CannotTravelError {
  const message = `${path} cannot be read: that threw ${brief(cause)}; send a plain object with the values needed`;
  return new CannotTravelError(message, path, { cause });
}

/** The `encode` of a registered class threw. */
export function failed(className: string, path: string, cause: unknown): CannotTravelError {
  const message = `${path} is an instance of class ${className}, and its encode (see registerClass) threw ${brief(cause)}`;
  return new CannotTravelError(message, path, { cause });
}

function brief(thrown: unknown): string {
  return thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
}

function explain(value: unknown): { what: string; instead: string } {
  if (typeof value === 'symbol') {
    return { what: `a symbol (${String(value)})`, instead: 'send a string and turn it into a symbol there' };
  }
  if (typeof value === 'function') {
    return {
      what: `a function (${value.name || 'without a name'})`,
      instead: 'functions travel only in the arguments of calls to engines; send the data that it needs',
    };
  }
  const object = value as object;
  const name = classNameOf(object);
  const tag = tagOf(object);
  if (tag === 'Promise') return { what: 'a Promise', instead: 'await it first and send its value' };
  if (tag === 'WeakMap' || tag === 'WeakSet' || tag === 'WeakRef' || tag === 'FinalizationRegistry') {
    return { what: `a ${tag}`, instead: 'what it refers to is known here only; send a Map, a Set or the value itself' };
  }
  if (tag === 'Module') return { what: 'a module', instead: 'import it where it is needed' };
  if (isHandle(object)) {
    return {
      what: `a ${name} (an open connection, stream or handle)`,
      instead: 'it belongs to this process; read the data first, or send the address or file name and open it there',
    };
  }
  if (typeof (object as { next?: unknown }).next === 'function') {
    return { what: `a ${name} (an iterator)`, instead: 'send [...iterator]' };
  }
  return {
    what: `an instance of class ${name}`,
    instead: `make the class known on both sides with registerClass(${name}, { encode, decode }), or send a plain object: { ...value }`,
  };
}

/** Sockets, servers, streams, child processes, workers, ports, timers, file handles. */
function isHandle(object: object): boolean {
  const o = object as Record<string, unknown>;
  return ['pipe', 'getReader', 'getWriter', 'unref', 'postMessage', 'fd', '_handle'].some((key) => {
    try {
      return key in o;
    } catch {
      return false;
    }
  });
}
