/** What a NATS server that is not as it should be is told apart by. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { nkeys } from '@nats-io/transport-node';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { dial, listen } from '../../core/wire/transport.ts';
import { cluster, StoreError, StoreLockedError, TransportError, UsageError } from '../../main.ts';
import { natsStores } from '../../transports/nats/index.ts';
import { authority } from './support/certificates.ts';
import { type NatsServer, sharedNats, startNats, withNats } from './support/nats.ts';
import { operated } from './support/nats-accounts.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'tutti-nats-'));
afterAll(() => rmSync(folder, { recursive: true }));
const before = { ...process.env };
afterEach(() => {
  for (const name of Object.keys(process.env)) if (name.startsWith('NATS_')) delete process.env[name];
  Object.assign(process.env, before);
});

/** Dials as it should be: somebody listens, and is reached. */
async function works(url: string): Promise<void> {
  const listener = await listen(url, (connection) => connection.receive({ message() {}, close() {} }));
  const connection = await dial(url);
  await connection.close();
  await listener.close();
}

test.each([
  'nats://127.0.0.1:4222',
  'nats://127.0.0.1:4222/a.b',
  'nats://127.0.0.1:4222/a/',
  'nats://127.0.0.1/a?speed=fast',
  'nats://127.0.0.1/a?replicas=9',
])('%s is no address', async (url) => {
  await expect(dial(url)).rejects.toThrow(UsageError);
  expect(() => natsStores(url)).toThrow(UsageError);
});

test('secrets do not belong into the address', async () => {
  await expect(cluster({ engines: 0, listen: ['nats://me:secret@127.0.0.1/home'] })).rejects.toThrow(
    /secrets do not belong in URLs/,
  );
});

test('a server that others can reach is used without encryption only if that is meant', async () => {
  await expect(cluster({ engines: 0, listen: ['nats://192.0.2.1/home'] })).rejects.toThrow(/without encryption/);
});

test('no server there', async () => {
  const url = 'nats://127.0.0.1:1/home';
  await expect(dial(url)).rejects.toThrow(/no NATS server answers at 127.0.0.1:1; is it running/);
  await expect(cluster({ engines: 0, listen: [url] })).rejects.toThrow(TransportError);
  await expect(cluster({ engines: 0, durable: url })).rejects.toThrow(/no NATS server answers/);
});

test('an older server', async () => {
  const info = { server_id: 'X', version: '1.4.1', proto: 1, max_payload: 1_048_576 };
  const old = net.createServer((socket) => {
    socket.on('error', () => {}).write(`INFO ${JSON.stringify(info)}\r\n`);
    socket.on('data', (data) => /PING/.test(String(data)) && socket.write('PONG\r\n'));
  });
  await new Promise<void>((resolve) => old.listen(0, '127.0.0.1', resolve));
  const { port } = old.address() as net.AddressInfo;
  await expect(dial(`nats://127.0.0.1:${port}/home`)).rejects.toThrow(/is of version 1.4.1.*tutti needs 2.2 or later/);
  old.close();
});

withNats('a plain server', () => {
  const server = sharedNats();

  test('nobody listens under the name', async () => {
    await expect(dial(server().url('lonely'))).rejects.toThrow(/nobody listens under the name 'lonely'/);
  });

  test('without JetStream it carries messages and keeps nothing', async () => {
    await works(server().url());
    await expect(natsStores(server().url()).open('one')).rejects.toThrow(
      /has no JetStream, which 'durable' needs; start it with: nats-server -js/,
    );
    await expect(cluster({ engines: 0, durable: server().url() })).rejects.toThrow(StoreError);
  });

  test('two clusters of one name', async () => {
    await using first = await cluster({ engines: 0, listen: [server().url('same')] });
    await expect(cluster({ engines: 0, listen: [server().url('same')] })).rejects.toThrow(
      /a cluster named 'same' is there already/,
    );
    await using other = await cluster({ engines: 0, listen: [server().url('other')] });
    expect([first, other].map(({ connection }) => connection.urls.length)).toEqual([1, 1]);
  });

  test('of many that want one name at the same time one gets it', async () => {
    const wanted = Array.from({ length: 5 }, () => listen(server().url('wanted'), () => {}));
    const outcomes = await Promise.allSettled(wanted);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const outcome of outcomes) if (outcome.status === 'fulfilled') await outcome.value.close();
  });

  test('TLS that the server does not have', async () => {
    await expect(dial(`${server().url()}?tls`)).rejects.toThrow(/has no TLS; leave out \?tls/);
  });
});

