/**
 * What kind of thing an object is, whatever realm it comes from.
 */

/** `Map`, `Uint8Array`, `Error`…: the built-in kind; `Object` for instances of most classes. */
export function tagOf(value: object): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

/** The name of the object's class; its tag where it has none. */
export function classNameOf(value: object): string {
  const name: unknown = value.constructor?.name;
  return typeof name === 'string' && name !== '' ? name : tagOf(value);
}

/** The kind of a built-in object; undefined for instances of classes, also of those that extend a built-in one. */
export function builtInKind(value: object): string | undefined {
  const kind = typeof Buffer !== 'undefined' && value instanceof Buffer ? 'Buffer' : tagOf(value);
  return kind !== 'Object' && classNameOf(value) === kind ? kind : undefined;
}

/**
 * `Object.prototype` of this realm or another; or that of functions: bundlers make a module's namespace inherit from what
 * the module exports, which may be a function. (What can be called has been told apart before.)
 */
export function isObjectPrototype(prototype: object): boolean {
  return (
    prototype === Object.prototype ||
    prototype === Function.prototype ||
    (Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'propertyIsEnumerable'))
  );
}

export function hasHoles(array: readonly unknown[]): boolean {
  for (let i = 0; i < array.length; i++) {
    if (array[i] === undefined && !(i in array)) return true;
  }
  return false;
}

/** The indices that are there, in a time that does not depend on the holes. */
export function indicesOf(array: readonly unknown[]): number[] {
  return Object.keys(array)
    .filter((key) => String(Number(key) >>> 0) === key)
    .map(Number);
}
