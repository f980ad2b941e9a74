/**
 * Errors on the wire: the names of the class and its parents, then every own field, as data. An error of a class that
 * is known here becomes an instance of it; another becomes an instance of its nearest known parent.
 */
import * as errors from '../errors.ts';

type ErrorClass = abstract new (...args: any[]) => Error;

/** Own fields that are not enumerable and yet part of any error. */
const HIDDEN = ['message', 'stack', 'name', 'cause', 'errors'];
/** Marks the name of a registered class, since many programs have, say, a TimeoutError of their own. */
const REGISTERED = '@';
const NONE: ReadonlySet<string> = new Set();
/** What a DOMException keeps inside, out of our reach once it is made. */
const INSIDE_DOM_EXCEPTION: ReadonlySet<string> = new Set(['name', 'message', 'code']);

const registered = new Map<string, ErrorClass>();
const registeredNames = new Map<object, string>();
const builtIn = new Map<string, ErrorClass>(
  [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError, AggregateError].map((C) => [
    C.name,
    C,
  ]),
);

/**
 * Makes errors of a class arrive as instances of it where the class is registered too. Its constructor is not called:
 * the fields arrive as they were. Throws UsageError when another class has the name.
 */
export function registerErrorClass(C: ErrorClass, name: string = C.name): void {
  const known = registered.get(name);
  if (known && known !== C) {
    throw new errors.UsageError(`registerErrorClass: another class is registered as '${name}'; give this one a name`);
  }
  registered.set(name, C);
  registeredNames.set(C.prototype, name);
}

for (const C of Object.values(errors)) registerErrorClass(C, `tutti.${C.name}`);

export interface ErrorField {
  key: string;
  enumerable: boolean;
  value: unknown;
}

export function isError(value: object): value is Error {
  return value instanceof Error || Object.prototype.toString.call(value) === '[object Error]';
}

/** The class of an error and its parents, nearest first. */
export function classNames(error: Error): string[] {
  const names: string[] = [];
  for (let p = Object.getPrototypeOf(error); p !== null && p !== Object.prototype; p = Object.getPrototypeOf(p)) {
    const mark = registeredNames.get(p);
    const name: unknown = Object.hasOwn(p, 'constructor') ? p.constructor?.name : undefined;
    if (mark !== undefined) names.push(REGISTERED + mark);
    else if (typeof name === 'string' && name !== '') names.push(name);
    if (name === 'Error') break;
  }
  return names;
}

export function errorFields(error: Error): ErrorField[] {
  const fields: ErrorField[] = [];
  const own = isRegistered(error) ? Object.getOwnPropertyNames(error) : Object.keys(error);
  for (const key of new Set([...HIDDEN, ...own])) {
    const field = Object.getOwnPropertyDescriptor(error, key);
    const inside = !field && INSIDE_DOM_EXCEPTION.has(key) && isDomException(error);
    if (!field && !inside) continue;
    fields.push({ key, enumerable: field?.enumerable ?? false, value: read(error, key) });
  }
  return fields;
}

/** An error report must travel, whatever its getters do. */
function read(error: Error, key: string): unknown {
  try {
    const value = (error as unknown as Record<string, unknown>)[key];
    return key === 'stack' || key === 'message' ? String(value) : value;
  } catch (thrown) {
    return `[getter threw ${thrown instanceof Error ? thrown.message : 'something'}]`;
  }
}

/** An instance of the nearest known class, without its fields; `keep` names those that it has already. */
export function newError(
  names: string[],
  texts: { name: string; message: string },
): { error: Error; keep: ReadonlySet<string> } {
  if (names[0] === 'DOMException' && typeof DOMException !== 'undefined') {
    const exception = new DOMException(texts.message, texts.name) as unknown as Error;
    return { error: exception, keep: INSIDE_DOM_EXCEPTION };
  }
  const index = names.findIndex((name) => knownClass(name) !== undefined);
  const Known = knownClass(names[index] ?? 'Error')!;
  // A class of the same name stands in for one that is not known here, so that consoles print what they printed there.
  const Made = index === 0 ? Known : standIn(names[0] ?? 'Error', Known);
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    const error = Reflect.construct(Error, [], Made) as Error;
    // The stack of this place says nothing; an error that had none there has none here.
    delete (error as { stack?: string }).stack;
    return { error, keep: NONE };
  } finally {
    Error.stackTraceLimit = limit;
  }
}

function knownClass(name: string): ErrorClass | undefined {
  return name.startsWith(REGISTERED) ? registered.get(name.slice(REGISTERED.length)) : builtIn.get(name);
}

function standIn(name: string, Known: ErrorClass): ErrorClass {
  const shown = name.startsWith(REGISTERED) ? name.slice(name.lastIndexOf('.') + 1) : name;
  const Made = class extends Known {};
  Object.defineProperty(Made, 'name', { value: shown, configurable: true });
  return Made;
}

/** Of a registered class or a subclass: its fields are known to be meant for the other side, also those that consoles hide. */
function isRegistered(error: Error): boolean {
  for (let p = Object.getPrototypeOf(error); p !== null; p = Object.getPrototypeOf(p)) {
    if (registeredNames.has(p)) return true;
  }
  return false;
}

function isDomException(error: object): boolean {
  return typeof DOMException !== 'undefined' && error instanceof DOMException;
}
