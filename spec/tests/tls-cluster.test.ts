/** Clusters whose listeners speak TLS: who is let in, who is not, what is said of it, and how that changes while they run. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import tls from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import { findCluster } from '../../core/client/connect.ts';
import { fingerprintOf } from '../../core/controller/authority.ts';
import { type ClusterOptions, type ConnectionInfo, cluster, connect, RefusedError } from '../../main.ts';
import { isRunning, Terminal } from '../fixtures/cli/terminal.ts';
import { cuttableProxy } from './cuttable-proxy.ts';
import { blackBox } from './support/black-box.ts';
import { authority } from './support/certificates.ts';
import { ownHome, using } from './support/shared.ts';

ownHome();
const HOUR = 3_600_000;
const LISTEN = { listen: ['tls://127.0.0.1:0'], engines: 1, kind: 'thread' } satisfies ClusterOptions;

/** As somebody who comes from elsewhere has it. */
function outsider({ urls, ...connection }: ConnectionInfo): ConnectionInfo {
  return { ...connection, urls: urls.filter((url) => url.startsWith('tls:')) };
}

function portOf({ urls }: ConnectionInfo): number {
  return Number(new URL(urls[0]!).port);
}

async function failure(work: Promise<unknown>): Promise<Error> {
  return work.then(
    () => expect.fail('it was let in'),
    (error) => error as Error,
  );
}

describe('turned away, with a reason for both sides', () => {
  const { log, entries } = blackBox();
  afterEach(() => entries.splice(0));
  const reasons = (): string[] =>
    entries.filter(({ level }) => level === 'warn').map(({ fields }) => String(fields.reason));

  test('who does not speak TLS', () =>
    using({ ...LISTEN, log }, async ({ connection }) => {
      const plain = { ...outsider(connection), urls: [`tcp://127.0.0.1:${portOf(outsider(connection))}`] };
      expect((await failure(connect(plain))).message).toMatch(/this address speaks TLS; use a tls:\/\/ URL/);
      expect(new Set(reasons())).toEqual(new Set([expect.stringMatching(/does not speak TLS/)]));
    }));

  test('who shows no certificate, one of another authority, or one that has expired', () =>
    using({ ...LISTEN, log }, async ({ connection }) => {
      const { cert: _, key: __, ...bare } = outsider(connection);
      const nobody = await failure(connect(bare));
      expect(nobody).toBeInstanceOf(RefusedError);
      expect(nobody.message).toMatch(/asks for a certificate of the cluster, and none was shown.*TUTTI_CERT/);
      const foreign = await (await authority()).sign();
      expect((await failure(connect({ ...bare, ...foreign }))).message).toMatch(
        /not signed by an authority that this listener trusts/,
      );
      expect(reasons()).toEqual([
        expect.stringMatching(/none was shown/),
        expect.stringMatching(/not signed by an authority that this listener trusts/),
      ]);
    }));

  test('who shows an expired one, to a cluster with certificates of its user', async () => {
    const ours = await authority();
    const options = { ...(await ours.sign()), ca: ours.ca, mutual: true };
    await using({ ...LISTEN, log, tls: options }, async ({ connection }) => {
      const expired = await ours.sign(undefined, -2 * HOUR, -HOUR);
      expect((await failure(connect({ ...outsider(connection), ...expired }))).message).toMatch(
        /has expired.*check the clocks/,
      );
      expect(reasons()).toEqual([expect.stringMatching(/has expired/)]);
      const good = await connect({ ...outsider(connection), ...(await ours.sign()) }, { output: 'ignore' });
      expect(await good.all.execute('6 * 7')).toEqual([42]);
      await good.close();
    });
  });

  test('a listener of another authority, or whose certificate has expired: by who dials', async () => {
    const ours = await authority();
    const [good, expired] = [await ours.sign(), await ours.sign(undefined, -2 * HOUR, -HOUR)];
    await using({ ...LISTEN, log, tls: good }, async ({ connection }) => {
      const { ca } = await authority();
      expect((await failure(connect({ ...outsider(connection), ca }))).message).toMatch(
        /not signed by an authority that is trusted/,
      );
      await expect.poll(() => reasons().length).toBeGreaterThan(0);
    });
    await using({ ...LISTEN, log, tls: expired }, async ({ connection }) => {
      expect((await failure(connect({ ...outsider(connection), ca: ours.ca }))).message).toMatch(/has expired/);
    });
  });

  test('who plays back what somebody else has said', () =>
    using({ ...LISTEN, log }, async ({ connection }) => {
      const { cert, key, ca } = connection;
      const port = portOf(outsider(connection));
      // Somebody in the middle who has got hold of what was inside TLS.
      const said: Buffer[] = [];
      const recorder = net.createServer((socket) => {
        const onward = tls.connect({ port, host: '127.0.0.1', cert, key, ca });
        socket.on('data', (bytes) => said.push(bytes));
        socket.pipe(onward).pipe(socket);
        for (const one of [socket, onward]) one.on('error', () => {});
      });
      recorder.listen(0, '127.0.0.1');
      await once(recorder, 'listening');
      const url = `tcp://127.0.0.1:${(recorder.address() as net.AddressInfo).port}`;
      const client = await connect({ ...connection, urls: [url] }, { output: 'ignore' });
      await client.close();
      recorder.close();
      const again = tls.connect({ port, host: '127.0.0.1', cert, key, ca });
      let answer = '';
      again.on('data', (bytes) => {
        answer += bytes.toString('latin1');
      });
      await once(again, 'secureConnect');
      const [hello, proof] = said;
      again.write(Buffer.concat([hello!, proof!]));
      await once(again, 'close');
      expect(answer).toMatch(/REFUSED/);
      // Beside it may be that of a connection that was cut before.
      expect(reasons()).toContain('The secret is wrong');
    }));
});

