/** Streams between halves: read no faster than they are wanted, ended from either side, and by the loss of either. */
import assert from 'node:assert/strict';
import { type ClientHost, cluster, connect, EngineLostError, type Party, SessionLostError } from 'tutti';
import { describe, expect, test } from 'vitest';
import { probe } from '../fixtures/paradigms/probe.mjs';
import { ownHome, shared, using } from './support/shared.ts';

ownHome();

/** Items that may have been produced and not read: a batch here, one on its way, one there. */
const AHEAD = 3 * 64;

interface Seen {
  read: number;
  left: number;
  aborted: string[];
}

describe.each(['process', 'thread'] as const)('%s engines', (kind) => {
  const home = shared(() => cluster({ engines: 1, kind, output: 'ignore', name: `streams-${kind}` }));
  const parties: [string, (h: ClientHost) => Party][] = [
    ['the controller', (h) => h.controller],
    ['an engine', (h) => h.engine(0)],
  ];

  describe.each(parties)('from %s', (_name, of) => {
    const seenAt = async (): Promise<Seen> => of((await home()).use(probe)).ask('seen');

    test('is read no further ahead than a batch, and breaking out of the loop ends it', async () => {
      const party = of((await home()).use(probe));
      const before = await seenAt();
      const taken: number[] = [];
      for await (const item of party.stream<number>('numbers', { count: 1e9 })) {
        taken.push(item);
        if (taken.length === 10) {
          const { read } = await seenAt();
          assert.ok(read - before.read <= 10 + AHEAD, `${read - before.read} were read for 10`);
        }
        if (taken.length === 1000) break;
      }
      assert.deepEqual(
        taken,
        Array.from({ length: 1000 }, (_, i) => i),
      );
      await expect.poll(async () => (await seenAt()).left).toBe(before.left + 1);
      assert.ok((await seenAt()).read - before.read <= 1000 + AHEAD);
    });

    test('is not asked for before somebody reads', async () => {
      const party = of((await home()).use(probe));
      const before = await seenAt();
      party.stream('numbers', { count: 5 });
      await party.ask('echo');
      assert.equal((await seenAt()).read, before.read);
    });

    test('items come before the error that follows them', async () => {
      const party = of((await home()).use(probe));
      const taken: number[] = [];
      await assert.rejects(
        async () => {
          for await (const item of party.stream<number>('numbers', { count: 200, failAt: 150 })) taken.push(item);
        },
        (error) => error instanceof RangeError && error.message === 'no 150',
      );
      assert.equal(taken.length, 150);
    });

    test('a signal ends it where it is read and where it is made', async () => {
      const party = of((await home()).use(probe));
      const before = await seenAt();
      const abort = new AbortController();
      const items = party.stream('numbers', { count: 1e9 }, { signal: abort.signal })[Symbol.asyncIterator]();
      assert.equal((await items.next()).value, 0);
      abort.abort(new Error('enough'));
      await assert.rejects(async () => {
        for (;;) if ((await items.next()).done) return;
      }, /enough/);
      await expect.poll(async () => (await seenAt()).left).toBe(before.left + 1);
      const aborted = party.stream('numbers', { count: 1 }, { signal: AbortSignal.abort(new Error('before')) });
      await assert.rejects(async () => {
        for await (const _ of aborted) assert.fail('it was aborted before');
      }, /before/);
    });

    test('a caller that leaves ends its streams and what it waits for', async () => {
      const party = of((await home()).use(probe));
      const before = await seenAt();
      const guest = await connect(`streams-${kind}`, { output: 'ignore' });
      const theirs = of(guest.use(probe));
      const items = theirs.stream('numbers', { count: 1e9 })[Symbol.asyncIterator]();
      await items.next();
      const waiting = assert.rejects(theirs.ask('forever'), SessionLostError);
      await theirs.ask('echo');
      await guest.close();
      await waiting;
      await assert.rejects(async () => {
        for (;;) await items.next();
      }, SessionLostError);
      await expect
        .poll(async () => {
          const { left, aborted } = (await party.ask('seen')) as Seen;
          return [left - before.left, aborted.length - before.aborted.length];
        })
        .toEqual([1, 1]);
    });

    test('what is cancelled is told so, and rejects with the reason', async () => {
      const party = of((await home()).use(probe));
      const before = await seenAt();
      const abort = new AbortController();
      const waiting = party.ask('forever', undefined, { signal: abort.signal });
      await party.ask('echo');
      abort.abort(new Error('no longer'));
      await assert.rejects(waiting, /no longer/);
      await expect.poll(async () => (await seenAt()).aborted.slice(before.aborted.length)).toEqual(['AbortError']);
      await assert.rejects(party.ask('echo', 1, { signal: AbortSignal.abort(new Error('at once')) }), /at once/);
    });
  });
});