withNats('JetStream', () => {
  const server = sharedNats({ jetstream: true });

  test('stores that another controller has', async () => {
    const first = natsStores(server().url());
    await first.open('one');
    const second = natsStores(server().url());
    await expect(second.open('one')).rejects.toThrow(StoreLockedError);
    await expect(second.open('one')).rejects.toThrow(new RegExp(`pid ${process.pid}; to wait for its end.*--standby`));
    await first.close();
    await second.open('one');
    await second.close();
  });
});

withNats('users', () => {
  const user = nkeys.createUser();
  const server = sharedNats({
    config: `authorization { users: [
      { user: ada, password: lovelace },
      { nkey: ${user.getPublicKey()} },
      { user: other, password: other, permissions: { publish: "else.>", subscribe: "else.>" } }
    ] }`,
  });

  test('whom the server does not know it does not let in', async () => {
    await expect(dial(server().url())).rejects.toThrow(/does not let us in.*NATS_CREDS/);
    Object.assign(process.env, { NATS_USER: 'ada', NATS_PASSWORD: 'byron' });
    await expect(listen(server().url(), () => {})).rejects.toThrow(/does not let us in/);
    await expect(natsStores(server().url()).open('one')).rejects.toThrow(/does not let us in/);
  });

  test('a user and password', async () => {
    Object.assign(process.env, { NATS_USER: 'ada', NATS_PASSWORD: 'lovelace' });
    await works(server().url());
  });

  test('an nkey', async () => {
    process.env.NATS_NKEY = path.join(folder, 'user.nk');
    await expect(dial(server().url())).rejects.toThrow(/NATS_NKEY names .* cannot be read/);
    writeFileSync(process.env.NATS_NKEY, 'nothing');
    await expect(dial(server().url())).rejects.toThrow(/without the seed of a user/);
    writeFileSync(process.env.NATS_NKEY, `${Buffer.from(user.getSeed()).toString()}\n`);
    await works(server().url());
  });

  test('an account that may not use our subjects', async () => {
    Object.assign(process.env, { NATS_USER: 'other', NATS_PASSWORD: 'other' });
    await expect(dial(server().url())).rejects.toThrow(/its account needs the subjects tutti.>/);
  });
});

withNats('accounts of an operator', () => {
  const { config, creds } = operated();
  const server = sharedNats({ config });

  test('credentials', async () => {
    await expect(dial(server().url())).rejects.toThrow(/does not let us in/);
    process.env.NATS_CREDS = path.join(folder, 'user.creds');
    writeFileSync(process.env.NATS_CREDS, operated().creds);
    await expect(dial(server().url())).rejects.toThrow(/does not let us in/);
    writeFileSync(process.env.NATS_CREDS, creds);
    await works(server().url());
  });
});

withNats('a token', () => {
  const server = sharedNats({ config: 'authorization { token: open-sesame }' });

  test('opens', async () => {
    await expect(dial(server().url())).rejects.toThrow(/does not let us in/);
    process.env.NATS_TOKEN = 'open-sesame';
    await works(server().url());
  });
});

withNats('TLS', () => {
  let server: NatsServer;
  beforeAll(async () => {
    const { ca, sign } = await authority();
    const { cert, key } = await sign();
    for (const [name, text] of Object.entries({ ca, cert, key })) writeFileSync(path.join(folder, `${name}.pem`), text);
    const file = (name: string): string => `"${path.join(folder, `${name}.pem`)}"`;
    server = await startNats({
      config: `tls { cert_file: ${file('cert')}, key_file: ${file('key')}, ca_file: ${file('ca')}, verify: true }`,
    });
  });
  afterAll(() => server.remove());

  test('with its authority, and a certificate of our own', async () => {
    process.env.NATS_CA = path.join(folder, 'ca.pem');
    process.env.NATS_CERT = path.join(folder, 'cert.pem');
    process.env.NATS_KEY = path.join(folder, 'key.pem');
    await works(server.url());
  });

  test('an authority that is not known', async () => {
    await expect(dial(server.url())).rejects.toThrow(/not signed by an authority that is trusted/);
  });
});
