/** A cluster that is reached from elsewhere, with nothing but a copy of its connection file. */
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type ConnectionInfo, cluster, connect } from 'tutti';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Terminal } from '../fixtures/cli/terminal.ts';
import { authority } from './support/certificates.ts';

let terminal: Terminal;
let before: string | undefined;
beforeEach(() => {
  terminal = new Terminal();
  before = process.env.TUTTI_HOME;
  process.env.TUTTI_HOME = terminal.home;
});
afterEach(async () => {
  if (before === undefined) delete process.env.TUTTI_HOME;
  else process.env.TUTTI_HOME = before;
  await terminal.close();
});

/** The file as somebody on another machine would have it: only the address that leads there from outside works. */
function copied(name: string, scheme: string): { file: string; info: ConnectionInfo } {
  const info = JSON.parse(readFileSync(path.join(terminal.home, `${name}.json`), 'utf8')) as ConnectionInfo;
  const there = { ...info, urls: info.urls.filter((url) => url.startsWith(`${scheme}:`)) };
  const file = path.join(terminal.cwd, `${name}.json`);
  mkdirSync(terminal.cwd, { recursive: true });
  writeFileSync(file, JSON.stringify(there));
  return { file, info: there };
}

describe.each(['wss', 'tls'])('%s', (scheme) => {
  test("with the controller's own certificate: a client and an engine", async () => {
    await using home = await cluster({ engines: 0, name: 'far', listen: [`${scheme}:127.0.0.1:0`], output: 'ignore' });
    const { file, info } = copied('far', scheme);
    expect(info.ca).toContain('BEGIN CERTIFICATE');
    expect(statSync(path.join(terminal.home, 'far.json')).mode & 0o777).toBe(0o600);
    const engine = terminal.start(['engine', '--connect', file]);
    await home.waitForEngines(1);
    expect(home.engines[0]).toMatchObject({ kind: 'external', transport: scheme });
    await using client = await connect(file, { output: 'ignore' });
    expect(await client.engine(0).apply((a: number, b: number) => a + b, 2, 3)).toBe(5);
    const data = new Float64Array(1 << 20).fill(0.5);
    expect(await client.engine(0).apply((d: Float64Array) => d, data)).toEqual(data);
    await expect(connect({ ...info, ca: (await authority()).ca })).rejects.toThrow(/not signed by an authority/);
    await home.close();
    expect(await engine.ended).toMatchObject({ code: 0 });
  });

  test('by URL alone, with the authority from TUTTI_CA or from an option', async () => {
    const { ca, sign } = await authority();
    await using home = await cluster({
      engines: 0,
      name: 'far',
      listen: [`${scheme}://127.0.0.1:0`],
      tls: { ...(await sign()), ca },
    });
    const { info } = copied('far', scheme);
    expect(info.ca).toBe(ca);
    const [url] = info.urls as [string];
    const file = path.join(terminal.cwd, 'ca.pem');
    writeFileSync(file, ca);
    const env = { TUTTI_TOKEN: info.token, TUTTI_ENGINE_TOKEN: info.engineToken!, TUTTI_CA: file };
    const engine = terminal.start(['engine', '--connect', url], { env });
    await home.waitForEngines(1);
    const { TUTTI_CA: _, ...bare } = env;
    const run = (options: Record<string, string>) => terminal.run(['exec', '--name', url, '1 + 1'], { env: options });
    expect(await run(env)).toMatchObject({ code: 0, stdout: '[0] 2\n' });
    expect(await run(bare)).toMatchObject({ code: 3, stderr: expect.stringContaining('TUTTI_CA') });
    process.env.TUTTI_TOKEN = info.token;
    try {
      await using client = await connect(url, { tls: { ca } });
      expect(client.engines.length).toBe(1);
      await expect(connect(url)).rejects.toThrow(/not signed by an authority that is trusted here/);
    } finally {
      delete process.env.TUTTI_TOKEN;
    }
    await home.remove([0]);
    expect(await engine.ended).toMatchObject({ code: 0 });
  });
});

test('certificate, key and authority from files, in a controller with a process of its own', async () => {
  const { ca, sign } = await authority();
  const files = { cert: (await sign()).cert, key: '', ca };
  const own = await sign();
  Object.assign(files, own);
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(terminal.cwd, name), text);
  const tls = ['--tls-cert', 'cert', '--tls-key', 'key', '--tls-ca', 'ca'];
  const listen = ['--listen', 'wss:127.0.0.1:0:/tutti', '--origin', 'https://page.example'];
  const started = await terminal.run([
    'start',
    '-n',
    '1',
    '--kind',
    'thread',
    '--name',
    'far',
    '--detach',
    ...listen,
    ...tls,
  ]);
  expect(started).toMatchObject({ code: 0 });
  const { file, info } = copied('far', 'wss');
  expect(info).toMatchObject({ ca, urls: [expect.stringMatching(/^wss:\/\/127\.0\.0\.1:\d+\/tutti$/)] });
  expect(await terminal.json('exec', '--name', file, 'engine.id')).toEqual([0]);
  expect((await terminal.run(['stop', '--name', 'far'])).code).toBe(0);
  const half = await terminal.run(['start', '-n', '0', '--listen', 'tls:127.0.0.1:0', '--tls-cert', 'cert']);
  expect(half).toMatchObject({ code: 2, stderr: expect.stringContaining('cert and key together') });
  const missing = await terminal.run(['start', '-n', '0', '--tls-cert', 'nowhere']);
  expect(missing).toMatchObject({ code: 2, stderr: expect.stringContaining('--tls-cert: nowhere cannot be read') });
  writeFileSync(path.join(terminal.cwd, 'empty'), '');
  // Detached, it would end up with a certificate that the controller makes.
  const empty = await terminal.run(['start', '-n', '0', '--detach', '--tls-cert', 'empty', '--tls-key', 'empty']);
  expect(empty).toMatchObject({ code: 2, stderr: expect.stringContaining('--tls-cert: empty holds no PEM text') });
});
