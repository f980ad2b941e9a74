/** Messages of one caller come in the order in which they were sent, whatever they carry and however they travel. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type ClientHost, type ConnectionInfo, cluster, connect } from 'tutti';
import { task } from 'tutti/engine';
import { describe, expect, test } from 'vitest';
import { probe } from '../fixtures/paradigms/probe.mjs';
import { cuttableProxy } from './cuttable-proxy.ts';
import { ownHome, shared, urlOf, using } from './support/shared.ts';

ownHome();

/** On an engine: settles when a message comes. */
async function untilTold(): Promise<void> {
  for await (const _ of task!.inbox) return;
}

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

describe.each(['process', 'thread'] as const)('%s engines', (kind) => {
  const home = shared(() => cluster({ engines: 2, kind, output: 'ignore' }));

  /** A value that says which message it is: plain, with a function that is new to the engine, or still pending. */
  async function carrying(carries: string, i: number): Promise<unknown> {
    if (carries === 'nothing') return undefined;
    if (carries === 'plain') return { i };
    const marker = `${carries} ${i} ${Math.random()}`;
    // The text of each is another one, so its code has to be fetched.
    if (carries === 'function') return { i, f: new Function(`return ${JSON.stringify(marker)}`) };
    const slow = async (): Promise<number> => {
      for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
      return 1;
    };
    return { i, pending: (await home()).engine(1).apply(slow) };
  }

  const message = fc.record({
    how: fc.constantFrom('ask', 'tell'),
    carries: fc.constantFrom('plain', 'plain', 'nothing', 'function', 'pending'),
  });

  test('from a client to an engine, with functions and pending results that make some of them wait', async () => {
    const engine = (await home()).use(probe).engine(0);
    await fc.assert(
      fc.asyncProperty(fc.array(message, { minLength: 1, maxLength: 25 }), async (messages) => {
        const values = await Promise.all(messages.map(({ carries }, i) => carrying(carries, i)));
        const wanted = messages.map(({ carries }, i) => (carries === 'nothing' ? undefined : i));
        const answers: Promise<unknown>[] = [];
        for (const [i, { how }] of messages.entries()) {
          if (how === 'tell') engine.tell('note', values[i]);
          else answers.push(engine.ask('noteAndSay', values[i]));
        }
        const notes: [string, number, number][] = await engine.ask('notes');
        assert.deepEqual(
          notes.map(([, , value]) => value),
          wanted,
        );
        assert.deepEqual(
          await Promise.all(answers),
          wanted.filter((_, i) => messages[i]!.how === 'ask'),
        );
      }),
      { numRuns: 25 },
    );
  });

  test('what is cancelled while it waits does not begin, and what follows goes on', async () => {
    const c = await home();
    const engine = c.use(probe).engine(0);
    const abort = new AbortController();
    const slow = c.engine(1).apply(untilTold);
    engine.tell('note', { i: 1, slow });
    const cancelled = engine.ask('noteAndSay', { i: 2, slow }, { signal: abort.signal });
    engine.tell('note', { i: 3 });
    abort.abort(new Error('enough'));
    await assert.rejects(cancelled, /enough/);
    await slow.send('go');
    const notes: [string, number, number][] = await engine.ask('notes');
    assert.deepEqual(
      notes.map(([, , value]) => value),
      [1, 3],
    );
  });

  test('a result that is used later than it was settled, when its engine has forgotten it, is had of the client', async () => {
    const c = await home();
    const h = c.use(probe);
    const slow = c.engine(1).apply(untilTold);
    const quick = c.engine(0).apply(async () => 'quick');
    const parcel = h.parcel({ list: c.engine(0).apply(async () => [1, 2]), add: (a: number, b: number) => a + b });
    const first = h.engine(0).ask('echo', { slow });
    const second = h.engine(1).ask('echo', { slow, quick });
    const third = h.engine(1).ask('echo', { quick });
    h.engine(1).tell('note', { i: 4, quick });
    quick.release();
    for (let i = 0; i < 1100; i += 100)
      await Promise.all(Array.from({ length: 100 }, () => c.engine(0).apply(() => 'fills its memory')));
    await slow.send('go');
    const answers = (await Promise.all([first, second, third])) as { quick?: string }[];
    assert.deepEqual(
      answers.map((answer) => answer.quick),
      [undefined, 'quick', 'quick'],
    );
    assert.deepEqual(await h.engine(1).ask('notes'), [['client', 1, 4]]);
    assert.equal(await h.engine(1).ask('sum', { parcel }), 3);
  });

  test('from a client to the controller and to all engines, and from engines to both', async () => {
    const h = (await home()).use(probe);
    for (const i of upTo(500)) {
      h.controller.tell('note', i);
      h.group().tell('note', i);
    }
    const mine = upTo(500).map((i) => ['client', 1, i]);
    assert.deepEqual(await h.controller.ask('notes'), mine);
    assert.deepEqual(await h.group().ask('notes'), [mine, mine]);
    await Promise.all([0, 1].map((id) => h.engine(id).ask('relay', { to: {}, how: 'tell', op: 'note', times: 500 })));
    await Promise.all([0, 1].map((id) => h.engine(id).ask('relay', { to: {}, op: 'echo' })));
    const notes: [string, number, number][] = await h.controller.ask('notes');
    for (const id of [0, 1])
      assert.deepEqual(
        notes.filter(([, from]) => from === id).map(([, , i]) => i),
        upTo(500),
      );
  });

  test('eight engines, each to each and to itself, past the controller', () =>
    using({ engines: 8, kind }, async (c) => {
      const h = c.use(probe);
      await h.group().ask('echo');
      const times = 300;
      const ids = upTo(8);
      await c.all.apply((all: number[], n: number) => (globalThis as any).probeAll(all, n), ids, times);
      // An answer over the same channel comes after all that was told.
      await c.all.apply(
        (all: number[]) => Promise.all(all.map((id) => (globalThis as any).probePeer(id, 'echo', id))),
        ids,
      );
      for (const notes of (await h.group().ask('notes')) as [string, number, number][][]) {
        assert.equal(notes.length, 8 * times);
        for (const from of ids)
          assert.deepEqual(
            notes.filter(([role, id]) => role === 'engine' && id === from).map(([, , i]) => i),
            upTo(times),
          );
      }
    }));
});

test('a client whose connection is cut again and again: in order, and each once', () =>
  using({ engines: 1, kind: 'thread', name: 'cut', listen: ['tcp://127.0.0.1:0'] }, async (c) => {
    c.use(probe);
    const info: ConnectionInfo = urlOf('tcp')(c);
    const proxy = await cuttableProxy(() => info.urls[0]!);
    try {
      const guest = await connect({ ...info, urls: [proxy.url] }, { output: 'ignore' });
      const h: ClientHost = guest.use(probe);
      const answers: Promise<number>[] = [];
      for (const i of upTo(400)) {
        h.controller.tell('note', i);
        answers.push(h.engine(0).ask('noteAndSay', i));
        if (i % 100 !== 50) continue;
        const before = proxy.connections;
        proxy.cut();
        await expect.poll(() => proxy.connections).toBeGreaterThan(before);
      }
      assert.deepEqual(await Promise.all(answers), upTo(400));
      for (const party of [h.controller, h.engine(0)]) {
        const notes: [string, number, number][] = await party.ask('notes');
        assert.deepEqual(
          notes.map(([, , i]) => i),
          upTo(400),
        );
      }
      await guest.close();
    } finally {
      await proxy.close();
    }
  }));