test('the connection file carries the authority, its fingerprint and a certificate; nobody else sees the key', () =>
  using({ ...LISTEN, name: 'certified' }, async ({ connection }) => {
    const { ca, cert, key, fingerprint } = findCluster('certified');
    expect(fingerprint).toBe(fingerprintOf(ca!));
    expect([cert, key]).toEqual([connection.cert, connection.key]);
    expect(cert).not.toBe(ca);
  }));

describe('keys', () => {
  test('are replaced while the cluster runs: the old ones open nothing, engines stay, the program goes on', () =>
    using({ ...LISTEN, kind: 'process', engines: 2, name: 'rotated' }, async (home) => {
      const before = outsider(home.connection);
      const guest = await connect(before, { output: 'ignore' });
      await home.all.push({ x: 1 });
      await home.rotateKeys();
      const after = outsider(findCluster('rotated'));
      for (const name of ['token', 'observerToken', 'engineToken'] as const) expect(after[name]).not.toBe(before[name]);
      await expect(guest.all.execute('await new Promise(() => {})')).rejects.toThrow(/its key was replaced/);
      expect((await failure(connect(before))).message).toMatch(
        /Key 'c\w+' opens nothing any more: its key was replaced by a new one/,
      );
      const newcomer = await connect(after, { output: 'ignore' });
      expect(await newcomer.all.pull('x')).toEqual([1, 1]);
      expect(newcomer.engines.map(({ incarnation }) => incarnation)).toEqual([1, 1]);
      await newcomer.close();
      // The new keys of engines are good for coming back.
      await home.restart([1]);
      expect(await home.all.execute('typeof x')).toEqual(['number', 'undefined']);
    }));

  test('of engines that were replaced let them come back after a cut', () =>
    using({ ...LISTEN, kind: 'process', name: 'cut' }, async (home) => {
      const proxy = await cuttableProxy(() => `tcp://127.0.0.1:${portOf(outsider(home.connection))}`);
      const terminal = new Terminal();
      try {
        const joined = home.waitForEngines(2);
        const file = path.join(terminal.tmp, 'by-proxy.json');
        writeFileSync(
          file,
          JSON.stringify({ ...home.connection, urls: [proxy.url.replace('tcp:', 'tls:')], host: 'elsewhere' }),
        );
        const engine = terminal.start(['engine', '--connect', file]);
        await joined;
        await home.engine(1).execute('y = 5');
        await home.rotateKeys();
        proxy.cut();
        await expect.poll(() => home.engine(1).pull('y')).toBe(5);
        expect(home.engines[1]!.incarnation).toBe(1);
        await home.remove([1]);
        await engine.ended;
      } finally {
        await terminal.close();
        await proxy.close();
      }
    }));

  test('are replaced also while an engine is in a loop, which gets its own later', () =>
    using({ engines: 1, kind: 'process' }, async (home) => {
      const loop = home.engine(0).execute('for (;;);');
      await expect.poll(async () => (await home.tasks()).map(({ state }) => state)).toEqual(['running']);
      await home.rotateKeys();
      await home.rotateKeys();
      await loop.interrupt();
      await expect(loop).rejects.toThrow();
      expect(await home.engine(0).execute('1 + 1')).toBe(2);
      expect(home.engines[0]!.incarnation).toBe(1);
    }));

  test('of before are good for a while, if that is wanted', () =>
    using({ ...LISTEN, name: 'grace' }, async (home) => {
      const before = outsider(home.connection);
      await home.rotateKeys({ grace: 60_000 });
      const late = await connect(before, { output: 'ignore' });
      expect(await late.all.execute('1')).toEqual([1]);
      await late.close();
    }));
});

