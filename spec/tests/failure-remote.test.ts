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
