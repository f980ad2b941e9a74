/**
 * Mutual proof of a shared secret, before anything else is read. Neither side sends its secret: each signs both nonces
 * with it. The order is hello, challenge, proof, welcome; whoever is not satisfied says REFUSED and closes.
 */
import { type Clock, realClock } from '../deferred/clock.ts';
import { ProtocolError, RefusedError, TimeoutError, TransportError } from '../errors.ts';
import { textOf, utf8 } from './bytes.ts';
import { Kind, PROTOCOL_VERSION, pack } from './envelope.ts';
import { converse, type Early } from './handshake-script.ts';
import { hmac, randomBytes, same } from './secrets.ts';
import type { Connection } from './transport.ts';

export type { Early } from './handshake-script.ts';

export type Role = 'client' | 'observer' | 'engine' | 'supervisor' | 'peer';

/** Why a session ends whose key was taken back: who hears it need not come again. */
export const REVOKED = 'its key was revoked';

/** A secret under a name. As a token it reads `id.secret`. */
export interface Key {
  readonly id: string;
  readonly secret: string;
}

export function mintKey(prefix: string): Key {
  return { id: `${prefix}${hex(randomBytes(6))}`, secret: hex(randomBytes(32)) };
}

export function keyToken(key: Key): string {
  return `${key.id}.${key.secret}`;
}

export function parseToken(token: string): Key {
  const [id, secret, ...rest] = token.split('.');
  if (!id || !secret || rest.length)
    throw new RefusedError('A malformed token: it reads ID.SECRET, as in a connection file');
  return { id, secret };
}

export interface Greeting {
  role: Role;
  key: Key;
  /** The session to resume, and how many messages of it have arrived here. */
  session?: string | undefined;
  received?: number;
  about: object;
}

export interface Welcomed {
  session: string;
  resumed: boolean;
  received: number;
  about: any;
  /** What arrived right behind the welcome, before anybody could take the connection over; `Session.attach` takes it first. */
  early: Early;
}

/** The dialler's side. Rejects with RefusedError (and closes) when either side is not satisfied. */
export async function greet(
  connection: Connection,
  greeting: Greeting,
  signal?: AbortSignal,
  clock: Clock = realClock,
): Promise<Welcomed> {
  const script = converse(connection, clock, signal);
  try {
    const nonce = randomBytes(32);
    const { role, key } = greeting;
    script.say({
      kind: Kind.HELLO,
      hello: {
        version: PROTOCOL_VERSION,
        role,
        key: key.id,
        nonce,
        session: greeting.session ?? '',
        received: greeting.received ?? 0,
        about: utf8(JSON.stringify(greeting.about)),
      },
    });
    const { challenge } = await script.hear(Kind.CHALLENGE);
    if (challenge?.version !== PROTOCOL_VERSION)
      throw new RefusedError(`${connection.remote}: ${otherVersion(challenge?.version)}`);
    if (!same(challenge?.proof, sign(key, 'listener', nonce, challenge?.nonce, role)))
      throw new RefusedError(
        `${connection.remote} does not know the secret of ${named(key.id)}: it is another cluster, or the connection file is out of date`,
      );
    connection.allowLarge(); // what is behind the welcome may come with it
    script.say({ kind: Kind.PROOF, proof: sign(key, 'dialler', nonce, challenge?.nonce, role) });
    const { welcome } = await script.hear(Kind.WELCOME);
    if (!welcome) throw new ProtocolError('An empty welcome');
    return {
      session: welcome.session ?? '',
      resumed: welcome.resumed ?? false,
      received: Number(welcome.received ?? 0),
      about: parse(welcome.about),
      early: script.early,
    };
  } catch (error) {
    connection.destroy(error instanceof Error ? error.message : String(error));
    throw error;
  } finally {
    script.done();
  }
}

