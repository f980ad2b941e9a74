/** Errors checked by class and by name, made here or elsewhere. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Deferred } from '../../core/deferred/index.ts';
import { CancelledError, RemoteError, TimeoutError, UsageError } from '../../core/errors.ts';
import { check, trap } from '../../core/failure.ts';
import { decode, encode, registerErrorClass } from '../../core/wire/codec.ts';

class LibraryError extends TypeError {}
class HttpError extends LibraryError {}

const travelled = <T>(value: T): T => decode(encode(value)) as T;
/** As one of these classes (the nearest first) that only the other side knows. */
function stranger(...names: string[]): Error {
  let Class: new (message: string) => Error = Error;
  for (const name of [...names].reverse()) {
    Class = class extends Class {};
    Object.defineProperty(Class, 'name', { value: name });
  }
  return travelled(new Class('from elsewhere'));
}

describe('an error that was made here', () => {
  test('is of its class, its parents, and their names', () => {
    const error = new HttpError('down');
    expect(check(error, HttpError)).toBe(HttpError);
    expect(check(error, RangeError, LibraryError, HttpError)).toBe(LibraryError);
    expect(check(error, 'HttpError')).toBe('HttpError');
    expect(check(error, 'RangeError', 'LibraryError')).toBe('LibraryError');
    expect(check(error, 'Error', TypeError)).toBe('Error');
    expect(check(error, RangeError, 'RangeError', SyntaxError)).toBeUndefined();
    expect(check(error)).toBeUndefined();
  });

  test('is of a name that it was given', () => {
    expect(check(Object.assign(new Error('x'), { name: 'OutOfReach' }), 'OutOfReach')).toBe('OutOfReach');
    expect(check(AbortSignal.abort().reason, 'AbortError')).toBe('AbortError');
    expect(check(new CancelledError('x'), TimeoutError, 'TuttiError')).toBe('TuttiError');
  });

  test('is not of another class of the same name', () => {
    const Other = { TimeoutError: class TimeoutError extends Error {} }.TimeoutError;
    expect(check(new Other('late'), TimeoutError)).toBeUndefined();
    expect(check(new TimeoutError('late'), Other)).toBeUndefined();
    expect(check(new Other('late'), 'TimeoutError')).toBe('TimeoutError');
  });

  test.each([undefined, null, 'Error', 7, { name: 'Error' }, () => {}])('%o is of nothing', (thrown) => {
    expect(check(thrown, Error, 'Error', TypeError)).toBeUndefined();
  });

  test('what is neither class nor name is refused', () => {
    for (const wrong of [undefined, null, 5, {}]) expect(() => check(new Error('x'), wrong as any)).toThrow(UsageError);
  });
});

describe('an error from elsewhere', () => {
  test('is of all its classes, also those that nobody knows here', () => {
    const error = stranger('DeepError', 'MiddleError', 'TopError');
    for (const name of ['DeepError', 'MiddleError', 'TopError', 'Error']) expect(check(error, name)).toBe(name);
    expect(check(error, 'TypeError', TypeError)).toBeUndefined();
  });

  test('is of a class here that has the name of one of its classes', () => {
    const error = travelled(new HttpError('down'));
    expect(error).not.toBeInstanceOf(HttpError);
    expect(check(error, HttpError)).toBe(HttpError);
    expect(check(error, RangeError, LibraryError)).toBe(LibraryError);
    expect(check(error, TypeError)).toBe(TypeError);
    expect(check(stranger('TimeoutError'), TimeoutError)).toBeUndefined(); // of tutti, which registers its own
    expect(check(travelled(new TimeoutError('late')), 'TimeoutError', TimeoutError)).toBe('TimeoutError');
  });

  test('is of a registered class, by its own name and the one it is registered under', () => {
    class Registered extends RangeError {}
    registerErrorClass(Registered, 'spec.failure.Registered');
    class Below extends Registered {}
    for (const error of [new Below('x'), travelled(new Below('x')), travelled(travelled(new Below('x')))]) {
      expect(check(error, Registered)).toBe(Registered);
      expect(check(error, Below)).toBe(Below);
      expect(check(error, 'Below')).toBe('Below');
      expect(check(error, 'spec.failure.Registered')).toBe('spec.failure.Registered');
    }
    expect(check(new Below('x'), 'Registered')).toBe('Registered');
  });

  test('keeps its classes however often it travels', () => {
    const names = fc.array(fc.stringMatching(/^@?[A-Z][a-z.]{0,6}Problem$/), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(names, fc.nat(3), (classes, trips) => {
        let error = stranger(...classes.map((name) => name.replace('@', '')));
        for (let i = 0; i < trips; i++) error = travelled(error);
        for (const name of classes) expect(check(error, name.replace('@', ''))).toBe(name.replace('@', ''));
        expect(error.constructor.name).toBe(classes[0]!.replace('@', ''));
        expect(check(error, 'Elsewhere', TypeError)).toBeUndefined();
      }),
    );
  });

  test('whose class has no end of parents is still an error', () => {
    const names = Array.from({ length: 500 }, (_, i) => `E${i}`);
    const error = stranger(...names);
    expect(error.message).toBe('from elsewhere');
    expect(check(error, 'E31', 'Error')).toBe('E31');
    expect(check(error, 'E32')).toBeUndefined();
  });
});

test('a RemoteError that is sent on is still what its original was', () => {
  const error = new RemoteError({ engine: 1, task: '1.1', error: stranger('Full', 'MyLibError') });
  for (const one of [error, travelled(error), travelled(travelled(error))])
    expect(check(one, TypeError, 'MyLibError')).toBe('MyLibError');
});

describe('trap', () => {
  test('returns the type, or throws the very error', () => {
    const error = new HttpError('down');
    expect(trap(error, RangeError, TypeError)).toBe(TypeError);
    expect(trap(error, 'LibraryError')).toBe('LibraryError');
    for (const thrown of [error, 'text', undefined]) {
      let caught: unknown = 'nothing';
      try {
        trap(thrown, RangeError);
      } catch (reason) {
        caught = reason;
      }
      expect(caught).toBe(thrown);
    }
  });

  test('lets a handler of a Deferred take what it knows, and pass the rest on', async () => {
    const guarded = (error: Error) =>
      Deferred.fail(error).addErrback((reason) => {
        trap(reason, RangeError, 'HttpError');
        return 'handled';
      });
    expect(await guarded(new HttpError('down'))).toBe('handled');
    await expect(guarded(new SyntaxError('odd')).toPromise()).rejects.toThrow(SyntaxError);
  });
});
