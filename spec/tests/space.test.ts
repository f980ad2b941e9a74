/** The tuple space from near and far: one suite. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Client, cluster, connect } from 'tutti';
import { ANY, type TupleSpace, t, tupleSpace } from 'tutti/paradigms';
import { afterAll, describe, expect, test } from 'vitest';
import { spaceSuite } from './space-suite.ts';
import { shared, visitor } from './support/shared.ts';

const plugins = [path.resolve(import.meta.dirname, '../../dist/paradigms/index.js')];
const near = (client: () => Promise<Client>) => ({
  near: true,
  space: async (name: string, options = {}) => (await client()).use(tupleSpace, { name, ...options }),
});

describe('in this process', () => {
  spaceSuite(near(shared(() => cluster({ engines: 0 }))));
});

describe.each(['tcp', 'ws'])('over %s, with a controller of its own', (scheme) => {
  const client = shared(() =>
    visitor({ engines: 0, controller: 'process', plugins, listen: [`${scheme}://127.0.0.1:0`] }, ({ connection }) => ({
      ...connection,
      urls: connection.urls.filter((url) => url.startsWith(`${scheme}:`)),
    })),
  );
  spaceSuite(near(client));
});

test.each([true, false])(
  'what was taken is taken, also where its taker closes at once (durable: %s)',
  async (durable) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'tutti-space-'));
    try {
      const options = { engines: 0, durable: folder, local: true, log: 'silent' } as const;
      const home = await cluster(options);
      const space = home.use(tupleSpace, { durable });
      await space.outMany([
        ['n', 1],
        ['n', 2],
        ['n', 3],
      ]);
      const guest = await connect(home.connection);
      expect(await guest.use(tupleSpace).take(['n', 1])).toEqual(['n', 1]);
      await guest.close();
      expect(await space.count(['n', ANY])).toBe(2);
      await space.take(['n', 2]);
      await home.close();
      const again = await cluster(options);
      expect(await again.use(tupleSpace).readAll(['n', ANY])).toEqual(durable ? [['n', 3]] : []);
      await again.close();
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

describe('durable, after a restart', () => {
  const durable = mkdtempSync(path.join(tmpdir(), 'tutti-space-'));
  afterAll(() => rmSync(durable, { recursive: true }));
  const client = shared(async () => {
    const former = await cluster({ engines: 0, durable });
    await former.use(tupleSpace, { name: 'former', durable: true }).out(['left']);
    await former.close();
    return cluster({ engines: 0, durable });
  });
  const { space, near: isNear } = near(client);
  spaceSuite({ near: isNear, space: (name, options) => space(name, { ...options, durable: true }) });
});

describe('from an engine', () => {
  const client = shared(async () => {
    const home = await cluster({ engines: 1, kind: 'thread', output: 'ignore' });
    home.use(tupleSpace);
    return home;
  });
  const space = async (name: string, options = {}): Promise<TupleSpace> => {
    const engine = (await client()).engine(0);
    // Calls of views come one after the other: those that wait must not hold up the others, and so they are not awaited there.
    const call = async (method: string, args: unknown[]): Promise<unknown> => {
      const key = `call${Math.random()}`;
      await engine.apply(begin, key, name, options, method, args);
      for (;;) {
        const settled = await engine.apply(look, key);
        if (settled) return settled.value;
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    };
    return new Proxy({} as TupleSpace, {
      get: (_, method: string) => (method === 'then' ? undefined : (...args: unknown[]) => call(method, args)),
    });
  };
  spaceSuite({ near: false, space });
});

test('what has arrived is taken, though its client closes at once', async () => {
  await using home = await cluster({ engines: 0, listen: ['tcp://127.0.0.1:0'] });
  const { connection } = home;
  const there = { ...connection, urls: connection.urls.filter((url) => url.startsWith('tcp:')) };
  const space = home.use(tupleSpace);
  for (let n = 0; n < 5; n++) {
    await space.out(['only', n]);
    const taker = await connect(there);
    const taking = taker.use(tupleSpace).take(['only', n]);
    await taking.then(() => taker.close());
    await expect.poll(async () => (await space.info()).taken).toBe(0);
    expect(await space.count()).toBe(0);
  }
});

test('a live tuple is there when its fields are computed; one that fails holds its error', async () => {
  await using home = await cluster({ engines: 2, kind: 'thread', output: 'ignore' });
  const space = home.use(tupleSpace);
  const base = 6;
  const waiting = space.take(['answer', ANY]);
  await space.eval(['answer', () => base * 7]);
  expect(await waiting).toEqual(['answer', 42]);
  await space.eval({ kind: 'worse', value: () => base, error: () => JSON.parse('{') });
  const worse = await space.take({ kind: 'worse', error: t.type(SyntaxError) });
  expect(worse).toMatchObject({ value: 6, error: { name: 'SyntaxError' } });
  await expect(space.eval(['none'])).rejects.toMatchObject({ code: 'USAGE' });
  await expect(home.engine(0).execute("await space.eval(['x', () => 1])")).rejects.toMatchObject({ code: 'USAGE' });
  // Errors keep their classes on the way from an engine.
  await expect(home.engine(0).execute("await space('gone', { create: false }).count()")).rejects.toMatchObject({
    code: 'SPACE_NOT_FOUND',
  });
});

/** On the engine. */
declare const space: (name: string, options: object) => Record<string, (...args: unknown[]) => Promise<unknown>>;

function begin(key: string, name: string, options: object, method: string, args: unknown[]): void {
  const pending = ((globalThis as any)[key] = { settled: undefined as object | undefined });
  space(name, options)[method]!(...args).then(
    (value) => (pending.settled = { value: method.startsWith('out') ? undefined : value }),
    (error) => (pending.settled = { error }),
  );
}

function look(key: string): { value?: unknown } | undefined {
  const { settled } = (globalThis as any)[key];
  if (settled && 'error' in settled) throw settled.error;
  return settled;
}
