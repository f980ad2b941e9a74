/** What goes wrong is said: what, where, and what to do. Each through the public API. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  CannotTravelError,
  type Cluster,
  ClusterNotFoundError,
  type ConnectionInfo,
  cluster,
  connect,
  InvalidTargetError,
  NoEnginesError,
  RefusedError,
  RemoteError,
  TimeoutError,
  TransportError,
  UsageError,
} from 'tutti';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

type ErrorClass = abstract new (...args: any[]) => Error;

/** It fails with this class, and its message holds each of these. */
async function fails(attempt: () => unknown, kind: ErrorClass, ...holds: (string | RegExp)[]): Promise<any> {
  const error = await Promise.resolve()
    .then(attempt)
    .then(
      () => expect.unreachable('it did not fail'),
      (e: unknown) => e as Error,
    );
  expect(error).toBeInstanceOf(kind);
  for (const part of holds) expect((error as Error).message).toMatch(part);
  return error;
}

const home = mkdtempSync(path.join(tmpdir(), 'tutti-bad-'));
const name = 'bad-input';
const file = path.join(home, `${name}.json`);
let there: Cluster;
let info: ConnectionInfo;
let tcp: string;

beforeAll(async () => {
  process.env.TUTTI_HOME = home;
  there = await cluster({ engines: 2, kind: 'thread', name, listen: ['tcp://127.0.0.1:0'], output: 'ignore' });
  info = JSON.parse(readFileSync(file, 'utf8')) as ConnectionInfo;
  tcp = info.urls.find((url) => url.startsWith('tcp:'))!;
});

afterAll(async () => {
  // Nothing that went wrong has cost anything.
  expect(await there.all.execute('engine.id')).toEqual([0, 1]);
  await there.close();
  rmSync(home, { recursive: true, force: true });
});

describe('targets', () => {
  test('an engine that does not exist', async () => {
    await fails(() => there.engine(7), InvalidTargetError, 'no engine 7', 'engines here: 0, 1');
    await fails(() => there.view([0, 9]), InvalidTargetError, 'no engine 9', '0, 1');
    await fails(() => there.view([1, 1]), InvalidTargetError, 'twice', '1, 1');
    await fails(() => there.remove([5]), InvalidTargetError, 'no engine 5', '0, 1');
  });

  test('a cluster without engines', async () => {
    await using empty = await cluster({ engines: 0 });
    await fails(() => empty.all.execute('1'), NoEnginesError, 'no engines', /add\(4\)/);
    await fails(() => empty.all.map((x: number) => x, [1]), NoEnginesError, 'no engines');
    await fails(() => empty.engine(0), InvalidTargetError, 'engines here: none');
  });
});

