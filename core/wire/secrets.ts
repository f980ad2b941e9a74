/** What proofs are made of. A page in a browser has a stand-in for this file. */
import { createHmac, randomBytes as random, timingSafeEqual } from 'node:crypto';

export function randomBytes(length: number): Uint8Array {
  return random(length);
}

/** HMAC-SHA256 of the pieces, one after the other. The secret is in hex. */
export function hmac(secret: string, pieces: readonly (string | Uint8Array)[]): Uint8Array {
  const mac = createHmac('sha256', Buffer.from(secret, 'hex'));
  for (const piece of pieces) mac.update(piece);
  return mac.digest();
}

/** In a time that does not tell where they differ. */
export function same(a: Uint8Array | null | undefined, b: Uint8Array): boolean {
  return a?.length === b.length && timingSafeEqual(a, b);
}
