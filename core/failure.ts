/**
 * What failed, asked of an error by class or by name, also when it comes from another process: there, and in every copy
 * of a package, the same class is another object, and only its name has travelled.
 */
import { UsageError } from './errors.ts';
import { arrivedAs, classNames, isError, shownName } from './wire/error-codec.ts';

/** A class of errors, or what one (or its parent) is called: `TypeError`, `'MyLibError'`, `'AbortError'`. */
export type ErrorType = string | (abstract new (...args: any[]) => unknown);

/**
 * The first of `types` that the error is of, or undefined. A class fits what is an instance of it, and what arrived as
 * one from elsewhere. A name fits the error's `name`, and the names of its class and all parents. A RemoteError is also
 * whatever its `original` is.
 *
 * ```ts
 * import { check } from 'tutti';
 *
 * const error = Object.assign(new RangeError('too far'), { name: 'OutOfReach' });
 * console.log(check(error, TypeError, 'OutOfReach'), check(error, Error) === Error);
 * // prints: OutOfReach true
 * ```
 */
export function check<const T extends readonly ErrorType[]>(error: unknown, ...types: T): T[number] | undefined {
  const faces = isErrorLike(error) && isRemote(error) ? [error, error.original] : [error];
  return types.find((type) => faces.some(typeof type === 'string' ? calledBy(type) : instanceOf(type)));
}

/** `check` for handlers: what is of none of `types` is thrown on, as it is. */
export function trap<const T extends readonly ErrorType[]>(error: unknown, ...types: T): T[number] {
  const type = check(error, ...types);
  if (type === undefined) throw error;
  return type;
}

function calledBy(name: string): (error: unknown) => boolean {
  return (error) => isErrorLike(error) && (error.name === name || hasClass(error, name));
}

function hasClass(error: Error, name: string): boolean {
  return classNames(error).some((wire) => shownName(wire) === name || wire === `@${name}`);
}

/** By its name, since an engine's code may have come with a tutti of its own. */
function isRemote(error: Error): error is Error & { original: unknown } {
  return 'original' in error && hasClass(error, 'RemoteError');
}

function instanceOf(type: Exclude<ErrorType, string>): (error: unknown) => boolean {
  if (typeof type !== 'function')
    throw new UsageError(
      `check and trap take classes and names of errors; got ${type === null ? 'null' : typeof type}`,
    );
  return (error) => error instanceof type || (isErrorLike(error) && arrivedAs(error, type as abstract new () => Error));
}

function isErrorLike(error: unknown): error is Error {
  return typeof error === 'object' && error !== null && isError(error);
}
