/**
 * The fast way: says whether msgpack keeps a value exactly, so that it needs no walk. Wrong "no" costs time only.
 */

/** Deeper things go through the table, so that no reader needs a deep stack. */
export const MAX_DEPTH = 100;
/** Up to here a linear search is faster than a Set. */
const FEW = 12;
/** Bytes that a small number takes with what is around it. Of what takes more, the room for it grows once, and stays. */
const ITEM = 3;

/** Bytes that what has been looked at since `weighAnew` will take, about: fractions, and text that is not English, take more. */
export let weight = 0;

export function weighAnew(): void {
  weight = 0;
}

interface Seen {
  few: object[];
  many: Set<object> | undefined;
}

export function isPlain(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return isPlainPrimitive(value);
  try {
    // Most often a list of a few numbers or words.
    if (Array.isArray(value) && Object.getPrototypeOf(value) === Array.prototype && isFlat(value)) return true;
    return isPlainObject(value, 0, { few: [], many: undefined });
  } catch {
    // A getter threw; the walk says where.
    return false;
  }
}

/** A primitive that msgpack keeps: not -0, and no string with lone surrogates. */
export function isPlainPrimitive(value: unknown): boolean {
  switch (typeof value) {
    case 'number':
      return value !== 0 || 1 / value > 0;
    case 'string':
      weight += value.length;
      return isWellFormed(value);
    case 'boolean':
    case 'undefined':
    case 'bigint':
      return true;
    default:
      return value === null;
  }
}

/** A key that msgpackr writes and reads as it is. */
export function isPlainKey(key: string): boolean {
  return key !== '__proto__' && isWellFormed(key);
}

export function isWellFormed(text: string): boolean {
  return (text as unknown as { isWellFormed(): boolean }).isWellFormed();
}

/** An array of plain primitives, without holes. */
export function isFlat(array: readonly unknown[]): boolean {
  weight += ITEM * array.length;
  for (let i = 0; i < array.length; i++) {
    const item = array[i];
    if (!isPlainPrimitive(item) || (item === undefined && !(i in array))) return false;
  }
  return true;
}

function isPlainObject(value: object, depth: number, seen: Seen): boolean {
  if (depth > MAX_DEPTH || !isNew(value, seen)) return false;
  const prototype = Object.getPrototypeOf(value);
  if (prototype === Array.prototype) {
    const array = value as unknown[];
    weight += ITEM * array.length;
    for (let i = 0; i < array.length; i++) {
      const item = array[i];
      if (typeof item === 'number' && item !== 0) continue;
      if (typeof item === 'object' && item !== null) {
        if (!isPlainObject(item, depth + 1, seen)) return false;
      } else if (!isPlainPrimitive(item) || (item === undefined && !(i in array))) return false;
    }
    return Array.isArray(value);
  }
  // msgpackr tells plain objects by this property, which may be a member of the object.
  if (prototype !== Object.prototype || value.constructor !== Object) return isDate(value, prototype);
  for (const key in value) {
    weight += key.length + ITEM;
    if (!isPlainKey(key)) return false;
    const item = (value as Record<string, unknown>)[key];
    if (typeof item === 'object' && item !== null) {
      if (!isPlainObject(item, depth + 1, seen)) return false;
    } else if (!isPlainPrimitive(item)) return false;
  }
  return true;
}

function isDate(value: object, prototype: unknown): boolean {
  return prototype === Date.prototype && Object.prototype.toString.call(value) === '[object Date]';
}

/** A second sight means a shared or cyclic object, whose identity only the table keeps. */
function isNew(value: object, seen: Seen): boolean {
  if (seen.many) {
    if (seen.many.has(value)) return false;
    seen.many.add(value);
  } else {
    if (seen.few.includes(value)) return false;
    if (seen.few.push(value) > FEW) seen.many = new Set(seen.few);
  }
  return true;
}
