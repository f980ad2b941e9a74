import { createHmac, randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { TestClock } from '../../core/deferred/index.ts';
import { RefusedError, TimeoutError, TransportError, TuttiError } from '../../core/errors.ts';
import { Kind, PROTOCOL_VERSION } from '../../core/wire/envelope.ts';
import { type Greeting, greet, type Key, keyToken, meet, mintKey, parseToken } from '../../core/wire/handshake.ts';
import type { Connection } from '../../core/wire/transport.ts';
import { connectedPair, type RawPeer, rawPeer } from './wire-pair.ts';

const clientKey = mintKey('c');
const engineKey = mintKey('e');
const rings: Record<string, { secret: string; roles: string[] }> = {
  [clientKey.id]: { secret: clientKey.secret, roles: ['client', 'observer'] },
  [engineKey.id]: { secret: engineKey.secret, roles: ['engine'] },
};
const lookup = async (id: string) => rings[id];
const asClient = (key: Key = clientKey): Greeting => ({ role: 'client', key, about: { pid: 7 } });

/** As protocol.md has it, written down a second time. */
function proof(key: Key, side: 'listener' | 'dialler', nonceD: Uint8Array, nonceL: Uint8Array, role: string): Buffer {
  const pieces = [Buffer.from(side), nonceD, nonceL, Buffer.from(role), Buffer.from(key.id)];
  const signed = pieces.flatMap((piece) => [Buffer.from(`${piece.length}:`), piece]);
  return createHmac('sha256', Buffer.from(key.secret, 'hex')).update(Buffer.concat(signed)).digest();
}

/** Both sides fail: the dialler with this, the listener with a reason of its own. */
async function turnedAway(greeting: Greeting, ...holds: string[]): Promise<void> {
  const [near, far] = await connectedPair();
  const met = expect(meet(far, lookup)).rejects.toBeInstanceOf(TuttiError);
  const error = await greet(near, greeting).catch((e: unknown) => e as Error);
  expect(error).toBeInstanceOf(RefusedError);
  for (const part of holds) expect((error as Error).message).toContain(part);
  await met;
}

/** A listener that does everything right, against a peer that writes its own messages. */
async function listening(): Promise<{ peer: RawPeer; connection: Connection; refused: Promise<string> }> {
  const [near, far] = await connectedPair();
  const refused = meet(far, lookup).then(
    () => 'let in',
    (error: Error) => error.message,
  );
  return { peer: rawPeer(near), connection: near, refused };
}

const hello = (nonce: Uint8Array, more: object = {}) => ({
  kind: Kind.HELLO,
  hello: { version: PROTOCOL_VERSION, role: 'client', key: clientKey.id, nonce, about: Buffer.from('{}'), ...more },
});

async function challengeOf(peer: RawPeer): Promise<{ nonce: Uint8Array; proof: Uint8Array }> {
  await expect.poll(() => peer.heard.length).toBeGreaterThan(0);
  expect(peer.heard[0]!.kind).toBe(Kind.CHALLENGE);
  return peer.heard[0]!.challenge as { nonce: Uint8Array; proof: Uint8Array };
}

async function endsRefused(peer: RawPeer, sentence: RegExp): Promise<void> {
  await expect.poll(() => peer.closed.length).toBe(1);
  expect(peer.heard.map((h) => h.kind)).not.toContain(Kind.WELCOME);
  expect(peer.heard.at(-1)).toMatchObject({ kind: Kind.REFUSED, error: expect.stringMatching(sentence) });
}

describe('two honest sides', () => {
  test('agree; what comes right behind the welcome is kept for whoever takes over', async () => {
    const [near, far] = await connectedPair();
    const greeted = greet(near, { ...asClient(), session: 'old', received: 41 });
    const guest = await meet(far, lookup);
    expect(guest).toMatchObject({ role: 'client', key: clientKey.id, session: 'old', received: 41, about: { pid: 7 } });
    guest.welcome({ session: 's1', resumed: true, received: 3, about: { hi: 1 } });
    far.send([Uint8Array.of(1)]);
    far.send([Uint8Array.of(2)], { lane: 1 });
    const welcomed = await greeted;
    expect(welcomed).toMatchObject({ session: 's1', resumed: true, received: 3, about: { hi: 1 } });
    const late: number[] = [];
    near.receive({ message: ([part]) => late.push(part![0]!), close: () => {} });
    far.send([Uint8Array.of(3)]);
    await expect.poll(() => late.at(-1)).toBe(3);
    expect([...welcomed.early.messages.map(([parts]) => parts[0]![0]), ...late]).toEqual([1, 2, 3]);
  });

  test('tokens hold a key, and nothing else passes for one', () => {
    expect(parseToken(keyToken(clientKey))).toEqual(clientKey);
    for (const bad of ['', '.', 'a.', '.b', 'a', 'a.b.c']) expect(() => parseToken(bad)).toThrow(RefusedError);
  });
});

describe('turned away', () => {
  test('a wrong secret, which the dialler notices first', () =>
    turnedAway(asClient({ id: clientKey.id, secret: 'ab'.repeat(32) }), clientKey.id, 'does not know the secret'));

  test('an unknown key', () => turnedAway(asClient(mintKey('x')), 'no key', 'out of date'));

  test("a client's key as an engine's, and the other way round", async () => {
    await turnedAway({ ...asClient(), role: 'engine' }, 'client or observer', 'cannot act as engine');
    await turnedAway(asClient(engineKey), 'for engine', 'cannot act as client');
  });

  test('a dialler of another protocol version', async () => {
    const { peer, refused } = await listening();
    peer.say(hello(randomBytes(32), { version: PROTOCOL_VERSION + 1 }));
    await endsRefused(peer, /^REFUSED Protocol version 2 cannot talk to version 1; use the same version/);
    expect(await refused).toMatch(/version 2/);
  });

  test('a listener of another protocol version', async () => {
    const [near, far] = await connectedPair();
    const peer = rawPeer(far);
    const greeted = greet(near, asClient()).catch((e: unknown) => e);
    await expect.poll(() => peer.heard.length).toBe(1);
    peer.say({ kind: Kind.CHALLENGE, challenge: { version: 9, nonce: randomBytes(32), proof: randomBytes(32) } });
    const error = await greeted;
    expect(error).toBeInstanceOf(RefusedError);
    expect((error as Error).message).toMatch(/version 9 cannot talk to version 1; use the same version/);
    await expect.poll(() => peer.closed.length).toBe(1);
    expect(peer.heard).toHaveLength(1);
  });

  test('a short nonce', async () => {
    const { peer, refused } = await listening();
    peer.say(hello(randomBytes(8)));
    await endsRefused(peer, /nonce/);
    await refused;
  });
});

describe('attacks', () => {
  test('a proof that was good once is not good again', async () => {
    const nonceD = randomBytes(32);
    const first = await listening();
    first.peer.say(hello(nonceD));
    const good = proof(clientKey, 'dialler', nonceD, (await challengeOf(first.peer)).nonce, 'client');
    first.peer.say({ kind: Kind.PROOF, proof: good });
    expect(await first.refused).toBe('let in');

    const second = await listening();
    second.peer.say(hello(nonceD));
    await challengeOf(second.peer);
    second.peer.say({ kind: Kind.PROOF, proof: good });
    await endsRefused(second.peer, /secret is wrong/);
    expect(await second.refused).toMatch(/secret/);
  });

  test("the listener's own proof, reflected", async () => {
    const first = await listening();
    first.peer.say(hello(randomBytes(32)));
    const challenge = await challengeOf(first.peer);
    // A second connection makes the listener sign the first one's nonce.
    const second = await listening();
    second.peer.say(hello(challenge.nonce));
    const reflected = await challengeOf(second.peer);
    first.peer.say({ kind: Kind.PROOF, proof: reflected.proof });
    await endsRefused(first.peer, /secret is wrong/);
    second.peer.say({ kind: Kind.PROOF, proof: reflected.proof });
    await endsRefused(second.peer, /secret is wrong/);
  });

  test('a proof for one role does not open another', async () => {
    const nonceD = randomBytes(32);
    const { peer } = await listening();
    peer.say(hello(nonceD, { role: 'observer' }));
    const { nonce } = await challengeOf(peer);
    peer.say({ kind: Kind.PROOF, proof: proof(clientKey, 'dialler', nonceD, nonce, 'client') });
    await endsRefused(peer, /secret is wrong/);
  });

  test('a false listener never sees the proof', async () => {
    const [near, far] = await connectedPair();
    const peer = rawPeer(far);
    const greeted = greet(near, asClient()).catch((e: unknown) => e);
    await expect.poll(() => peer.heard.length).toBe(1);
    const nonce = randomBytes(32);
    peer.say({ kind: Kind.CHALLENGE, challenge: { version: PROTOCOL_VERSION, nonce, proof: randomBytes(32) } });
    expect(await greeted).toBeInstanceOf(RefusedError);
    await expect.poll(() => peer.closed.length).toBe(1);
    expect(peer.heard.map((h) => h.kind)).toEqual([Kind.HELLO]);
  });
});

describe('nonsense', () => {
  test.each([
    ['a call before the handshake', { kind: Kind.CALL, id: 1, op: 'pull', targets: [0] }],
    ['a proof before the hello', { kind: Kind.PROOF, proof: randomBytes(32) }],
    ['an empty hello', { kind: Kind.HELLO }],
  ])('%s', async (_, header) => {
    const { peer, refused } = await listening();
    peer.say(header);
    await endsRefused(peer, /^REFUSED /);
    expect(await refused).not.toBe('let in');
  });

  test('a call in place of the proof', async () => {
    const { peer, refused } = await listening();
    peer.say(hello(randomBytes(32)));
    peer.say({ kind: Kind.CALL, id: 1, op: 'pull' });
    await endsRefused(peer, /made no sense/);
    expect(await refused).not.toBe('let in');
  });

  test('a call right behind the proof is refused, not lost', async () => {
    const nonceD = randomBytes(32);
    const { peer, refused } = await listening();
    peer.say(hello(nonceD));
    const { nonce } = await challengeOf(peer);
    peer.say({ kind: Kind.PROOF, proof: proof(clientKey, 'dialler', nonceD, nonce, 'client') });
    peer.say({ kind: Kind.CALL, id: 1, op: 'pull' });
    await endsRefused(peer, /before the welcome/);
    expect(await refused).not.toBe('let in');
  });

  test('bytes that are no envelope', async () => {
    const { peer, connection, refused } = await listening();
    connection.send([Uint8Array.of(0xff, 0xff, 0xff)]);
    await endsRefused(peer, /made no sense/);
    expect(await refused).toMatch(/envelope/);
  });

  test('an answer that is none', async () => {
    const [near, far] = await connectedPair();
    const peer = rawPeer(far);
    const greeted = greet(near, asClient()).catch((e: unknown) => e);
    peer.say({ kind: Kind.BEAT });
    expect(((await greeted) as Error).message).toMatch(/did not answer as a tutti/);
    await expect.poll(() => peer.closed.length).toBe(1);
  });

  test('a listener that hangs up', async () => {
    const [near, far] = await connectedPair();
    const greeted = greet(near, asClient()).catch((e: unknown) => e);
    await far.close('not today');
    expect(await greeted).toBeInstanceOf(TransportError);
    expect(((await greeted) as Error).message).toMatch(/closed during the handshake: not today/);
  });

  test('silence is given up on, on both sides', async () => {
    const clock = new TestClock();
    const [near, far] = await connectedPair();
    const listener = rawPeer(far);
    const greeted = greet(near, asClient(), undefined, clock).catch((e: unknown) => e);
    const [quiet, patient] = await connectedPair();
    const dialler = rawPeer(quiet);
    const met = meet(patient, lookup, clock).catch((e: unknown) => e);
    clock.advance(10_000);
    for (const error of [await greeted, await met]) {
      expect(error).toBeInstanceOf(TimeoutError);
      expect((error as Error).message).toMatch(/No handshake from inline:.* within 10 s/);
    }
    await endsRefused(dialler, /within 10 s/);
    await expect.poll(() => listener.closed.length).toBe(1);
    expect(clock.pending).toBe(0);
  });

  test('a dialler that is told to stop', async () => {
    const [near, far] = await connectedPair();
    const peer = rawPeer(far);
    const controller = new AbortController();
    const greeted = greet(near, asClient(), controller.signal).catch((e: unknown) => e);
    const reason = new Error('changed my mind');
    controller.abort(reason);
    expect(await greeted).toBe(reason);
    await expect.poll(() => peer.closed.length).toBe(1);
  });
});
