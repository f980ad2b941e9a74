/** What a cluster logs, where to, and what never gets there. */
import { once } from 'node:events';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { cluster, type Logger, processLauncher } from 'tutti';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { openLog } from '../../core/log-output.ts';
import { redacted, redactedText } from '../../core/log-redaction.ts';
import { keyToken, mintKey } from '../../core/wire/handshake.ts';
import { cuttableProxy } from './cuttable-proxy.ts';
import { inFolder, ownHome, urlOf, using } from './support/shared.ts';

ownHome();
beforeAll(() => void vi.stubEnv('TUTTI_LOG', ''));
afterAll(() => void vi.unstubAllEnvs());

interface Line {
  level: string;
  message: string;
  fields: Record<string, unknown>;
}

/** A Logger that keeps what it is told. */
function notebook(): Logger & { lines: Line[]; said(level: string, message: RegExp): Line[] } {
  const lines: Line[] = [];
  const at = (level: string) => (message: string, fields?: object) =>
    void lines.push({ level, message, fields: { ...fields } });
  return {
    lines,
    said: (level, message) => lines.filter((line) => line.level === level && message.test(line.message)),
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
  };
}

const documents = (file: string): any[] =>
  readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

test('a life of a cluster, told to a Logger of the program', async () => {
  const log = notebook();
  await using({ engines: 2, kind: 'thread', log }, async (client) => {
    await client.engine(1).apply(() => 1);
    await client.restart([0]);
    await client.remove([1]);
  });
  const infos = log.lines.filter(({ level }) => level === 'info').map(({ message }) => message);
  expect(infos[0]).toBe("Cluster 'private' listens");
  expect(infos.slice(1, 4).sort()).toEqual(['Client 1 has joined', 'Engine 0 has joined', 'Engine 1 has joined']);
  expect(infos.slice(4)).toEqual([
    'Engines are ready',
    'Engine 0 has ended',
    'Engine 0 is back',
    'Engine 1 has ended',
    'Engine 1 was removed',
    'Client 1 has left',
    "Cluster 'private' has stopped",
  ]);
  expect(log.said('info', /Engine 0 is back/)[0]!.fields).toMatchObject({ engine: 0, incarnation: 2, kind: 'thread' });
  expect(log.said('debug', /^Call 1 of client 1: apply/)[0]!.fields).toMatchObject({ op: 'apply', targets: [1] });
  expect(log.said('debug', /answered by engine 1/)[0]!.fields).toMatchObject({ call: 1, status: 'OK' });
  expect(log.said('warn', /./)).toEqual([]);
});

test('an engine that is killed is a warning that says how', async () => {
  const log = notebook();
  await using({ engines: 2, log }, async (client) => {
    process.kill(client.engines[1]!.pid, 'SIGKILL');
    await expect.poll(() => log.said('warn', /Engine 1 was lost: .*SIGKILL/).length).toBe(1);
    expect(log.said('warn', /./)[0]!.fields).toMatchObject({ engine: 1, signal: 'SIGKILL', kind: 'process' });
  });
  expect(log.said('warn', /./)).toHaveLength(1);
});

test('what user code lets fall on an engine comes through its connection, and not without end', async () => {
  const log = notebook();
  await using({ engines: 1, kind: 'thread', log }, async (client) => {
    await client.all.execute('setTimeout(() => { throw new TypeError("fell") }, 0); 1');
    await expect.poll(() => log.said('info', /^Engine 0: Uncaught TypeError: fell$/).length).toBe(1);
    await client.all.execute('for (let i = 0; i < 500; i++) Promise.reject(new Error("no " + i)); 1');
    await client.all.execute('1');
    await expect.poll(() => log.said('info', /Unhandled rejection: .*more, which is left out/).length).toBe(1);
  });
  expect(log.said('info', /Unhandled rejection/).length).toBeLessThan(100);
});

test('an engine that lost its controller and comes back says so', async () => {
  const log = notebook();
  const options = { engines: 0, log, listen: ['tcp://127.0.0.1:0'], name: 'rejoined', beat: 50 };
  await using(options, async (client) => {
    const info = urlOf('tcp')(client);
    const proxy = await cuttableProxy(() => info.urls[0]!);
    const engine = processLauncher({ kind: 'external' }).launch({
      id: -1,
      supervised: true,
      urls: [proxy.url],
      token: info.engineToken!,
      cwd: process.cwd(),
      env: {},
      litter: [],
      beat: 50,
    });
    await client.waitForEngines(1);
    proxy.block();
    proxy.cut();
    await expect.poll(() => log.said('warn', /Engine 0 was lost/).length, { timeout: 20_000 }).toBe(1);
    proxy.restore();
    await expect
      .poll(() => log.said('warn', /Engine 0: it had lost its controller .* joined anew/).length, { timeout: 20_000 })
      .toBe(1);
    engine.kill();
    await engine.exited;
    await proxy.close();
  });
});

