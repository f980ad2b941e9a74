/** Options of the methods, checked where they are given. */
import { UsageError } from '../../core/index.ts';
import type { RequestOptions } from './protocol.ts';

const period = (value: unknown): boolean => typeof value === 'number' && value >= 0;
const flag = (value: unknown): boolean => typeof value === 'boolean';
const count = (value: unknown): boolean => Number.isInteger(value) && (value as number) >= 1;

const KINDS: Record<string, [test: (value: unknown) => boolean, what: string]> = {
  timeout: [period, 'a number of milliseconds from 0 on'],
  lease: [period, 'a number of milliseconds from 0 on'],
  hold: [period, 'a number of milliseconds from 0 on'],
  idle: [period, 'a number of milliseconds from 0 on'],
  exact: [flag, 'true or false'],
  ack: [flag, 'true or false'],
  limit: [count, 'a whole number from 1 on'],
  concurrency: [count, 'a whole number from 1 on'],
  signal: [(value) => value instanceof AbortSignal, 'an AbortSignal'],
  kinds: [Array.isArray, "a list, e.g. ['write', 'take']"],
};

/** Throws UsageError for what is not among the names, or makes no sense. Infinity is no limit at all. */
export function checkedOptions<T extends object>(method: string, options: T | undefined, names: readonly string[]): T {
  if (options === undefined) return {} as T;
  if (typeof options !== 'object' || options === null)
    throw new UsageError(`${method} takes options as an object, e.g. { ${names[0]}: … }; got ${String(options)}`);
  for (const [name, value] of Object.entries(options)) {
    if (!names.includes(name)) throw new UsageError(`${method} has no option '${name}'; options: ${names.join(', ')}`);
    if (value === undefined) continue;
    const [test, what] = KINDS[name]!;
    if (!test(value)) throw new UsageError(`${method}: ${name} is ${what}; got ${String(value)}`);
  }
  return options;
}

/** What of it the controller has to know; undefined where that is nothing. */
export function requestOptions(options: RequestOptions): RequestOptions | undefined {
  let found: RequestOptions | undefined;
  for (const name of ['timeout', 'exact', 'lease', 'ack', 'hold', 'limit'] as const) {
    const value = options[name];
    if (value === undefined || value === false || (value === Number.POSITIVE_INFINITY && name !== 'hold')) continue;
    found ??= {};
    (found as Record<string, unknown>)[name] = value;
  }
  return found;
}
