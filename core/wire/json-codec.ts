/**
 * The `json` codec, for clients in other languages: plain values only. What JSON would silently change is refused.
 */
import { CannotTravelError } from '../errors.ts';
import { classNameOf } from './kinds.ts';
import { member } from './value-path.ts';

export function encodeJson(value: unknown, root: string): Uint8Array {
  try {
    check(value, root, new Set());
    return new TextEncoder().encode(JSON.stringify(value));
  } catch (error) {
    if (error instanceof RangeError) {
      throw new CannotTravelError(
        `${root} is nested too deeply (or too long) for the json codec; flatten it, or use msgpack`,
        root,
        { cause: error },
      );
    }
    throw error;
  }
}

export function decodeJson(body: Uint8Array): unknown {
  return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
}

function check(value: unknown, path: string, above: Set<object>): void {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return;
  if (typeof value === 'number') {
    if (!Number.isFinite(value) || Object.is(value, -0)) throw lost(Object.is(value, -0) ? '-0' : String(value), path);
    return;
  }
  if (typeof value !== 'object') throw lost(value === undefined ? 'undefined' : `a ${typeof value}`, path);
  if (above.has(value)) throw lost('a cycle back to an object that contains it', path);
  above.add(value);
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      if (!(i in value)) throw lost('a hole in an array', `${path}[${i}]`);
      check(value[i], `${path}[${i}]`, above);
    }
  } else {
    if (Object.getPrototypeOf(value) !== Object.prototype) throw lost(`a ${classNameOf(value)}`, path);
    for (const [key, item] of Object.entries(value)) check(item, path + member(key), above);
  }
  above.delete(value);
}

function lost(what: string, path: string): CannotTravelError {
  return new CannotTravelError(
    `${path} is ${what}, which JSON cannot carry; send it in another form (text, null, an array), or use the msgpack codec`,
    path,
  );
}
