/** What a dialler says of a listener's certificate, and a listener of its own. */
import { once } from 'node:events';
import net from 'node:net';
import { afterAll, describe, expect, test } from 'vitest';
import { TransportError } from '../../core/errors.ts';
import { type Connection, dial, type Listener, listen, type TlsOptions } from '../../core/wire/transport.ts';
import '../../transports/builtin.ts';
import { authority } from './support/certificates.ts';

const HOUR = 3_600_000;
const [ours, theirs] = [await authority(), await authority()];
const good = await ours.sign();
const other = await ours.sign();
const listeners: Listener[] = [];
afterAll(() => Promise.all(listeners.map((listener) => listener.close())));

async function listening(scheme: string, tls: TlsOptions): Promise<{ url: string; accepted: Connection[] }> {
  const accepted: Connection[] = [];
  const listener = await listen(`${scheme}://127.0.0.1:0`, (c) => accepted.push(c), { tls });
  listeners.push(listener);
  return { url: listener.url, accepted };
}

async function refused(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => new Error('it was not refused'),
    (e: Error) => e,
  );
  expect(error).toBeInstanceOf(TransportError);
  return error.message;
}

describe.each(['tls', 'wss'])('%s', (scheme) => {
  test.each<[string, () => Promise<TlsOptions>, TlsOptions, RegExp]>([
    ['expired', () => ours.sign(undefined, -2 * HOUR, -HOUR), { ca: ours.ca }, /has expired.*CERT_HAS_EXPIRED/],
    ['not yet valid', () => ours.sign(undefined, HOUR, 2 * HOUR), { ca: ours.ca }, /not valid yet; check the clocks/],
    ['of another name', () => ours.sign(['example.org']), { ca: ours.ca }, /is for example\.org, not for .*serverName/],
    [
      'of another authority',
      () => theirs.sign(),
      { ca: ours.ca },
      /not signed by an authority that is trusted here.*TUTTI_CA/,
    ],
    [
      'of an authority that the system does not know',
      () => ours.sign(),
      {},
      /not signed by an authority that is trusted here/,
    ],
  ])('a certificate that is %s', async (_what, certificate, trust, words) => {
    const { url, accepted } = await listening(scheme, await certificate());
    const message = await refused(dial(url, { tls: trust }));
    expect(message).toMatch(words);
    expect(message).toContain(`Cannot dial ${url}`);
    // Whoever trusts it gets in all the same.
    const again = await listening(scheme, good);
    const connection = await dial(again.url, { tls: { ca: ours.ca } });
    await expect.poll(() => again.accepted.length).toBe(1);
    connection.destroy();
    for (const stranger of accepted) stranger.destroy();
  });

  test('serverName names what the URL does not', async () => {
    const { url } = await listening(scheme, await ours.sign(['example.org']));
    const connection = await dial(url, { tls: { ca: ours.ca, serverName: 'example.org' } });
    connection.destroy();
  });

  test('several authorities in one text', async () => {
    const { url } = await listening(scheme, good);
    const connection = await dial(url, { tls: { ca: theirs.ca + ours.ca } });
    connection.destroy();
  });

  test.each<[string, TlsOptions, RegExp]>([
    ['no certificate', {}, /no certificate was given/],
    ['no key', { cert: good.cert }, /no key was given/],
    ['the key of another', { cert: good.cert, key: other.key }, /not that of the certificate/],
    ['a certificate cut short', { cert: good.cert.slice(0, 99), key: good.key }, /not PEM text/],
    ['a key that is none', { cert: good.cert, key: 'secret' }, /not PEM text/],
    ['an authority that is none', { ...good, ca: 'nobody' }, /authority's certificate \(ca\) is not PEM text/],
  ])('a listener with %s', async (_what, tls, words) => {
    const message = await refused(listen(`${scheme}://127.0.0.1:0`, () => {}, { tls }));
    expect(message).toMatch(words);
    expect(message).not.toContain(good.key.slice(40, 60));
  });

  test('a dialler whose authority is none, or whose own key is that of another', async () => {
    const { url } = await listening(scheme, good);
    const cut = `${ours.ca.slice(0, 120)}\n-----END CERTIFICATE-----`;
    expect(await refused(dial(url, { tls: { ca: ours.ca, cert: good.cert, key: other.key } }))).toMatch(
      /Cannot dial .*not that of the certificate/,
    );
    for (const ca of ['nobody', cut])
      expect(await refused(dial(url, { tls: { ca } }))).toMatch(/\(ca\) is not PEM text/);
  });

  test('a peer that speaks only TLS 1.1 is turned away, and the listener goes on', async () => {
    const { url, accepted } = await listening(scheme, good);
    const { connect } = await import('node:tls');
    const old = connect({
      port: Number(new URL(url).port),
      maxVersion: 'TLSv1.1',
      minVersion: 'TLSv1.1',
      ciphers: 'ALL:@SECLEVEL=0',
    });
    const [error] = await once(old, 'error');
    expect(error.code).toMatch(/^(ERR_SSL|EPROTO|ECONNRESET)/);
    const connection = await dial(url, { tls: { ca: ours.ca } });
    await expect.poll(() => accepted.length).toBe(1);
    connection.destroy();
  });

  test('a peer that leaves in the middle of the handshake harms nobody', async () => {
    const { url, accepted } = await listening(scheme, good);
    const socket = net.connect(Number(new URL(url).port), '127.0.0.1');
    await once(socket, 'connect');
    socket.write(Buffer.from('160301020001', 'hex'), () => socket.resetAndDestroy());
    await once(socket, 'close');
    const connection = await dial(url, { tls: { ca: ours.ca } });
    await expect.poll(() => accepted.length).toBe(1);
    connection.destroy();
  });
});
