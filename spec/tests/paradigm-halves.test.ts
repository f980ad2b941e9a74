/** How halves come to be: who loads what, which fit together, what happens to those that fail, and how they end. */
import assert from 'node:assert/strict';
import { pathToFileURL } from 'node:url';
import {
  type ClientHost,
  type Cluster,
  type ClusterOptions,
  connect,
  defineParadigm,
  type Handlers,
  loadPlugin,
  ParadigmError,
  ParadigmNotInstalledError,
  registerParadigm,
  UsageError,
} from 'tutti';
import { describe, expect, test } from 'vitest';
import { dialSession } from '../../core/wire/dialled-session.ts';
import { parseToken } from '../../core/wire/handshake.ts';
import { Rpc } from '../../core/wire/rpc.ts';
import '../../transports/builtin.ts';
import * as faulty from '../fixtures/paradigms/faulty.mjs';
import { probe } from '../fixtures/paradigms/probe.mjs';
import { twin } from '../fixtures/paradigms/twin.mjs';
import { ForeignClient } from './foreign-client.ts';
import { first } from './support/conditions.ts';
import { ownHome, urlOf, using } from './support/shared.ts';

ownHome();

const folder = new URL('../fixtures/paradigms/', import.meta.url).pathname;
/** The faults of these halves are told to whoever asks them; the log repeats them. */
const log = 'silent';
const thread: ClusterOptions = { engines: 1, kind: 'thread', log };
let names = 0;
const simple = (controller: (host: any) => any, more: object = {}) =>
  defineParadigm({ name: `simple-${++names}`, version: '1.0.0', controller, client: (host) => host, ...more });
const guestOf = (c: Cluster) => connect(c.name, { output: 'ignore' });

describe('a definition', () => {
  const sound = { name: 'sound', version: '1.0.0', client: () => 1 };
  test.each<[string, object, RegExp]>([
    ['without a name', { name: undefined }, /without a name.*small letters/],
    ['with a name of other letters', { name: 'My Paradigm' }, /'My Paradigm'.*small letters/],
    ['without a version', { version: '1' }, /'sound'.*its version must read like '1.0.0'; got "1"/],
    ['for another door', { apiVersion: 99 }, /version 99 of the plug-in door, and this tutti has version 1/],
    ['without a client half', { client: undefined }, /no client half/],
    ['with a controller half that is none', { controller: {} }, /'controller' must be a function/],
    ['with an engine half that is none', { engine: 5, module: import.meta.url }, /'engine' must be a function, or/],
    ['with an engine half and no module', { engine: () => ({}) }, /add module: import\.meta\.url/],
  ])('%s is refused', (_name, fault, words) => {
    assert.throws(
      () => defineParadigm({ ...sound, ...fault } as never),
      (e) => e instanceof ParadigmError && words.test(e.message),
    );
  });
});

