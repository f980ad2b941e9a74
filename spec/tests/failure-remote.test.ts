import { inspect } from 'node:util';
import { check, cluster, RemoteError, TuttiError } from 'tutti';
import { expect, test } from 'vitest';

test('what user code threw on an engine is of its classes, there and here, and a RemoteError', async () => {
  await using client = await cluster({ engines: 1, kind: 'thread' });
  const fail = client.engine(0).execute(`
      class MyLibError extends RangeError {}
      class Full extends MyLibError {}
      throw new Full('no room');
    `);
  const error = await fail.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  class MyLibError extends Error {}
  expect(error).toBeInstanceOf(RemoteError);
  expect(check(error, TypeError, 'MyLibError')).toBe('MyLibError');
  expect(check(error, MyLibError)).toBe(MyLibError);
  for (const type of [RangeError, RemoteError, TuttiError, 'Full', 'RangeError', 'RemoteError'])
    expect(check(error, type)).toBe(type);
  expect(check(error, TypeError, 'Fuller')).toBeUndefined();

  const bare = await client
    .engine(0)
    .execute('throw "just text"')
    .catch((reason: unknown) => reason);
  expect(check(bare, 'Error', RangeError)).toBe('Error');
  expect(check(bare, RangeError, 'just text')).toBeUndefined();
});

test('what an AggregateError is made of comes along, and where each was made', async () => {
  await using client = await cluster({ engines: 1, kind: 'thread' });
  const error: any = await client
    .engine(0)
    .execute(
      `let a: number = 1, inner = new RangeError('near', { cause: new TypeError('root') })
throw new AggregateError([inner, 'text'], 'several')`,
    )
    .catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(RemoteError);
  expect(error).toMatchObject({ name: 'AggregateError', message: 'several', errors: [{ message: 'near' }, 'text'] });
  const [inner] = error.errors;
  expect(inner).toBeInstanceOf(RangeError);
  expect(inner.stack).toMatch(/^RangeError: near\n {4}at .*cell-\d+\.ts:1:28\)?$/);
  expect(inner.cause.stack).toMatch(/^TypeError: root\n {4}at .*cell-\d+\.ts:1:60\)?$/);
  expect(inspect(error)).toMatch(/several[\s\S]*\[errors\]: \[\s*RangeError: near[\s\S]*\[cause\]: TypeError: root/);
});
