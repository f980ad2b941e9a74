/** Bytes as text, a block at a time: one check, one copy. */
import { isAscii, isUtf8 } from 'node:buffer';

/** Undefined where they are not UTF-8. */
export function decoded(bytes: Buffer): string | undefined {
  if (isAscii(bytes)) return bytes.toString('latin1');
  return isUtf8(bytes) ? bytes.toString() : undefined;
}

/** Where in bytes that are not UTF-8 the first wrong one is. */
export function firstInvalid(bytes: Buffer): number {
  const text = bytes.toString();
  for (let at = text.indexOf('\ufffd'), byte = 0, from = 0; at !== -1; at = text.indexOf('\ufffd', at + 1)) {
    byte += Buffer.byteLength(text.slice(from, at));
    if (bytes[byte] !== 0xef || bytes[byte + 1] !== 0xbf || bytes[byte + 2] !== 0xbd) return byte;
    from = at;
  }
  return 0;
}

export function invalidText(bytes: Buffer, at: number): string {
  const mark = at === 0 && bytes.length > 1 && bytes.readUInt16LE();
  const utf16 = mark === 0xfeff || mark === 0xfffe;
  return utf16
    ? 'it is UTF-16. Make it UTF-8 first'
    : "a byte that is not UTF-8. Make the file UTF-8, or say { invalid: 'replace' } or 'skip'";
}

export const COUNTED_INVALID = 'not UTF-8';
