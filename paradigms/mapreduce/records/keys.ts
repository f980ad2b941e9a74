/**
 * The order of keys, and what makes two of them equal: the same in all processes. Numbers are compared by value, texts by code unit,
 * arrays by their elements; different kinds follow each other as in `Kind`.
 */
import { MapReduceError } from '../errors.ts';

export type Compare<K = any> = (a: K, b: K) => number;

const Kind = {
  undefined: 0,
  null: 1,
  boolean: 2,
  number: 3,
  bigint: 4,
  string: 5,
  date: 6,
  bytes: 7,
  array: 8,
  object: 9,
};

function kindOf(key: unknown): number {
  switch (typeof key) {
    case 'string':
      return Kind.string;
    case 'number':
      return Kind.number;
    case 'boolean':
      return Kind.boolean;
    case 'bigint':
      return Kind.bigint;
    case 'undefined':
      return Kind.undefined;
    case 'object':
      if (key === null) return Kind.null;
      if (Array.isArray(key)) return Kind.array;
      if (key instanceof Date) return Kind.date;
      return key instanceof Uint8Array ? Kind.bytes : Kind.object;
    default:
      throw new MapReduceError(`A key is data; got a ${typeof key}`);
  }
}

/** Negative, 0 or positive, for any two keys. NaN comes after all other numbers; 0 and -0 are equal. */
export function compareKeys(a: any, b: any): number {
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : a > b ? 1 : 0;
  if (typeof a === 'number' && typeof b === 'number') return compareNumbers(a, b);
  const kind = kindOf(a);
  const difference = kind - kindOf(b);
  if (difference) return difference;
  switch (kind) {
    case Kind.undefined:
    case Kind.null:
      return 0;
    case Kind.date:
      return compareNumbers(a.getTime(), b.getTime());
    case Kind.bytes:
      return Buffer.compare(a, b);
    case Kind.array:
      return compareArrays(a, b);
    case Kind.object:
      return compareKeys(canonical(a), canonical(b));
    default:
      return a < b ? -1 : a > b ? 1 : 0;
  }
}

function compareNumbers(a: number, b: number): number {
  if (a < b) return -1;
  if (a > b) return 1;
  return a === b ? 0 : Number(Number.isNaN(a)) - Number(Number.isNaN(b));
}

function compareArrays(a: readonly unknown[], b: readonly unknown[]): number {
  const shorter = Math.min(a.length, b.length);
  for (let i = 0; i < shorter; i++) {
    const order = compareKeys(a[i], b[i]);
    if (order) return order;
  }
  return a.length - b.length;
}

/** A text that equal keys have in common, and no others. */
export function canonical(key: unknown): string {
  switch (kindOf(key)) {
    case Kind.string:
      return JSON.stringify(key);
    case Kind.bigint:
      return `${key}n`;
    case Kind.date:
      return `d${(key as Date).getTime()}`;
    case Kind.bytes:
      return `b${Buffer.from(key as Uint8Array).toString('base64')}`;
    case Kind.array:
      return `[${(key as unknown[]).map(canonical).join()}]`;
    case Kind.object:
      return canonicalObject(key as object);
    default:
      return Object.is(key, -0) ? '0' : String(key);
  }
}

function canonicalObject(key: object): string {
  if (key instanceof Map) return `m[${[...key].map(canonical).sort().join()}]`;
  if (key instanceof Set) return `s[${[...key].map(canonical).sort().join()}]`;
  const prototype = Object.getPrototypeOf(key);
  if (prototype !== null && prototype !== Object.prototype && prototype.constructor?.name !== 'Object')
    throw new MapReduceError(
      `A key of class ${prototype.constructor?.name} has no order; use a text, a number, a list or a plain object`,
    );
  const fields = Object.entries(key).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([name, value]) => `${JSON.stringify(name)}:${canonical(value)}`).join()}}`;
}

/** 32 bits, the same in every process. */
export function hashKey(key: unknown): number {
  if (typeof key === 'string') return hashText(key);
  if (typeof key === 'number' && (key | 0) === key) return mix(key ^ 0x5bd1e995);
  return (hashText(canonical(key)) ^ 0x2f) >>> 0;
}

function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return mix(hash);
}

function mix(bits: number): number {
  let hash = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
