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
}

export interface RegisteredClass {
  name: string;
  encode(instance: any): unknown;
  decode(plain: any): unknown;
}

const byPrototype = new Map<object, RegisteredClass>();
const byName = new Map<string, RegisteredClass>();

/**
 * Lets instances of a class (not of its subclasses) travel.
 * Throws UsageError when another class has the name; registering a class again replaces how it travels.
 */
export function registerClass<T extends object>(C: abstract new (...args: any[]) => T, codec: ClassCodec<T>): void {
  const name = codec.name ?? C.name;
  if (!name) throw new UsageError("registerClass: the class has no name; give one: { name: 'Point', … }");
  const before = byPrototype.get(C.prototype);
  if (byName.has(name) && byName.get(name) !== before) {
    throw new UsageError(`registerClass: another class is registered as '${name}'; give this one its own { name }`);
  }
  if (before) byName.delete(before.name);
  const entry: RegisteredClass = {
    name,
    encode: (instance) => codec.encode(instance),
    decode: (plain) => codec.decode(plain),
  };
  byPrototype.set(C.prototype, entry);
  byName.set(name, entry);
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
