/** How values are shown: as Node's console shows them, or as JSON. */
import { inspect } from 'node:util';
import { coloured } from './output.ts';

export function shown(value: unknown): string {
  return inspect(value, { colors: coloured(process.stdout) });
}

export const JSON_RULE =
  'In JSON, undefined is null, a bigint is a string, a typed array is an array of numbers, and what JSON has no form for ' +
  '(NaN, functions, Map, Set, errors, cycles) is the text that the console shows.';

/** The nearest thing that JSON can carry; `JSON_RULE` in words. */
export function jsonable(value: unknown, around: readonly object[] = []): unknown {
  if (value === undefined) return null;
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'function' || typeof value === 'symbol') return inspect(value);
  if (typeof value !== 'object' || value === null) return value;
  if (around.includes(value)) return inspect(value, { depth: 0 });
  const inside = (inner: unknown): unknown => jsonable(inner, [...around, value]);
  if (ArrayBuffer.isView(value) && !(value instanceof DataView))
    return Array.from(value as unknown as unknown[], inside);
  if (Array.isArray(value)) return Array.from(value, inside);
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function') return value;
  const { prototype } = Object;
  const parent = Object.getPrototypeOf(value);
  if (parent !== prototype && parent !== null) return inspect(value);
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) => (inner === undefined ? [] : [[key, inside(inner)]])),
  );
}
