import { UsageError } from '../errors.ts';

/** A misspelt option would be ignored without a word. */
export function checkOptions(what: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new UsageError(`The options of ${what} are an object, e.g. { ${known[0]}: … }; got ${describe(options)}`);
  }
  for (const name of Object.keys(options)) {
    if (!known.includes(name))
      throw new UsageError(`${what} has no option '${name}'; its options: ${known.join(', ')}`);
  }
}

function describe(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'an object' : `${typeof value} ${String(value)}`;
}
