import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import * as errors from '../../core/errors.ts';
import { decode, encode, registerErrorClass } from '../../core/wire/codec.ts';

function trip<T>(value: T): T {
  return decode(encode(value)) as T;
}

function same(back: Error, error: Error): void {
  expect(back.name).toBe(error.name);
  expect(back.message).toBe(error.message);
  expect(back.stack).toBe(error.stack);
  expect(String(back)).toBe(String(error));
  expect(Object.keys(back)).toEqual(Object.keys(error));
}

describe('classes', () => {
  test.each([Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError])('%o', (Class) => {
    const error = Object.assign(new Class('broken', { cause: { code: -0 } }), { status: 404, at: new Date(3) });
    const back = trip(error);
    expect(back).toBeInstanceOf(Class);
    expect(back.constructor).toBe(Class);
    expect(Object.prototype.toString.call(back)).toBe('[object Error]');
    same(back, error);
    expect(back.cause).toStrictEqual({ code: -0 });
    expect(Object.getOwnPropertyDescriptor(back, 'message')!.enumerable).toBe(false);
    expect(back).toMatchObject({ status: 404, at: new Date(3) });
  });

  test('AggregateError, causes and cycles', () => {
    const inner = new RangeError('inner');
    const error: any = new AggregateError([inner, 'text', inner], 'several', { cause: inner });
    error.self = error;
    const back = trip(error);
    expect(back).toBeInstanceOf(AggregateError);
    expect(back.errors[0]).toBeInstanceOf(RangeError);
    expect(back.errors[0]).toBe(back.errors[2]);
    expect(back.errors[1]).toBe('text');
    expect(back.cause).toBe(back.errors[0]);
    expect(back.self).toBe(back);
    expect(Object.keys(back)).toEqual(['self']);
  });

  test('DOMException and AbortError', () => {
    const error = trip(new DOMException('stopped', 'AbortError'));
    expect(error).toBeInstanceOf(DOMException);
    expect([error.name, error.message, error.code]).toEqual(['AbortError', 'stopped', 20]);
    expect(trip(AbortSignal.abort().reason).name).toBe('AbortError');
    const clone = trip({ error: AbortSignal.abort(new TypeError('mine')).reason });
    expect(clone.error).toBeInstanceOf(TypeError);
  });

  test('an unknown class reads as before and stands on its nearest known parent', () => {
    class HttpError extends TypeError {
      override name = 'HttpError';
      status = 500;
    }
    class Quiet extends Error {}
    class Deep extends errors.EngineLostError {}
    const error = new HttpError('down');
    const back = trip(error);
    same(back, error);
    expect(back).toBeInstanceOf(TypeError);
    expect(back).not.toBeInstanceOf(HttpError);
    expect(back.constructor.name).toBe('HttpError');
    expect(back.status).toBe(500);
    const quiet = new Quiet('x');
    same(trip(quiet), quiet);
    expect(inspect(trip(quiet))).toContain('Quiet');
    const deep = trip(new Deep('gone', { engine: 3 }));
    expect(deep).toBeInstanceOf(errors.EngineLostError);
    expect(deep.engine).toBe(3);
  });

  test("Node's own errors", () => {
    const error = (() => {
      try {
        Buffer.alloc('x' as unknown as number);
      } catch (e) {
        return e as Error & { code: string };
      }
      throw new Error('no error');
    })();
    const back = trip(error);
    expect(back).toBeInstanceOf(TypeError);
    expect([back.name, back.message, back.stack]).toEqual([error.name, error.message, error.stack]);
    expect(back.code).toBe('ERR_INVALID_ARG_TYPE');
  });

  test('registered classes are themselves again', () => {
    class Mine extends Error {
      readonly extra: Map<string, number>;
      constructor(extra: Map<string, number>) {
        super('mine');
        this.extra = extra;
      }
    }
    registerErrorClass(Mine, 'test.Mine');
    const back = trip(new Mine(new Map([['a', 1]])));
    expect(back).toBeInstanceOf(Mine);
    expect(back.extra).toStrictEqual(new Map([['a', 1]]));
    expect(() => registerErrorClass(class Mine extends Error {}, 'test.Mine')).toThrow(errors.UsageError);
  });

  test('errors of tutti', () => {
    const lost = new errors.EngineLostError('gone', { engine: 2, exitCode: 9, lastOutput: 'x' });
    const back = trip(lost);
    expect(back).toBeInstanceOf(errors.EngineLostError);
    expect(back).toMatchObject({ code: 'ENGINE_LOST', engine: 2, exitCode: 9, signal: null, lastOutput: 'x' });
    same(back, lost);
    const remote = new errors.RemoteError({ engine: 1, task: 't', error: new RangeError('r', { cause: 5 }) });
    const many = trip(new errors.CompositeError([remote, lost], 3));
    expect(many).toBeInstanceOf(errors.CompositeError);
    expect(many.errors[0]).toBeInstanceOf(errors.RemoteError);
    expect(many.errors[0].original).toBeInstanceOf(RangeError);
    same(many.errors[0], remote);
    expect(trip(new errors.CannotTravelError('m', 'p')).path).toBe('p');
  });

  test("a program's own class of the same name stays its own", () => {
    class TimeoutError extends Error {}
    expect(trip(new TimeoutError('x'))).not.toBeInstanceOf(errors.TimeoutError);
    expect(trip(new errors.TimeoutError('x'))).toBeInstanceOf(errors.TimeoutError);
  });
});

describe('an error report always travels', () => {
  test('what cannot travel is described', () => {
    class Socket {}
    const error: any = Object.assign(new Error('x', { cause: Symbol('c') }), {
      fn: function handler() {},
      socket: new Socket(),
      nested: { list: [1, () => {}, new WeakMap()], fine: new Map([['k', -0]]) },
      get bad() {
        return 1;
      },
    });
    Object.defineProperty(error, 'thrower', {
      enumerable: true,
      get() {
        throw new Error('getter');
      },
    });
    Object.defineProperty(error, 'stack', { value: { odd: true } });
    const back = trip(error);
    expect(back.fn).toBe('[function handler]');
    expect(back.socket).toBe('[Socket]');
    expect(back.cause).toBe('[Symbol(c)]');
    expect(back.nested.list).toEqual([1, expect.stringContaining('[function'), '[WeakMap]']);
    expect(Object.is(back.nested.fine.get('k'), -0)).toBe(true);
    expect(back.thrower).toContain('getter');
    expect(back.stack).toBe('[object Object]');
  });

  test('what an error left out does not go missing elsewhere', () => {
    const shared = { fn() {} };
    const value = [Object.assign(new Error('x'), { shared }), shared];
    expect(() => encode(value)).toThrow(/value\[1\]\.fn is a function/);
  });

  test('objects that fight back', () => {
    const hostile = new Proxy(
      {},
      {
        getPrototypeOf() {
          throw new Error('no');
        },
      },
    );
    expect(trip(Object.assign(new Error('x'), { hostile })).message).toBe('x');
    const revoked = Proxy.revocable({}, {});
    revoked.revoke();
    expect(trip(Object.assign(new Error('x'), { revoked: revoked.proxy })).message).toBe('x');
  });
});
