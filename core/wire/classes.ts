/**
 * The classes whose instances travel: known under one name on both sides, written as a plain value and rebuilt from it.
 */
import { UsageError } from '../errors.ts';

export interface ClassCodec<T> {
  /** The name on the wire; the class's own by default. Both sides must use the same. */
  name?: string;
  /** The plain value that stands for an instance. It is walked like any value, so it may hold functions, Maps, other instances. */
  encode(instance: T): unknown;
  /** The instance again. Its argument is complete. */
  decode(plain: any): T;
  /** Nobody ever writes to the arrays in what `encode` returns: they are sent without a copy. Default: false. */
  immutable?: boolean;
}

export interface RegisteredClass {
  name: string;
  immutable: boolean;
  encode(instance: any): unknown;
  decode(plain: any): unknown;
}

interface Registry {
  byPrototype: Map<object, RegisteredClass>;
  byName: Map<string, RegisteredClass>;
}

/** One per global scope, not per copy of this module: on an engine, user code that imports tutti brings a copy of its own. */
const { byPrototype, byName } = sharedRegistry();

/**
 * Lets instances of a class (not of its subclasses) travel. It has to be registered where they are sent and where they
 * arrive; on engines, by code that runs there. Registering a name again replaces it: a script may run twice.
 * Throws UsageError for a class without a name.
 */
export function registerClass<T extends object>(C: abstract new (...args: any[]) => T, codec: ClassCodec<T>): void {
  const name = codec.name ?? C.name;
  if (!name) throw new UsageError("registerClass: the class has no name; give one: { name: 'Point', … }");
  const entry: RegisteredClass = {
    name,
    immutable: codec.immutable ?? false,
    encode: (instance) => codec.encode(instance),
    decode: (plain) => codec.decode(plain),
  };
  byPrototype.set(C.prototype, entry);
  byName.set(name, entry);
}

function sharedRegistry(): Registry {
  const key = Symbol.for('tutti.classes');
  const scope = globalThis as unknown as Record<symbol, Registry | undefined>;
  if (!scope[key]) Object.defineProperty(globalThis, key, { value: { byPrototype: new Map(), byName: new Map() } });
  return scope[key]!;
}

export function classOf(value: object): RegisteredClass | undefined {
  const prototype = Object.getPrototypeOf(value);
  return prototype === null ? undefined : byPrototype.get(prototype);
}

export function classNamed(name: string): RegisteredClass | undefined {
  return byName.get(name);
}

registerClass(URL, { encode: (url) => url.href, decode: (href: string) => new URL(href) });
registerClass(URLSearchParams, { encode: String, decode: (text: string) => new URLSearchParams(text) });
