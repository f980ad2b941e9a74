/** What halves of a paradigm say to each other, in every direction. */
import assert from 'node:assert/strict';
import {
  type ClientHost,
  type Cluster,
  cluster,
  connect,
  defineParadigm,
  InvalidTargetError,
  ParadigmError,
  ProtocolError,
} from 'tutti';
import { describe, test } from 'vitest';
import { answering, probe } from '../fixtures/paradigms/probe.mjs';
import { first, lateOutput } from './support/conditions.ts';
import { ownHome, shared, using } from './support/shared.ts';

ownHome();

const fixtures = new URL('../fixtures/paradigms/', import.meta.url).pathname;

interface Where {
  engine?: number;
  client?: number;
}

describe.each(['process', 'thread'] as const)('%s engines', (kind) => {
  const home = shared(() => cluster({ engines: 2, kind, output: 'ignore', name: `messages-${kind}` }));
  /** As the controller and engines know it: this file's only client. */
  const me = { client: 1 };
  const host = async (): Promise<ClientHost> => answering((await home()).use(probe));

  /** Says it from somewhere to somewhere: the client itself, or another half on its behalf. */
  async function say(from: Where | 'me', to: Where, how: string, op: string, value?: unknown): Promise<any> {
    const h = await host();
    const party = (at: Where) => (at.engine === undefined ? h.controller : h.engine(at.engine));
    if (from !== 'me') return party(from).ask('relay', { to, how, op, value });
    if (how === 'ask') return party(to).ask(op, value);
    if (how === 'tell') return party(to).tell(op, value);
    const items: unknown[] = [];
    for await (const item of party(to).stream(op, value)) items.push(item);
    return items;
  }

  const ways: [string, Where | 'me', Where, { role: string; id: number }][] = [
    ['client to controller', 'me', {}, { role: 'client', id: 1 }],
    ['client to engine', 'me', { engine: 1 }, { role: 'client', id: 1 }],
    ['controller to engine', {}, { engine: 1 }, { role: 'controller', id: 0 }],
    ['controller to client', {}, me, { role: 'controller', id: 0 }],
    ['engine to controller', { engine: 0 }, {}, { role: 'engine', id: 0 }],
    ['engine to client', { engine: 1 }, me, { role: 'engine', id: 1 }],
    ['engine to engine', { engine: 0 }, { engine: 1 }, { role: 'engine', id: 0 }],
    ['engine to itself', { engine: 1 }, { engine: 1 }, { role: 'engine', id: 1 }],
  ];

  test('a message has one value: a second one is no options', async () => {
    const h = await host();
    const two = 2 as unknown as { signal?: AbortSignal };
    await assert.rejects(h.controller.ask('echo', 1, two), /one value, and then \{ signal \} at most/);
    await assert.rejects(h.group().ask('echo', 1, { by: 2 } as object), /one value/);
    assert.throws(() => h.engine(0).stream('count', 1, two), /one value/);
    assert.equal(await h.controller.ask('echo', 1, {}), 1);
  });

  test.each(ways)('%s: asks, tells, streams, and fails', async (_name, from, to, caller) => {
    const value = { text: 'é', at: new Date(5), none: undefined, big: 2n ** 70n, map: new Map([[1, new Set(['a'])]]) };
    assert.deepEqual(await say(from, to, 'ask', 'echo', value), value);
    assert.equal(await say(from, to, 'ask', 'echo'), undefined);
    assert.deepEqual(await say(from, to, 'ask', 'caller'), caller);

    await say(from, to, 'ask', 'notes');
    await say(from, to, 'tell', 'note', 'told');
    assert.deepEqual(await say(from, to, 'ask', 'notes'), [[caller.role, caller.id, 'told']]);

    const numbers = Array.from({ length: 1000 }, (_, i) => i);
    assert.deepEqual(await say(from, to, 'stream', 'numbers', { count: 1000 }), numbers);
    assert.deepEqual(await say(from, to, 'stream', 'list', { count: 3 }), [0, 1, 2]);
    assert.deepEqual(await say(from, to, 'stream', 'numbers', { count: 0 }), []);

    await assert.rejects(say(from, to, 'ask', 'broken', { message: 'far' }), (error: any) => {
      assert.ok(error instanceof RangeError);
      assert.equal(error.message, 'far');
      assert.deepEqual((error as { extra?: unknown }).extra, [1, 2]);
      return true;
    });
    await assert.rejects(say(from, to, 'ask', 'bad'), /symbol/i);
    for (const op of ['throwSymbol', 'rejectSymbol'])
      await assert.rejects(say(from, to, 'ask', op), /with an error that cannot be sent/);
    await assert.rejects(
      say(from, to, 'ask', 'nonsense'),
      (e) => e instanceof ProtocolError && /nonsense/.test(e.message),
    );
    await assert.rejects(say(from, to, 'ask', 'toString'), ProtocolError);
    await assert.rejects(say(from, to, 'stream', 'echo', 5), /ask, do not stream/);
    await assert.rejects(say(from, to, 'ask', 'numbers', { count: 1 }), /stream, do not ask/);
  });

  test.each(ways)('%s: 8 MiB and typed arrays', async (_name, from, to) => {
    const value = { bytes: new Uint8Array(8 << 20).fill(7), floats: Float64Array.of(1, Number.NaN) };
    const back = await say(from, to, 'ask', 'echo', value);
    assert.ok(Buffer.from(back.bytes).equals(Buffer.from(value.bytes)));
    assert.deepEqual(back.floats, value.floats);
  });

  test('a value that cannot travel, or an engine that is not there, is said at once', async () => {
    const h = await host();
    await assert.rejects(h.controller.ask('echo', Symbol('no')), { code: 'CANNOT_TRAVEL' });
    assert.throws(() => h.controller.tell('echo', Symbol('no')), { code: 'CANNOT_TRAVEL' });
    assert.throws(() => h.engine(9), InvalidTargetError);
    await assert.rejects(say({}, { engine: 9 }, 'ask', 'echo'), InvalidTargetError);
    await assert.rejects(say({ engine: 0 }, { engine: 9 }, 'ask', 'echo'), /no engine 9/);
    await assert.rejects(say({ engine: 0 }, { client: 77 }, 'ask', 'echo'), /Client 77 has left/);
  });

  test('groups: one answer an engine, and one message for all', async () => {
    const h = await host();
    assert.deepEqual(await h.group().ask('echo', 'x'), ['x', 'x']);
    assert.deepEqual(await h.group([1]).ask('caller'), [{ role: 'client', id: 1 }]);
    await h.group().ask('notes');
    h.group().tell('note', { i: 4, f: () => 4 });
    assert.deepEqual(await h.group().ask('notes'), [[['client', 1, 4]], [['client', 1, 4]]]);
    assert.deepEqual(await h.controller.ask('group', { op: 'echo', value: 3 }), [3, 3]);
    await assert.rejects(h.group().ask('broken', { message: 'both' }), /both/);
  });

  test('parcels pass the controller unread, with functions and pending results in them', async () => {
    const h = await host();
    const factor = 3;
    const pending = (await home()).engine(0).apply(async () => [1, 2, 4]);
    const parcel = h.parcel({ list: pending, add: (a: number, b: number) => a + factor * b });
    assert.ok(parcel.bytes > 0);
    const kept = await h.controller.ask('echo', { parcel });
    assert.equal(await h.engine(1).ask('sum', kept), 19);
    assert.equal(await h.engine(0).ask('sum', { parcel }), 19);
    const relayed = { to: { engine: 0 }, op: 'sum', value: kept };
    assert.equal(await h.controller.ask('relay', relayed), 19);
    assert.equal(await h.engine(1).ask('relay', relayed), 19);
    assert.deepEqual(await h.open(h.parcel({ a: 1 })), { a: 1 });
    await assert.rejects(async () => h.open({} as never), ParadigmError);
  });

  test('its globals are there for the calls after use', async () => {
    await host(); // whose program has the controller
    const guest = await connect(`messages-${kind}`, { output: 'ignore' });
    try {
      guest.use(probe);
      assert.deepEqual(await guest.all.execute("await probeSays('echo', engine.id)"), [0, 1]);
      assert.equal(await guest.engine(0).apply(() => (globalThis as any).probePeer(1, 'echo', 'peer')), 'peer');
    } finally {
      await guest.close();
    }
  });

  test('its globals outlive clear', async () => {
    const c = await home();
    c.use(probe);
    await c.all.execute('let mine = 1, probePeer = 2');
    await c.all.clear();
    assert.deepEqual(await c.all.execute('typeof probePeer'), ['function', 'function']);
    assert.deepEqual(await c.all.execute("typeof mine + await probeSays('echo', '!')"), ['undefined!', 'undefined!']);
  });

  test('what the controller half emits comes to all clients', async () => {
    const h = await host();
    const guest = await connect(`messages-${kind}`, { output: 'ignore' });
    try {
      const news = [h, guest.use(probe)].map((each) => first(each.events$, () => true));
      await guest.status();
      h.controller.tell('emit', { at: 5 });
      assert.deepEqual(await Promise.all(news), [{ at: 5 }, { at: 5 }]);
    } finally {
      await guest.close();
    }
  });

  test('host.run takes its turn among calls, and prints to its client', async () => {
    const c = await home();
    const h = await host();
    const one = c.engine(0);
    await one.execute('globalThis.order = []');
    const printed = lateOutput(c, 'stdout', /two/);
    const calls = [
      one.execute("await new Promise((r) => setImmediate(r)); order.push('one')").then(),
      h.engine(0).ask('run', { client: 1, text: 'two' }),
      one.execute("order.push('three')").then(),
    ];
    await Promise.all(calls);
    assert.deepEqual(await one.pull('order'), ['one', 'two', 'three']);
    assert.match(await printed, /two/);
  });

  test('a turn that is cancelled, or whose client leaves, is given up', () =>
    using({ engines: 1, kind, name: `turns-${kind}` }, async (c: Cluster) => {
      const mine = c.use(probe);
      const guest = await connect(`turns-${kind}`, { output: 'ignore' });
      const h = guest.use(probe);
      const abort = new AbortController();
      const queued = h.engine(0).ask('wait', undefined, { signal: abort.signal });
      await h.engine(0).ask('echo');
      abort.abort(new Error('enough'));
      await assert.rejects(queued, /enough/);
      await guest.close();
      assert.equal(await mine.engine(0).ask('echo', 1), 1);
    }));
});

