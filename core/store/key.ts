/** Keys, ranges and changes as the contract has them: checked, compared, selected. For stores to build on. */
import { UsageError } from '../errors.ts';
import type { Change, KeyRange } from './store.ts';

const MAX_KEY = 500;
const MAX_NAME = 200;
const MAX_WRITE = 256 * 1024 * 1024;
const MAX_SHOWN = 40;

/** The bytes of a key. */
export function keyBytes(key: string): Buffer {
  return text(key, 'A key', MAX_KEY);
}

/** The bytes of a store's name. */
export function nameBytes(name: string): Buffer {
  return text(name, "A store's name", MAX_NAME);
}

function text(value: string, what: string, most: number): Buffer {
  if (typeof value !== 'string' || value === '') {
    throw new UsageError(`${what} must be a string that is not empty, not ${JSON.stringify(value) ?? String(value)}`);
  }
  wellFormed(value, what);
  const bytes = Buffer.from(value);
  if (bytes.length > most) {
    throw new UsageError(`${what} may have ${most} bytes; ${shown(value)} has ${bytes.length}. Use a digest of it`);
  }
  return bytes;
}

function wellFormed(value: string, what: string): void {
  if (/\p{Surrogate}/u.test(value)) throw new UsageError(`${what} holds half a surrogate pair: ${shown(value)}`);
}

function shown(value: string): string {
  return JSON.stringify(value.length > MAX_SHOWN ? `${value.slice(0, MAX_SHOWN)}…` : value);
}

/** Throws UsageError unless every change keeps to the contract. */
export function checkChanges(changes: readonly Change[]): void {
  if (!Array.isArray(changes)) throw new UsageError('write takes an array of changes: [{ key, value }]');
  const keys = new Set<string>();
  let size = 0;
  for (const { key, value, expected } of changes as readonly Change[]) {
    size += keyBytes(key).length;
    if (keys.has(key)) throw new UsageError(`The key ${shown(key)} is in one write twice; keep the last change`);
    keys.add(key);
    for (const bytes of [value, expected ?? undefined]) {
      if (bytes === undefined) continue;
      if (!(bytes instanceof Uint8Array)) {
        throw new UsageError(
          `The value of ${shown(key)} is no Uint8Array; encode it, or remove the key with undefined`,
        );
      }
      size += bytes.length;
    }
  }
  if (size > MAX_WRITE) {
    throw new UsageError(
      `One write may have ${MAX_WRITE} bytes, not ${size}; divide it, or keep large values elsewhere`,
    );
  }
}

/** Throws UsageError unless the range makes sense. */
export function checkRange({ prefix, from, to, limit }: KeyRange): void {
  for (const [name, value] of Object.entries({ prefix, from, to })) {
    if (value === undefined) continue;
    if (typeof value !== 'string') throw new UsageError(`${name} must be a string`);
    wellFormed(value, name);
  }
  if (limit !== undefined && !(Number.isInteger(limit) && limit >= 0)) {
    throw new UsageError(`limit must be a whole number from 0, not ${limit}`);
  }
}

/** The order of the keys' bytes. UTF-16, JavaScript's own order, has surrogates before U+E000 and up; UTF-8 after. */
export function compareKeys(a: string, b: string): number {
  const end = Math.min(a.length, b.length);
  for (let i = 0; i < end; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

function rank(unit: number): number {
  return unit < 0xd800 ? unit : unit < 0xe000 ? unit + 0x10000 : unit;
}

/** The keys of the range in its order, out of keys that `compareKeys` has sorted. */
export function selectKeys(sorted: readonly string[], range: KeyRange): string[] {
  checkRange(range);
  const { prefix = '', from = '', to, reverse, limit } = range;
  const first = compareKeys(prefix, from) > 0 ? prefix : from;
  const start = position(sorted, first);
  let end = start;
  if (to === undefined && prefix === '') end = sorted.length;
  else if (to !== undefined) end = Math.max(start, position(sorted, to));
  if (prefix !== '') {
    const most = to === undefined ? sorted.length : end;
    end = start;
    while (end < most && sorted[end]!.startsWith(prefix)) end++;
  }
  if (reverse) return sorted.slice(Math.max(start, end - (limit ?? end)), end).reverse();
  return sorted.slice(start, Math.min(end, start + (limit ?? end)));
}

/** Where in the list the key is, or would be. */
function position(sorted: readonly string[], key: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareKeys(sorted[middle]!, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
