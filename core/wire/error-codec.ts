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
/** On the prototype of a class that stands in for one that is not known here: its name on the wire. One for all copies of this module. */
const STANDS_FOR = Symbol.for('tutti.stands-for');
/** Classes and parents that a decoded error has at most; a peer may claim any number. */
const MOST_CLASSES = 32;
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

/** The class of an error and its parents, nearest first, as they are called on the wire. */
export function classNames(error: Error): string[] {
  const names: string[] = [];
  for (let p = Object.getPrototypeOf(error); p !== null && p !== Object.prototype; p = Object.getPrototypeOf(p)) {
    const name = wireName(p);
    if (name !== undefined) names.push(name);
    if (name === 'Error') break;
  }
  return names;
}

function wireName(prototype: object): string | undefined {
  const mark = registeredNames.get(prototype);
  if (mark !== undefined) return REGISTERED + mark;
  const stoodFor = standsFor(prototype);
  if (stoodFor !== undefined) return stoodFor;
  const name: unknown = Object.hasOwn(prototype, 'constructor') ? prototype.constructor?.name : undefined;
  return typeof name === 'string' && name !== '' ? name : undefined;
}

function standsFor(prototype: object): string | undefined {
  return Object.hasOwn(prototype, STANDS_FOR) ? (prototype as Record<symbol, string>)[STANDS_FOR] : undefined;
}

/**
 * Did this error come over the wire as one of this class, which was not known there or here by more than its name? One
 * that was made here is what `instanceof` says.
 */
export function arrivedAs(error: Error, C: ErrorClass): boolean {
  const wanted = typeof C.prototype === 'object' && C.prototype ? wireName(C.prototype) : undefined;
  if (wanted === undefined) return false;
  for (let p = Object.getPrototypeOf(error); p !== null; p = Object.getPrototypeOf(p)) {
    if (standsFor(p) === wanted) return true;
  }
  return false;
}

/** What a class is called by people: the last part of a name that it is registered under. */
export function shownName(name: string): string {
  return name.startsWith(REGISTERED) ? name.slice(name.lastIndexOf('.') + 1) : name;
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
  // Classes of the same names stand in for those that are not known here: consoles print what they printed there, and
  // the error can be checked by any of its classes, here and wherever it goes next.
  const unknown = names.slice(0, Math.min(index < 0 ? names.length : index, MOST_CLASSES));
  const Made = unknown.reduceRight(standIn, Known);
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

function standIn(Parent: ErrorClass, name: string): ErrorClass {
  const Made = class extends Parent {};
  Object.defineProperty(Made, 'name', { value: shownName(name), configurable: true });
  Object.defineProperty(Made.prototype, STANDS_FOR, { value: name });
  return Made;
}

/** Of a registered class or a subclass: its fields are known to be meant for the other side, also those that consoles hide. */
function isRegistered(error: Error): boolean {
  for (let p = Object.getPrototypeOf(error); p !== null; p = Object.getPrototypeOf(p)) {
    if (wireName(p)?.startsWith(REGISTERED)) return true;
  }
  return false;
}

function isDomException(error: object): boolean {
  return typeof DOMException !== 'undefined' && error instanceof DOMException;
}
