/**
 * Tuples and templates as JSON, for the command line. What JSON lacks is an object with one key that begins with `$`; in templates `?`
 * is short for `{"$any":true}`.
 */
import { UsageError } from '../../core/index.ts';
import { fieldOfKind } from './fields.ts';

/** Throws UsageError with the place where it goes wrong. */
export function parseTuple(text: string): unknown {
  return revive(parse(text, text), false);
}

export function parseTemplate(text: string): unknown {
  // A question mark outside of texts is no JSON, so it cannot mean anything else.
  const long = text.replace(TEXT_OR_MARK, (found) => (found === '?' ? '{"$any":true}' : found));
  return revive(parse(long, text), true);
}

export function printTuple(value: unknown): string {
  return JSON.stringify(plain(value));
}

const TEXT_OR_MARK = /"(?:[^"\\]|\\.)*"|\?/g;

/** @param text as it was given */
function parse(long: string, text: string): unknown {
  try {
    return JSON.parse(long);
  } catch (cause) {
    const at = wrongAt(text);
    const what = at >= text.length ? 'it ends too early' : `${JSON.stringify(text[at])} does not belong here`;
    const start = Math.max(0, at - 60);
    const line = text.slice(start, at + 20).replace(/\n/g, ' ');
    throw new UsageError(`This is no JSON, at position ${at}: ${what}\n  ${line}\n  ${' '.repeat(at - start)}^`, {
      cause,
    });
  }
}

const SCALAR =
  /"(?:[^"\\\p{Cc}]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null|\?/uy;

/** Where a text stops being JSON, which JSON.parse does not always tell. */
function wrongAt(text: string): number {
  let at = 0;
  const spaces = (): string | undefined => {
    while (/\s/.test(text[at] ?? '')) at++;
    return text[at];
  };
  const is = (char: string): boolean => spaces() === char && ++at > 0;
  const scalar = (): boolean => {
    spaces();
    SCALAR.lastIndex = at;
    const found = SCALAR.exec(text);
    at += found?.[0].length ?? 0;
    return found !== null;
  };
  const list = (end: string, item: () => boolean): boolean => {
    if (is(end)) return true;
    do if (!item()) return false;
    while (is(','));
    return is(end);
  };
  const value = (): boolean => {
    if (is('[')) return list(']', value);
    if (is('{')) return list('}', () => spaces() === '"' && scalar() && is(':') && value());
    return scalar();
  };
  if (value()) spaces();
  return at;
}

const VALUES: Record<string, (given: any) => unknown> = {
  $bigint: BigInt,
  $undefined: () => undefined,
  $number: Number,
  $date: (given) => new Date(given),
  $bytes: (given) => new Uint8Array(Buffer.from(given, 'base64')),
  $map: (given) => new Map(given.map((pair: unknown[]) => pair.map((one) => revive(one, false)))),
  $set: (given) => new Set(given.map((one: unknown) => revive(one, false))),
};
const FIELDS = ['any', 'type', 'range', 'oneOf', 're'];

function revive(value: unknown, template: boolean): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => revive(item, template));
  const keys = Object.keys(value);
  const key = keys.find((one) => one.startsWith('$'));
  if (key !== undefined) {
    const given = (value as Record<string, any>)[key];
    if (VALUES[key] && keys.length === 1) return VALUES[key](given);
    if (template && FIELDS.includes(key.slice(1))) return field(key.slice(1), given, value as Record<string, unknown>);
    const known = [...Object.keys(VALUES), ...(template ? FIELDS.map((kind) => `$${kind}`) : [])];
    throw new UsageError(`Nobody knows ${JSON.stringify(value)} here; keys with '$' are ${known.join(', ')}`);
  }
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, revive(item, template)]));
}

function field(kind: string, given: unknown, whole: Record<string, unknown>): unknown {
  if (kind === 're') return fieldOfKind(kind, [given, whole.flags]);
  const args = Array.isArray(given) ? given.map((one) => revive(one, false)) : [given];
  // An end that is left open.
  return fieldOfKind(kind, kind === 'range' ? args.map((end) => end ?? undefined) : args);
}

function plain(value: unknown): unknown {
  switch (typeof value) {
    case 'bigint':
      return { $bigint: String(value) };
    case 'undefined':
      return { $undefined: true };
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0)
        ? value
        : { $number: Object.is(value, -0) ? '-0' : String(value) };
    case 'object':
      break;
    default:
      return value;
  }
  if (value === null) return null;
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Date) return { $date: value.getTime() };
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString('base64') };
  if (value instanceof Map) return { $map: [...value].map((pair) => pair.map(plain)) };
  if (value instanceof Set) return { $set: [...value].map(plain) };
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null)
    throw new UsageError(`A tuple holds a ${prototype.constructor?.name ?? 'value'}, for which JSON has no form`);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}