test('a group of no engines is nobody, and not the controller', () =>
  using({ engines: 0 }, async (c) => {
    const h = c.use(probe);
    h.group().tell('note', 1);
    h.group([]).tell('note', 2);
    assert.deepEqual(await h.group().ask('note', 3), []);
    assert.deepEqual(await h.controller.ask('notes'), []);
  }));

test('what a client is told and has no handler for is dropped; what its handler throws is not', () =>
  using({ engines: 1, kind: 'thread' }, async (c) => {
    const h = c.use(probe);
    const fallen: unknown[] = [];
    const note = (error: unknown): void => void fallen.push((error as Error).message);
    const before = process.rawListeners('unhandledRejection');
    process.removeAllListeners('unhandledRejection').on('unhandledRejection', note);
    try {
      h.handle({
        falls: () => {
          throw new RangeError('its own fault');
        },
      });
      for (const from of [h.controller, h.engine(0)])
        for (const op of ['stray', 'falls']) await from.ask('relay', { to: { client: 1 }, how: 'tell', op });
      await new Promise((resolve) => setImmediate(resolve));
      assert.deepEqual(fallen, ['its own fault', 'its own fault']);
    } finally {
      process.removeAllListeners('unhandledRejection');
      for (const listener of before) process.on('unhandledRejection', listener as never);
    }
  }));

test('what cannot travel is not emitted; what a client cannot read does not end it', () =>
  using({ engines: 1, controller: 'process', cwd: fixtures, plugins: ['./emits.mjs'] }, async (c) => {
    const { controller } = c.use(
      defineParadigm({ name: 'emits', version: '1.0.0', controller: () => ({}), client: (host: ClientHost) => host }),
    );
    const seen: unknown[] = [];
    c.events$.subscribe((event) => event.type === 'paradigm' && seen.push(event.event));
    await assert.rejects(controller.ask('emit', 'a symbol'), { code: 'CANNOT_TRAVEL' });
    for (const what of ['plain', 'of a class', 'plain']) await controller.ask('emit', what);
    await c.remove([0]);
    assert.deepEqual(c.engines, []);
    assert.deepEqual(seen, ['plain', 'plain']);
  }));
