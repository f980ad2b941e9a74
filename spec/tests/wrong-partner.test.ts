/** Every dialler at every other listener: told at once what is wrong, while the listener goes on. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TransportError } from '../../core/errors.ts';
import { greet, type Key, meet, mintKey } from '../../core/wire/handshake.ts';
import { type Connection, dial, type Listener, listen } from '../../core/wire/transport.ts';
import '../../transports/builtin.ts';
import { authority } from './support/certificates.ts';

const SCHEMES = ['tcp', 'tls', 'ws', 'wss'] as const;
const key: Key = mintKey('c');
const { ca, sign } = await authority();
const own = await sign();
const listeners = new Map<string, Listener>();

function accept(connection: Connection): void {
  meet(connection, async () => ({ secret: key.secret, roles: ['client'] })).then(
    (guest) => guest.welcome({ session: 's', resumed: false, received: 0, about: {} }),
    () => {},
  );
}

async function shakeHands(url: string): Promise<void> {
  const connection = await dial(url, { tls: { ca } });
  await greet(connection, { role: 'client', key, about: {} });
  connection.destroy();
}

beforeAll(async () => {
  for (const scheme of SCHEMES) listeners.set(scheme, await listen(`${scheme}://127.0.0.1:0`, accept, { tls: own }));
});
afterAll(async () => {
  for (const listener of listeners.values()) await listener.close();
});

/** What the dialler learns: the listener's own words, or what its TLS makes of them. */
const WORDS = {
  tcp: /speaks tutti without TLS; use a tcp:\/\/ URL|does not speak TLS; use a tcp:\/\/ or ws:\/\/ URL/,
  tls: /speaks TLS; use a tls:\/\/ URL/,
  ws: /speaks WebSocket without TLS; use a ws:\/\/ URL|does not speak TLS; use a tcp:\/\/ or ws:\/\/ URL/,
  wss: /speaks WebSocket over TLS; use a wss:\/\/ URL/,
};

describe.each(SCHEMES)('at a %s listener', (there) => {
  test.each(SCHEMES.filter((scheme) => scheme !== there))('a %s dialler', async (scheme) => {
    const { url } = listeners.get(there)!;
    const wrong = url.replace(there, scheme);
    const error = await shakeHands(wrong).then(
      () => new Error('they understood each other'),
      (e: Error) => e,
    );
    expect(error.message).toMatch(WORDS[there]);
    expect(error.message).toContain(wrong);
    expect(error).toBeInstanceOf(TransportError);
    await shakeHands(url);
  });
});