describe('starting', () => {
  test.each([-1, 1.5, Number.NaN, '2' as never])('%s engines', async (engines) => {
    await fails(() => cluster({ engines }), UsageError, 'engines is 0, 1, 2', String(engines));
  });

  test('an unknown kind of engine', async () => {
    await fails(() => cluster({ kind: 'fiber' as never }), UsageError, "'fiber'", 'process, thread');
    await fails(() => there.add(1, 'fiber' as never), UsageError, "'fiber'", 'process, thread');
  });

  test.each<[object, string]>([
    [{ log: null }, 'log is'],
    [{ log: { info() {} } }, 'a Logger has debug'],
    [{ beat: 0 }, 'beat is'],
    [{ beat: Number.NaN }, 'beat is'],
    [{ misses: '3' }, 'misses is'],
    [{ clientWindow: -5 }, 'clientWindow is'],
    [{ window: 2 ** 40 }, 'window is'],
    [{ signal: {} }, 'signal is'],
    [{ cwd: 5 }, 'cwd is'],
    [{ name: null }, 'name is'],
    [{ listen: 'tcp://127.0.0.1:0' }, 'listen is a list'],
    [{ plugins: 'one' }, 'plugins is a list'],
    [{ origins: 'https://example.org' }, 'origins is a list'],
    [{ env: { A: 1 } }, 'env is'],
    [{ limits: null }, 'limits is'],
    [{ tls: { crt: 'x' } }, 'tls is an object: '],
    [{ tls: { cert: '', key: '' } }, 'tls is an object'],
    [{ local: 'yes' }, 'local is true or false'],
  ])('the option in %o', async (options, said) => {
    await fails(() => cluster({ engines: 0, ...options }), UsageError, new RegExp(said, 'i'));
  });

  test('what may be a key is not repeated', async () => {
    const key = `-----BEGIN PRIVATE KEY-----${'A'.repeat(64)}`;
    const error = await fails(() => cluster({ engines: 0, tls: key as never }), UsageError, 'tls is an object');
    expect(error.message).not.toContain('AAAA');
  });

  test('an unknown scheme', async () => {
    await fails(() => cluster({ engines: 0, listen: ['pigeon:home'] }), TransportError, 'pigeon:', 'tcp:', 'unix:');
    await fails(() => connect({ ...info, urls: ['pigeon:home'] }), TransportError, 'pigeon:', 'known here');
    // Before the token is missed; the caret is below it.
    await fails(
      () => connect('tpc:host=a:port=1'),
      TransportError,
      "'tpc:'",
      'unix:',
      /\n {2}tpc:host=a:port=1\n {2}\^$/,
    );
  });

  test('a port in use, also where the controller has a process of its own', async () => {
    await fails(() => cluster({ engines: 0, listen: [tcp] }), TransportError, tcp, 'in use');
    await fails(() => cluster({ engines: 0, listen: [tcp], controller: 'process' }), Error, tcp, 'in use');
  });

  test('an address that others can reach', async () => {
    await fails(() => cluster({ engines: 0, listen: ['tcp://0.0.0.0:0'] }), UsageError, '0.0.0.0', 'insecure');
  });

  test('a name that is taken, and one that is no name', async () => {
    const error = await fails(
      () => cluster({ engines: 0, name }),
      UsageError,
      `'${name}'`,
      file,
      'choose another name',
    );
    expect(error.code).toBe('USAGE');
    expect(readFileSync(file, 'utf8')).toContain(info.token);
    await fails(() => cluster({ engines: 0, name: '../up' }), UsageError, "'../up'", 'letters, digits');
  });

  test('a home that cannot be written to', async () => {
    try {
      for (const bad of [path.join(file, 'home'), '/proc/tutti-home']) {
        process.env.TUTTI_HOME = bad;
        await fails(() => cluster({ engines: 0, name: 'homeless' }), UsageError, `${bad}/homeless.json`, 'TUTTI_HOME');
      }
    } finally {
      process.env.TUTTI_HOME = home;
    }
  });
});

describe('connecting', () => {
  test('a name that nobody has', async () => {
    await fails(() => connect('nobody'), ClusterNotFoundError, "'nobody'", 'tutti start --name nobody');
    await fails(() => connect('no such name'), UsageError, "'no such name'", 'letters, digits');
    await fails(() => connect('/nowhere/at-all.json'), ClusterNotFoundError, '/nowhere/at-all.json');
  });

  test('an address where nobody listens, and one that makes no sense', async () => {
    const server = net.createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as net.AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    const url = `tcp://127.0.0.1:${port}`;
    await fails(() => connect({ ...info, urls: [url] }), TransportError, url, 'nobody listens');
    await fails(() => connect({ ...info, urls: ['tcp://127.0.0.1'] }), TransportError, 'names no host and port');
    await fails(() => connect({ ...info, urls: ['what?'] }), TransportError, "'what?' is not a URL", 'tcp://');
    await fails(
      () => connect('127.0.0.1:7777'),
      UsageError,
      'no name for a cluster',
      'begins with its transport',
      'tcp:',
    );
  });

  test('a server that speaks something else', async () => {
    const server = net.createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const url = `tcp://127.0.0.1:${(server.address() as net.AddressInfo).port}`;
    await fails(() => connect({ ...info, urls: [url] }), TransportError, url, 'protocol');
    server.close();
  });

  test('a URL without a token', async () => {
    delete process.env.TUTTI_TOKEN;
    await fails(() => connect(tcp), RefusedError, 'TUTTI_TOKEN');
  });

  test('a secret that is wrong, missing or malformed', async () => {
    const [id] = info.token.split('.');
    await fails(() => connect({ ...info, token: `${id}.${'0'.repeat(64)}` }), RefusedError, id!, 'out of date');
    await fails(() => connect({ ...info, token: `cffff.${'0'.repeat(64)}` }), RefusedError, 'cffff', 'no key');
    await fails(() => connect({ ...info, token: '' }), RefusedError, 'ID.SECRET');
    await fails(() => connect({ ...info, token: 'only-an-id' }), RefusedError, 'ID.SECRET');
  });

  test('a record without addresses or token, and options that make no sense', async () => {
    for (const record of [{}, { urls: [] }, { ...info, urls: [] }, { urls: [tcp] }, { ...info, token: 5 }])
      await fails(() => connect(record as never), UsageError, '{ urls, token }');
    await fails(() => connect(info, { window: -1 }), UsageError, 'window is');
    await fails(() => connect(info, { tls: 'x' as never }), UsageError, 'tls is', 'serverName');
    await fails(() => connect(info, { observe: 1 as never }), UsageError, 'observe is true or false');
  });

  test('the key of an engine used by a client', async () => {
    await fails(() => connect({ ...info, token: info.engineToken! }), RefusedError, 'for engine', 'act as client');
  });

  test('the file of a dead cluster', async () => {
    // Beyond the largest process id.
    const dead = path.join(home, 'dead.json');
    writeFileSync(dead, JSON.stringify({ ...info, name: 'dead', pid: 2 ** 22 + 1 }));
    await fails(() => connect('dead'), ClusterNotFoundError, "'dead'", 'start it again');
    writeFileSync(dead, '{"half": ');
    await fails(() => connect(dead), ClusterNotFoundError, dead, 'not a connection file');
  });
});