test('plug-ins of the start list: those that are loaded, and those that are not', async () => {
  const cwd = fileURLToPath(new URL('../fixtures/paradigms/', import.meta.url));
  const log = notebook();
  await using({ engines: 0, cwd, plugins: ['./probe.mjs', './absent.mjs'], log }, async () => {});
  expect(log.said('info', /^Plug-in .\/probe.mjs is loaded$/)).toHaveLength(1);
  expect(log.said('error', /absent.mjs' was not found/)).toHaveLength(1);
});

describe('lines', () => {
  test('go to a file that only its owner reads, one JSON document each, from the level on', () =>
    inFolder(async (folder) => {
      const file = path.join(folder, 'log');
      await using(
        { engines: 1, kind: 'thread', log: { file } },
        async (client) => void (await client.all.execute('1')),
      );
      const lines = documents(file);
      expect(lines.map(({ msg }) => msg)).toContain('Engine 0 has joined');
      expect(
        lines.every(({ level, name, time }) => level === 'info' && name === 'tutti' && !Number.isNaN(Date.parse(time))),
      ).toBe(true);
      expect(statSync(file).mode & 0o777).toBe(0o600);
    }));

  test('are appended, and may be for people', () =>
    inFolder(async (folder) => {
      const file = path.join(folder, 'log');
      writeFileSync(file, 'before\n');
      const log = openLog({ file, format: 'pretty', level: 'warn' });
      log.logger.info('not this');
      log.logger.warn('engine gone', { engine: 3 });
      log.close();
      log.logger.warn('too late');
      expect(readFileSync(file, 'utf8')).toMatch(/^before\n\[[\d:.]+\] WARN \(tutti\): engine gone \{"engine":3\}\n$/);
    }));

  test('of a controller with a process of its own go to a file, too', () =>
    inFolder(async (folder) => {
      const file = path.join(folder, 'log');
      await using({ engines: 1, controller: 'process', log: { file, level: 'debug' } }, async (client) => {
        await client.all.execute('1');
        const { pid } = await client.status();
        await expect.poll(() => documents(file).filter(({ level }) => level === 'debug').length).toBeGreaterThan(0);
        expect(documents(file).every((line) => line.pid === pid)).toBe(true);
      });
    }));
});

describe('secrets', () => {
  const token = keyToken(mintKey('c'));
  const secret = token.split('.')[1]!;

  test('are taken out of texts by their look, and out of fields by their names', () => {
    expect(redactedText(`refused ${token}, sorry`)).toBe(`refused ${token.split('.')[0]}.[redacted], sorry`);
    const cycle: Record<string, unknown> = { token: 'x', deep: { engineToken: 1, list: [{ password: 'p', ok: 1 }] } };
    cycle.self = cycle;
    const cleaned = JSON.stringify(redacted(cycle));
    expect(cleaned).not.toMatch(/"x"|"p"/);
    expect(cleaned).toContain('"ok":1');
    expect(JSON.stringify(redacted({ error: new Error(`no ${token}`, { cause: new Error(token) }) }))).not.toContain(
      secret,
    );
    expect(redacted({ n: 1n, f: () => 1, b: new Uint8Array(3), u: undefined })).toEqual({ n: '1', b: '[3 bytes]' });
  });

  test('reach neither a file nor a Logger of the program', () =>
    inFolder(async (folder) => {
      const file = path.join(folder, 'log');
      const mine = notebook();
      for (const log of [openLog({ file, level: 'debug' }), openLog(mine)]) {
        for (const level of ['debug', 'info', 'warn', 'error'] as const)
          log.logger[level](`with ${token}`, { token, text: `in ${token}`, inner: { key: secret } });
        log.close();
      }
      expect(documents(file)).toHaveLength(4);
      expect(mine.lines).toHaveLength(4);
      expect(readFileSync(file, 'utf8') + JSON.stringify(mine.lines)).not.toContain(secret);
    }));
});

test.each([
  [{ log: 'loud' as never }, /one of debug, info, warn, error, silent; got 'loud'/],
  [{ log: { levle: 'info' } as never }, /no option 'levle'/],
  [{ log: { format: 'xml' as never } }, /log.format is one of json, pretty/],
  [{ log: { file: '/nowhere/at/all' } }, /Cannot write the log file \/nowhere\/at\/all/],
  [{ log: notebook(), controller: 'process' as const }, /logger of your own needs the controller in this process/],
])('what makes no sense is refused: %o', async (options, message) => {
  await expect(cluster({ engines: 0, ...options })).rejects.toThrow(message);
});

test('a logger that throws ends nothing', async () => {
  const broken = (): never => {
    throw new Error('the logger broke');
  };
  const log = { debug: broken, info: broken, warn: broken, error: broken };
  await using client = await cluster({ engines: 1, kind: 'thread', listen: ['tcp://127.0.0.1:0'], log });
  const { hostname, port } = new URL(client.connection.urls.at(-1)!);
  const stranger = net.connect(Number(port), hostname, () => stranger.end('GET / HTTP/1.1\r\n\r\n'));
  await once(stranger.resume(), 'close');
  expect(await client.all.execute('1')).toEqual([1]);
});