test.each([undefined, null, 'sound'])('a definition that is %o is refused', (definition) => {
  assert.throws(
    () => defineParadigm(definition as never),
    (e) => e instanceof ParadigmError && /takes an object: \{ name, version, client/.test(e.message),
  );
});

describe('a start list', () => {
  test.each<[string, string, string]>([
    ['a path', './probe.mjs', 'probe'],
    ['a file URL', pathToFileURL(`${folder}probe.mjs`).href, 'probe'],
    ['TypeScript', './typed.ts', 'typed'],
  ])('names a plug-in by %s', async (_name, plugin, paradigm) => {
    const found = await loadPlugin(plugin, folder);
    assert.deepEqual(
      found.map(({ name }) => name),
      [paradigm],
    );
    assert.equal(found[0]!.module, pathToFileURL(folder + (paradigm === 'typed' ? 'typed.ts' : 'probe.mjs')).href);
  });

  test.each<[string, RegExp]>([
    ['./gone.mjs', /'\.\/gone\.mjs' was not found from .*name an installed package, or the path of a module/],
    ['no-such-package', /'no-such-package' was not found/],
    ['./plain.mjs', /plain\.mjs\) exports no paradigm; export what defineParadigm returns/],
    ['./falls.mjs', /falls\.mjs\) failed to load: TypeError: it fell while it was loaded/],
  ])('with %s is told why not', async (plugin, words) => {
    await assert.rejects(loadPlugin(plugin, folder), (e) => e instanceof ParadigmError && words.test(e.message));
  });

  test('does not wait for ever', () =>
    assert.rejects(loadPlugin('./hangs.mjs', folder, { patience: 10 }), /hangs\.mjs\) failed to load: .*within 10 ms/));

  test('starts what it can; whoever misses the rest is told why', () =>
    using(
      {
        ...thread,
        controller: 'process',
        cwd: folder,
        plugins: ['./falls.mjs', './typed.ts', './probe.mjs', './twin.mjs'],
      },
      async (c) => {
        assert.equal(await c.use(probe).controller.ask('echo', 5), 5);
        const typed = defineParadigm({
          name: 'typed',
          version: '1.0.0',
          module: pathToFileURL(`${folder}typed.ts`).href,
          controller: () => ({}),
          engine: () => ({}),
          client: (host: ClientHost) => host,
        });
        const h = c.use(typed);
        assert.equal(await h.controller.ask('twice', 4), 8);
        assert.equal(await h.engine(0).ask('twice', 5), 10);
        assert.equal(await h.controller.ask('url'), pathToFileURL(`${folder}typed.ts`).href);
        const { paradigms, failed } = await c.paradigms();
        const mine = paradigms.filter(({ name }) => ['probe', 'typed'].includes(name));
        assert.deepEqual(
          mine.map(({ name, version, controller, engine, use }) => ({ name, version, controller, engine, use })),
          ['typed', 'probe'].map((name) => ({ name, version: '1.0.0', controller: true, engine: true, use: true })),
        );
        assert.deepEqual(
          failed.map(({ plugin }) => plugin),
          ['./falls.mjs', './twin.mjs'],
        );
        assert.match(failed[1]!.reason, /Two paradigms are called 'probe'.*probe\.mjs.*twin\.mjs/);
        await assert.rejects(c.use(simple(() => ({}))).controller.ask('x'), (e) => {
          assert.ok(e instanceof ParadigmNotInstalledError);
          assert.match(e.message, /falls\.mjs.*it fell while it was loaded.*--plugin MODULE/);
          return true;
        });
      },
    ));
});

