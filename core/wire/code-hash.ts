import { createHash } from 'node:crypto';

/** The name under which a piece of code travels: the first 16 bytes of its SHA-256, in hex. */
export function codeHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}
