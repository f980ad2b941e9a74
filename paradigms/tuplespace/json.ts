/**
 * Tuples and templates as JSON, for the command line. What JSON lacks is an object with one key that begins with `$`; in templates `?`
 * is short for `{"$any":true}`.
 */
import { UsageError } from '../../core/index.ts';
import { fieldOfKind } from './fields.ts';

/** Throws UsageError with the place where it goes wrong. */
export function parseTuple(text: string): unknown {
  return revive(parse(text, text, []), false);
}

export function parseTemplate(text: string): unknown {
  const shifts: number[] = [];
  // A question mark outside of texts is no JSON, so it cannot mean anything else.
  const long = text.replace(/"(?:[^"\\]|\\.)*"|\?/g, (found, at: number) => {
    if (found !== '?') return found;
    shifts.push(at);
    return ANYTHING;
  });
  return revive(parse(long, text, shifts), true);
}

export function printTuple(value: unknown): string {
  return JSON.stringify(plain(value));
}

const ANYTHING = '{"$any":true}';

function parse(long: string, text: string, shifts: readonly number[]): unknown {
  try {
    return JSON.parse(long);
  } catch (error) {
    const { message } = error as SyntaxError;
    let at = Number(/at position (\d+)/.exec(message)?.[1] ?? long.length);
    for (const shift of shifts) if (at > shift) at = Math.max(shift, at - ANYTHING.length + 1);
    const start = Math.max(0, at - 60);
    const line = text.slice(start, at + 20).replace(/\n/g, ' ');
    throw new UsageError(
      `This is no JSON, at position ${at}: ${message.replace(/ in JSON at position.*| *JSON input/, '')}\n  ${line}\n  ${' '.repeat(at - start)}^`,
      { cause: error },
    );
  }
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