describe('a client', () => {
  test('brings the engine half itself, and no controller half', () =>
    using({ ...thread, controller: 'process' }, async (c) => {
      await assert.rejects(c.use(probe).engine(0).ask('echo'), ParadigmNotInstalledError);
      const enginesOnly = defineParadigm({
        name: 'engines-only',
        version: '1.0.0',
        module: pathToFileURL(`${folder}common.mjs`).href,
        engine: './half.mjs',
        client: (host: ClientHost) => host,
      });
      assert.equal(await c.use(enginesOnly).engine(0).ask('echo', 3), 3);
      await assert.rejects(
        c.use(enginesOnly).controller.ask('echo', 3),
        /'engines-only' has no half on the controller/,
      );
      await assert.rejects(
        async () => c.use(defineParadigm({ ...enginesOnly.definition, name: 'lost', engine: './gone.mjs' })),
        (e) => e instanceof ParadigmError && /its engine half cannot be bundled.*gone\.mjs/s.test(e.message),
      );
    }));

  test('can use what the program that has the controller uses', () =>
    using({ ...thread, name: 'embedded' }, async (c) => {
      const guest = await guestOf(c);
      await assert.rejects(guest.use(probe).controller.ask('echo'), ParadigmNotInstalledError);
      await c.use(probe).controller.ask('echo');
      assert.equal(await guest.use(probe).controller.ask('echo', 1), 1); // it may be put right
      await guest.close();
    }));

  test('can use what is registered in the process of the controller', () =>
    using({ ...thread, name: 'registered' }, async (c) => {
      const built = simple(() => ({ echo: (value: unknown) => value }));
      registerParadigm(built);
      const guest = await guestOf(c);
      assert.equal(await (guest.use(built) as unknown as ClientHost).controller.ask('echo', 4), 4);
      await guest.close();
    }));

  test('of another version is refused, and of other code with the same version too', () =>
    using({ ...thread, name: 'versions' }, async (c) => {
      await c.use(probe).controller.ask('echo');
      const guest = await guestOf(c);
      const other = (fields: object) => defineParadigm({ ...probe.definition, ...fields });
      const asked = (fields: object) => guest.use(other(fields)).controller.ask('echo');
      await assert.rejects(asked({ version: '1.1.0' }), /version 1\.0\.0 in this cluster and 1\.1\.0 in this client/);
      await assert.rejects(asked({ engine: './half.mjs' }), /with other code in its engine half/);
      assert.equal(await guest.use(probe).controller.ask('echo', 1), 1);
      assert.throws(() => guest.use(twin), /another paradigm called 'probe' already.*twin|probe\.mjs/);
      assert.throws(() => guest.use(other({ version: '2.0.0' })), ParadigmError);
      await guest.close();
    }));

  test('is told of what is no paradigm', () =>
    using({ engines: 0 }, async (c) => {
      assert.throws(
        () => c.use((() => 5) as never),
        (e) => e instanceof UsageError && /defineParadigm/.test(e.message),
      );
    }));

  test('has one handler an op, one shared thing, and as many uses as it likes', () =>
    using(thread, async (c) => {
      const made: number[] = [];
      const paradigm = simple(
        (host) => ({ call: (_: unknown, { id }: { id: number }) => host.client(id).ask('here') }),
        {
          client: (host: ClientHost, answer: number) => {
            const shared = host.shared(() => {
              made.push(answer);
              host.handle({ here: () => answer });
              return { answer };
            });
            return { host, shared };
          },
        },
      );
      const [one, two] = [7, 8].map((n) => (c.use as any)(paradigm, n));
      assert.equal(one.shared, two.shared);
      assert.deepEqual(made, [7]);
      assert.equal(await two.host.controller.ask('call'), 7);
      assert.throws(() => two.host.handle({ here: () => 9 }), /'here' has a handler in this client already/);
      await assert.rejects(
        c.use(simple((h) => ({ call: () => h.client(1).ask('none') }))).controller.ask('call'),
        /'none'/,
      );
    }));

  test('gets what its paradigm requires, before it', () =>
    using(thread, async (c) => {
      const order: string[] = [];
      const base = simple(() => {
        order.push('base');
        return { half: (n: number) => n / 2 };
      });
      const other = simple(() => ({}));
      const middle = simple(() => order.push('middle') && {}, { requires: [base] });
      const top = simple(() => order.push('top') && {}, {
        requires: [middle, base],
        client: (host: ClientHost) => ({
          half: (n: number): Promise<number> => host.use(base).controller.ask('half', n),
          stray: () => host.use(other),
        }),
      });
      const api = (c.use as any)(top);
      assert.equal(await api.half(8), 4);
      assert.deepEqual(order, ['base', 'middle', 'top']);
      assert.throws(() => api.stray(), /does not name in 'requires'/);
    }));
});

describe('a half that fails', () => {
  test.each(['process', 'thread'] as const)('is the reason for all that is asked of it; others go on (%s)', (kind) =>
    using({ engines: 1, kind, log }, async (c) => {
      const ask = (paradigm: any, at: (h: ClientHost) => { ask(op: string, value?: unknown): Promise<any> }) =>
        at(c.use(paradigm) as ClientHost).ask('echo', 5);
      const there = (h: ClientHost) => h.controller;
      const engine = (h: ClientHost) => h.engine(0);
      await assert.rejects(
        ask(faulty.throwsThere, there),
        /failed to start on the controller: RangeError: not this time/,
      );
      await assert.rejects(ask(faulty.rejectsThere, there), /failed to start on the controller: a text/);
      await assert.rejects(
        ask(faulty.muteThere, there),
        /'mute-there': its half for the controller returns no handlers/,
      );
      await assert.rejects(
        ask(faulty.throwsOnEngines, engine),
        /failed to start on this engine: RangeError: not on this/,
      );
      assert.equal(await ask(faulty.throwsOnEngines, there), 5);
      await assert.rejects(ask(faulty.nothingThere, engine), /exports no engine half/);
      assert.equal(await ask(probe, engine), 5);
      assert.deepEqual(await c.all.execute('1 + 1'), [2]);
    }),
  );

  test('in a listener disturbs neither the cluster nor other listeners', () =>
    using({ ...thread, name: 'listener' }, async (c) => {
      const h = c.use(faulty.listens) as unknown as ClientHost;
      assert.deepEqual(await h.controller.ask('events'), []);
      const left = first(c.events$, ({ type }) => type === 'client-left');
      await (await guestOf(c)).close();
      await left;
      assert.deepEqual(await h.controller.ask('events'), ['client-joined', 'client-left']);
    }));
});

