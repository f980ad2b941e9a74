/**
 * Stands in for `core/wire/secrets.ts`. Not the browser's own `crypto.subtle`, which pages without https lack and which
 * answers later, where the handshake wants to go on at once.
 */
import { hmac as hmacOf } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { hexToBytes } from '@noble/hashes/utils.js';
import { RefusedError } from '../core/errors.ts';
import { utf8 } from './bytes.ts';

export function randomBytes(length: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(length));
}

export function hmac(secret: string, pieces: readonly (string | Uint8Array)[]): Uint8Array {
  const mac = hmacOf.create(sha256, bytesOf(secret));
  for (const piece of pieces) mac.update(typeof piece === 'string' ? utf8(piece) : piece);
  return mac.digest();
}

export function same(a: Uint8Array | null | undefined, b: Uint8Array): boolean {
  if (a?.length !== b.length) return false;
  let different = 0;
  for (let i = 0; i < b.length; i++) different |= a[i]! ^ b[i]!;
  return different === 0;
}

function bytesOf(secret: string): Uint8Array {
  try {
    return hexToBytes(secret);
  } catch (cause) {
    throw new RefusedError('A malformed token: it reads ID.SECRET, the secret in hex, as in a connection file', {
      cause,
    });
  }
}
