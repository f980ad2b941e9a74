import { LONGEST_DELAY } from '../deferred/clock.ts';
import { UsageError } from '../errors.ts';

/** What a value must be: in words, and as a test. */
export interface Kind {
  readonly is: string;
  test(value: any): boolean;
}

/** Options by name. One that is undefined was not given. */
export type Kinds = Readonly<Record<string, Kind>>;

const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';
const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);

export const text: Kind = { is: 'a text that is not empty', test: isText };
export const texts: Kind = {
  is: 'a list of texts',
  test: (value) => Array.isArray(value) && value.every(isText),
};
export const flag: Kind = { is: 'true or false', test: (value) => typeof value === 'boolean' };
export const count: Kind = {
  is: 'a whole number from 1 on',
  test: (value) => Number.isSafeInteger(value) && value > 0,
};
export const period: Kind = {
  is: `a number of milliseconds from 1 to ${LONGEST_DELAY} (24.8 days)`,
  test: (value) => typeof value === 'number' && value >= 1 && value <= LONGEST_DELAY,
};
export const timeout: Kind = {
  is: 'a number of milliseconds, 0 or more',
  test: (value) => typeof value === 'number' && value >= 0,
};
export const signal: Kind = { is: 'an AbortSignal', test: (value) => value instanceof AbortSignal };
export const object: Kind = { is: 'an object', test: isObject };

export function oneOfTexts(...known: readonly string[]): Kind {
  return { is: known.map((one) => `'${one}'`).join(' or '), test: (value) => known.includes(value) };
}

/** An object with no other members than these, each of its kind. */
export function objectOf(members: Kinds, needed: readonly string[] = []): Kind {
  return {
    is: `an object: { ${Object.entries(members)
      .map(([name, { is }]) => `${name}${needed.includes(name) ? '' : '?'}: ${is}`)
      .join(', ')} }`,
    test: (value) =>
      isObject(value) &&
      needed.every((name) => value[name] !== undefined) &&
      Object.entries(value).every(
        ([name, one]) => Object.hasOwn(members, name) && (one === undefined || members[name]!.test(one)),
      ),
  };
}

/** An object of texts, with any names or with these. */
export function textsByName(...names: readonly string[]): Kind {
  return {
    is: names.length ? `an object of texts that are not empty: ${names.join(', ')}` : 'an object of texts',
    test: (value) =>
      isObject(value) &&
      Object.entries(value).every(
        ([name, one]) =>
          (names.length === 0 || names.includes(name)) &&
          (names.length === 0 ? typeof one === 'string' : one === undefined || isText(one)),
      ),
  };
}

/** A misspelt option would be ignored without a word, and nonsense in one found out about much later. */
export function checkOptions(what: string, options: unknown, kinds: Kinds): void {
  const known = Object.keys(kinds);
  if (!isObject(options)) {
    throw new UsageError(`The options of ${what} are an object, e.g. { ${known[0]}: … }; got ${describe(options)}`);
  }
  for (const [name, value] of Object.entries(options as object)) {
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
    if (!kind) throw new UsageError(`${what} has no option '${name}'; its options: ${known.join(', ')}`);
    if (value !== undefined && !kind.test(value)) {
      throw new UsageError(`${name} is ${kind.is}; got ${describe(value)}`);
    }
  }
}

/** Long texts are not repeated: a key may be among them. */
function describe(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  if (typeof value === 'string') return value.length > 40 ? 'another text' : `'${value}'`;
  return typeof value === 'function' ? 'a function' : String(value);
}