test('halves end in the reverse order of their start, each once, and one that fails holds up nobody', async () => {
  const ended: string[] = [];
  const ending = (name: string, fails = false) =>
    simple((): Handlers & AsyncDisposable => ({
      async [Symbol.asyncDispose]() {
        await new Promise((resolve) => setImmediate(resolve));
        ended.push(name);
        if (fails) throw new Error('it cannot end');
      },
    }));
  await using({ engines: 0, log }, async (c) => {
    for (const paradigm of [ending('first'), ending('second', true), ending('third')])
      await assert.rejects(c.use(paradigm).controller.ask('none'), /does not know/);
    await c.close();
  });
  assert.deepEqual(ended, ['third', 'second', 'first']);
});

test('a half that is still on its way when the cluster stops is ended, too', async () => {
  let ended = 0;
  let begun = (): void => {};
  let stops = (): void => {};
  const began = new Promise<void>((resolve) => (begun = resolve));
  const stopping = new Promise<void>((resolve) => (stops = resolve));
  const slow = simple(async (host): Promise<Handlers & AsyncDisposable> => {
    begun();
    await host.store();
    await stopping;
    return { [Symbol.asyncDispose]: async () => void ended++ };
  });
  await using({ engines: 0, log }, async (c) => {
    c.use(slow);
    await began;
    const closed = c.close();
    stops();
    await closed;
  });
  assert.equal(ended, 1);
});

test('a half on the controller has a store of its own, which lasts as long as the cluster', () =>
  using({ ...thread }, async (c) => {
    const keeper = () =>
      simple((host) => ({
        put: async (text: string) => (await host.store()).write([{ key: 'k', value: Buffer.from(text) }]),
        get: async () => Buffer.from((await (await host.store()).get('k')) ?? []).toString(),
      }));
    const [one, two] = [keeper(), keeper()].map((paradigm) => c.use(paradigm) as unknown as ClientHost);
    await one!.controller.ask('put', 'kept');
    assert.equal(await one!.controller.ask('get'), 'kept');
    assert.equal(await two!.controller.ask('get'), '');
  }));

test('an observer is refused', () =>
  using({ ...thread, name: 'observed' }, async (c) => {
    await c.use(probe).controller.ask('echo');
    const { urls, token } = urlOf('unix')(c);
    const rpc = await new Promise<Rpc>((resolve, reject) => {
      let made: Rpc;
      dialSession({
        urls,
        role: 'observer',
        key: parseToken(token),
        window: 0,
        signal: undefined,
        about: () => ({}),
        handlers: {
          opened: (session) =>
            resolve((made = new Rpc((header, payloads) => session.send({ ...header, paradigm: 'probe' }, payloads)))),
          message: (header, payloads) => void made.receive(header, payloads),
          ended: () => {},
        },
      }).catch(reject);
    });
    await assert.rejects(rpc.ask('echo', 1), { code: 'REFUSED' });
    await assert.rejects(rpc.ask('#use', { version: '1.0.0' }), { code: 'REFUSED' });
  }));

test('a client in another language asks a half on the controller, and reads a stream, in JSON', () =>
  using({ ...thread, name: 'foreign', listen: ['tcp://127.0.0.1:0'] }, async (c) => {
    await c.use(probe).controller.ask('echo');
    const { urls, token } = urlOf('tcp')(c);
    const client = new ForeignClient(urls[0]!);
    await client.join(token);
    const ask = async (id: number, op: string, value: unknown, more: object = {}) => {
      client.send({ kind: 13, id, op, paradigm: 'probe', ...more }, [value]);
      return client.next('RESPONSE', id);
    };
    expect((await ask(1, '#use', { version: '1.0.0' })).values).toEqual([null]);
    expect((await ask(2, 'echo', { a: [1] })).values).toEqual([{ a: [1] }]);
    const failed = await ask(3, 'broken', { message: 'far' });
    expect(failed.header).toMatchObject({ failed: true, paradigm: 'probe' });
    expect(failed.values).toMatchObject([{ name: 'RangeError', message: 'far' }]);
    expect((await ask(4, 'numbers', { count: 3 }, { stream: 1 })).header.failed).toBe(false);
    const items: unknown[] = [];
    for (let id = 5, end = false; !end; id++) {
      const { header, values } = await ask(id, '#pull', null, { ids: [4] });
      items.push(...(values[0] as unknown[]));
      end = header.op === 'end';
    }
    expect(items).toEqual([0, 1, 2]);
    client.leave();
  }));
