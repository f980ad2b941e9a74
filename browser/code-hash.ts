/** Stands in for `core/wire/code-hash.ts`. */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { utf8 } from './bytes.ts';

export function codeHash(text: string): string {
  return bytesToHex(sha256(utf8(text))).slice(0, 32);
}