export interface Guest {
  role: Role;
  key: string;
  session: string;
  received: number;
  about: any;
  /** Lets the guest in; call it once. */
  welcome(welcome: { session: string; resumed: boolean; received: number; about: object }): void;
  /** Turns the guest away: a stable code and a sentence for a person. */
  refuse(code: string, sentence: string): void;
}

/** The listener's side: resolves with a guest whose proof is good; turns all others away and rejects with the reason. */
export async function meet(
  connection: Connection,
  lookup: (key: string, role: string) => Promise<{ secret: string; roles: readonly string[] } | undefined>,
  clock: Clock = realClock,
): Promise<Guest> {
  const script = converse(connection, clock);
  const refuse = (code: string, sentence: string): void => {
    script.say({ kind: Kind.REFUSED, error: `${code} ${sentence}` });
    script.done();
    void connection.close(sentence);
  };
  try {
    const { hello } = await script.hear(Kind.HELLO);
    const nonceD = hello?.nonce;
    if (!hello || !nonceD || nonceD.length < 16) throw new RefusedError('A hello without a nonce');
    if (connection.objection !== undefined) throw new RefusedError(connection.objection);
    if (hello.version !== PROTOCOL_VERSION) throw new RefusedError(otherVersion(hello.version));
    const role = hello.role ?? '';
    const known = await lookup(hello.key ?? '', role);
    if (!known)
      throw new RefusedError(
        `This cluster has no ${named(hello.key)}; the connection file or token is of another cluster, or out of date`,
      );
    const key: Key = { id: hello.key ?? '', secret: known.secret };
    const nonce = randomBytes(32);
    script.say({
      kind: Kind.CHALLENGE,
      challenge: { version: PROTOCOL_VERSION, nonce, proof: sign(key, 'listener', nonceD, nonce, role) },
    });
    const { proof } = await script.hear(Kind.PROOF);
    if (!same(proof, sign(key, 'dialler', nonceD, nonce, role))) throw new RefusedError('The secret is wrong');
    if (!known.roles.includes(role))
      throw new RefusedError(
        `${named(key.id)} is for ${known.roles.join(' or ')}; it cannot act as ${role.slice(0, 20)}`,
      );
    if (script.early.closed) throw new TransportError(`${connection.remote} went away during the handshake`);
    // It would not be counted: only the welcome says from where.
    if (script.unheard) throw new RefusedError('A message before the welcome; wait for it');
    script.done();
    connection.allowLarge();
    return {
      role: role as Role,
      key: key.id,
      session: hello.session ?? '',
      received: Number(hello.received ?? 0),
      about: parse(hello.about),
      welcome: (welcome) => {
        const about = utf8(JSON.stringify(welcome.about));
        connection.send(pack({ kind: Kind.WELCOME, welcome: { ...welcome, about } }));
      },
      refuse,
    };
  } catch (error) {
    const known = error instanceof RefusedError || error instanceof TimeoutError;
    refuse('REFUSED', known ? error.message : 'The handshake made no sense');
    throw error;
  }
}

function otherVersion(version: number | null | undefined): string {
  return `Protocol version ${version} cannot talk to version ${PROTOCOL_VERSION}; use the same version of tutti on both sides`;
}

/** Somebody may have put a secret where the key's name belongs: only what is as short as a name is repeated. */
function named(id: string | null | undefined): string {
  return /^\w{1,20}$/.test(id ?? '') ? `key '${id}'` : 'key of that name';
}

/** The side's name keeps one side's proof from being played back as the other's. */
function sign(
  key: Key,
  side: string,
  nonceD: Uint8Array | null | undefined,
  nonceL: Uint8Array | null | undefined,
  role: string,
): Uint8Array {
  const pieces = [side, nonceD ?? '', nonceL ?? '', role, key.id];
  return hmac(
    key.secret,
    pieces.flatMap((piece) => [`${piece.length}:`, piece]),
  );
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function parse(about: Uint8Array | null | undefined): any {
  try {
    return JSON.parse(about ? textOf(about) : '');
  } catch {
    throw new ProtocolError('A handshake message that is not JSON where it should be');
  }
}