describe('calls', () => {
  test('a timeout longer than timers can wait is none', async () => {
    for (const timeout of [Number.POSITIVE_INFINITY, 2 ** 31]) {
      const slow = there.engine(0).with({ timeout }).execute('await new Promise((f) => setTimeout(f, 50)); 1');
      expect(await slow).toBe(1);
      const more = there.waitForEngines(3, { timeout, signal: AbortSignal.timeout(50) });
      await fails(() => more, DOMException, 'timeout');
    }
    await fails(() => there.waitForEngines('3' as never), UsageError, 'how many');
  });

  test('a syntax error: line and caret', async () => {
    const error = await fails(() => there.all.execute('let a = 1;\nlet b = = 2;'), SyntaxError, /\^/);
    expect(error).toMatchObject({ line: 2, column: 9 });
    expect(error.message).toContain('let b = = 2;');
  });

  test('something thrown that is no Error', async () => {
    const thrown = there.engine(1).apply(() => {
      throw 'a string';
    });
    const error = await fails(() => thrown, RemoteError, 'threw "a string"');
    expect(error).toMatchObject({ engine: 1, original: 'a string' });
    const nothing = there.engine(0).execute('throw undefined');
    await fails(() => nothing, RemoteError, 'threw undefined');
  });

  test('an argument that cannot travel, with its path', async () => {
    const socket = new net.Socket();
    const error = await fails(
      () => there.all.apply((x: unknown) => x, { list: [1, { socket }] } as never),
      CannotTravelError,
      'list[1].socket',
      /Socket/,
    );
    expect(error.path).toMatch(/list\[1\]\.socket$/);
    await fails(() => there.all.push({ a: { b: Symbol('s') } }), CannotTravelError, 'a.b', 'symbol');
  });

  test('a result that cannot travel, with its path', async () => {
    const result = there.engine(0).apply(() => ({ deep: [Symbol('s')] }));
    await fails(() => result, Error, 'result.deep[0]', 'symbol');
  });

  test('cycles travel', async () => {
    const ring: { self?: unknown; list: unknown[] } = { list: [] };
    ring.self = ring;
    ring.list.push(ring.list, ring);
    const back = (await there.engine(0).apply((x: unknown) => x, ring as never)) as typeof ring;
    expect(back.self).toBe(back);
    expect(back.list[0]).toBe(back.list);
    expect(back.list[1]).toBe(back);
  });

  test('a reply too late for its timeout', async () => {
    const late = there
      .engine(0)
      .with({ timeout: 30 })
      .apply(
        () =>
          new Promise((resolve) => (globalThis as any).task.signal.addEventListener('abort', () => resolve('late'))),
      );
    await fails(() => late, TimeoutError, late.id, 'timeout of 30 ms');
    expect(late.status).toBe('failed');
    expect(await there.engine(0).execute('"on it goes"')).toBe('on it goes');
  });

  test('arguments that make no sense', async () => {
    await fails(() => there.all.apply(5 as never), UsageError, 'apply takes a function', 'number');
    await fails(() => there.all.map((x: number) => x, 5 as never), UsageError, 'iterables', 'number');
    await fails(() => there.all.scatter('a', [1], { by: 'colour' as never }), UsageError, 'colour', "'cyclic'");
  });
});
