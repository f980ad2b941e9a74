import { hostname } from 'node:os';
import path from 'node:path';
import { cluster, connect } from 'tutti';
import { expect, test } from 'vitest';
import { readConnectionFile } from '../../core/connection-file.ts';
import { exposure } from '../../core/wire/transport.ts';
import '../../transports/builtin.ts';
import { ownHome } from './support/shared.ts';

ownHome();

test.each([
  ['tcp://0.0.0.0:1', 'open'],
  ['tcp://[::]:1', 'open'],
  ['tcp://192.168.1.2:1', 'open'],
  ['tcp://example.org:1', 'open'],
  ['tcp://127.0.0.1.example.org:1', 'open'],
  ['tcp://localhost.example.org:1', 'open'],
  ['tcp:host=0.0.0.0:port=1', 'open'],
  ['ws://0.0.0.0:1', 'open'],
  ['ws://example.org', 'open'],
  ['tcp://127.0.0.1:1', 'private'],
  ['tcp://127.9.9.9:1', 'private'],
  ['tcp://LOCALHOST:1', 'private'],
  ['tcp:\\:\\:1:1', 'private'],
  ['ws://[::1]:1', 'private'],
  ['unix:/tmp/x.sock', 'private'],
  ['inline:x', 'private'],
  ['thread:x', 'private'],
  ['tls://0.0.0.0:1', 'encrypted'],
  ['wss://127.0.0.1:1', 'encrypted'],
])('%s is %s', (address, wanted) => {
  expect(exposure(address)).toBe(wanted);
});

test.each(['tcp:0.0.0.0:0', 'ws://0.0.0.0:0'])('%s is refused, unless insecure', async (address) => {
  await expect(cluster({ engines: 0, listen: [address] })).rejects.toThrow(/without encryption; use tls: or wss:/);
});

test('an open listener that is wanted, and one with TLS, are there', async () => {
  await (await cluster({ engines: 0, listen: ['tcp:0.0.0.0:0'], insecure: true })).close();
  await (await cluster({ engines: 0, listen: ['tls:0.0.0.0:0', 'wss:0.0.0.0:0'] })).close();
});

test('of a listener on every address, clients learn addresses that its certificate is for', async () => {
  await using home = await cluster({ engines: 0, name: 'everywhere', listen: ['tls:0.0.0.0:0'], output: 'ignore' });
  const info = readConnectionFile(path.join(process.env.TUTTI_HOME!, 'everywhere.json'));
  const urls = info.urls.filter((url) => url.startsWith('tls:'));
  const hosts = urls.map((url) => new URL(url).hostname);
  expect([hosts[0], hosts.at(-1)]).toEqual([hostname(), '127.0.0.1']);
  // A name may not be known to this machine's own resolver.
  for (const url of urls.slice(1)) {
    await using client = await connect({ ...info, urls: [url] });
    expect(client.name).toBe(home.name);
  }
});