test('an engine that is killed ends what others wait for, with its id', () =>
  using({ engines: 2, kind: 'process', name: 'killed' }, async (c) => {
    const h = c.use(probe);
    const lost = (e: unknown): boolean => e instanceof EngineLostError && e.engine === 0;
    const items = h.engine(0).stream('numbers', { count: 1e9 })[Symbol.asyncIterator]();
    await items.next();
    const endless = async (): Promise<void> => {
      for (;;) await items.next();
    };
    const byEngine = h.engine(1).ask('relay', { to: { engine: 0 }, op: 'forever' });
    const byController = h.controller.ask('relay', { to: { engine: 0 }, op: 'forever' });
    const mine = h.engine(0).ask('forever');
    await expect.poll(async () => (await h.engine(0).ask('seen')).left).toBe(0);
    await h.engine(1).ask('relay', { to: { engine: 0 }, op: 'echo' });
    await h.controller.ask('relay', { to: { engine: 0 }, op: 'echo' });
    const ended = Promise.all([
      assert.rejects(mine, lost),
      assert.rejects(byController, lost),
      assert.rejects(byEngine, /lost/),
      assert.rejects(endless, lost),
    ]);
    process.kill(c.engines[0]!.pid, 'SIGKILL');
    await ended;
    const losses = (): Promise<{ type: string; engine: number }[]> => h.engine(1).ask('losses');
    await expect
      .poll(async () => (await losses()).map((l) => `${l.type} ${l.engine}`).sort())
      .toEqual(['channel 0', 'engine 0']);
    await assert.rejects(async () => h.engine(0).ask('echo'));

    await c.restart([0]);
    assert.equal(await h.engine(0).ask('echo', 'again'), 'again');
    assert.equal(
      await h.engine(1).ask('relay', { to: { engine: 0 }, op: 'echo', value: 'new channel' }),
      'new channel',
    );
    assert.equal(
      await h.controller.ask('relay', { to: { engine: 0 }, op: 'echo', value: 'new session' }),
      'new session',
    );
  }));

test('a client that is asked, and leaves, is missed', () =>
  using({ engines: 1, kind: 'thread', name: 'missed' }, async (c) => {
    const h = c.use(probe);
    const guest = await connect('missed', { output: 'ignore' });
    guest.use(probe).handle({ forever: () => new Promise(() => {}) });
    await guest.use(probe).controller.ask('echo');
    const waiting = [h.controller, h.engine(0)].map((party) =>
      assert.rejects(party.ask('relay', { to: { client: 2 }, op: 'forever' }), /Client 2 has left/),
    );
    await h.engine(0).ask('echo');
    await guest.close();
    await Promise.all(waiting);
    await expect.poll(() => h.engine(0).ask('losses')).toContainEqual({ type: 'client', client: 2 });
  }));

test('answers and items larger than what may wait for a client do not cost it its session', () =>
  using({ engines: 1, kind: 'thread', name: 'large', limits: { bufferedBytes: 8 << 20 } }, async (c) => {
    c.use(probe);
    const guest = await connect('large', { output: 'ignore' });
    const h = guest.use(probe);
    for (const party of [h.controller, h.engine(0)]) {
      assert.equal((await party.ask('zeros', 40 << 20)).length, 40 << 20);
      let bytes = 0;
      for await (const item of party.stream<Uint8Array>('large', { count: 100, size: 1 << 20 })) bytes += item.length;
      assert.equal(bytes, 100 << 20);
    }
    await guest.close();
  }));