describe('the authority', () => {
  const fails = async (info: ConnectionInfo): Promise<string> => (await failure(connect(info))).message;
  const comes = async (info: ConnectionInfo): Promise<void> => {
    const client = await connect(info, { output: 'ignore' });
    expect(await client.all.execute('1')).toEqual([1]);
    await client.close();
  };

  test('is replaced: both are trusted for a while, then the former is not any more', () =>
    using({ ...LISTEN, name: 'succession' }, async (home) => {
      const before = outsider(home.connection);
      await home.rotateKeys({ authority: true, grace: 60_000 });
      const after = outsider(findCluster('succession'));
      expect(after.ca).not.toContain(before.ca!.trim());
      expect(after.fingerprint).toBe(fingerprintOf(after.ca!));
      await comes(before);
      await comes(after);
      // The one before the last is dropped at once.
      await home.rotateKeys({ authority: true, grace: 60_000 });
      const last = outsider(findCluster('succession'));
      expect(await fails({ ...last, ca: before.ca! })).toMatch(/not signed by an authority that is trusted here/);
      expect(await fails({ ...last, cert: before.cert!, key: before.key! })).toMatch(
        /not signed by an authority that this listener trusts/,
      );
      await comes(after);
      await comes({ ...last, ca: after.ca! });
      await comes({ ...last, cert: after.cert!, key: after.key! });
      await comes(last);
      await home.rotateKeys({ authority: true });
      const now = outsider(findCluster('succession'));
      await expect.poll(() => fails({ ...now, ca: last.ca! }).catch(String)).toMatch(/trusted here/);
      expect(await fails({ ...now, cert: last.cert!, key: last.key! })).toMatch(/that this listener trusts/);
      await comes(now);
    }));

  test('is replaced without losing an engine, which then comes back with new certificates only', async () => {
    const { log, of } = blackBox();
    await using({ ...LISTEN, engines: 0, name: 'kept', log }, async (home) => {
      const proxy = await cuttableProxy(() => `tcp://127.0.0.1:${portOf(outsider(home.connection))}`);
      const terminal = new Terminal();
      try {
        const joined = home.waitForEngines(1);
        const file = path.join(terminal.tmp, 'by-proxy.json');
        const urls = [proxy.url.replace('tcp:', 'tls:')];
        writeFileSync(file, JSON.stringify({ ...home.connection, urls, host: 'elsewhere' }));
        const engine = terminal.start(['engine', '--connect', file]);
        await joined;
        await home.engine(0).execute('y = 5');
        await home.rotateKeys({ authority: true });
        await expect.poll(() => of('The former authority is not trusted any more').length).toBe(1);
        const { connections } = proxy;
        proxy.cut();
        await expect.poll(() => home.engine(0).pull('y')).toBe(5);
        // Engine and supervisor.
        await expect.poll(() => proxy.connections).toBeGreaterThanOrEqual(connections + 2);
        // Stopped by its supervisor, who has come back as well.
        const loop = home.engine(0).execute('for (;;);');
        await expect.poll(async () => (await home.tasks()).map(({ state }) => state)).toEqual(['running']);
        await loop.interrupt();
        await expect(loop).rejects.toThrow();
        expect(home.engines[0]!.incarnation).toBe(1);
        await home.remove([0]);
        await engine.ended;
      } finally {
        await terminal.close();
        await proxy.close();
      }
    });
  });

  test("of one's own certificates is not the cluster's to replace", async () => {
    const ours = await authority();
    await using({ ...LISTEN, tls: await ours.sign() }, async (home) => {
      await expect(home.rotateKeys({ authority: true })).rejects.toThrow(/its user's own/);
      await home.rotateKeys();
    });
  });
});

describe('an engine that is revoked', () => {
  test('is ended, and its id retires', () =>
    using({ engines: 2, kind: 'process' }, async (client) => {
      const { pid } = client.engines[1]!;
      const lost = expect(client.engine(1).execute('await new Promise(() => {})')).rejects.toThrow(
        /its key was revoked/,
      );
      await client.revoke([1]);
      await lost;
      expect(client.engines.map(({ id }) => id)).toEqual([0]);
      await expect.poll(() => isRunning(pid)).toBe(false);
    }));

  test('that came by itself is refused when it comes back, and says why; the key that it joined with is replaced', async () => {
    const { log, entries } = blackBox();
    await using({ ...LISTEN, engines: 0, name: 'revoked', log }, async (home) => {
      const terminal = new Terminal();
      try {
        const before = home.connection;
        const file = path.join(terminal.tmp, 'copy.json');
        writeFileSync(file, JSON.stringify(outsider(before)));
        const joined = home.waitForEngines(1);
        const engine = terminal.start(['engine', '--connect', file]);
        await joined;
        await home.revoke([0]);
        const { code, stderr } = await engine.ended;
        expect(code).not.toBe(0);
        expect(stderr).toMatch(/This engine ends: .*opens nothing any more: its key was revoked/);
        expect(entries.map(({ fields }) => String(fields.reason))).toContainEqual(
          expect.stringMatching(/its key was revoked/),
        );
        const again = await terminal.run(['engine', '--connect', file]);
        expect(again).toMatchObject({ code: 3, stderr: expect.stringContaining('opens nothing any more') });
        expect(home.connection.engineToken).not.toBe(before.engineToken);
        expect(home.connection.token).toBe(before.token);
      } finally {
        await terminal.close();
      }
    });
  });
});

test('mutual TLS needs an authority', async () => {
  const { cert, key } = await (await authority()).sign();
  await expect(cluster({ ...LISTEN, tls: { cert, key, mutual: true } })).rejects.toThrow(/ca says which authority/);
});
