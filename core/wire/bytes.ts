/** Text as bytes and back, and memory: what Node's Buffer does fastest. A page in a browser has a stand-in for this file. */

/** Text as UTF-8. Short texts share memory with strangers. */
export function utf8(text: string): Uint8Array {
  return Buffer.from(text);
}

export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
}

/** Memory that nobody has cleared, with an ArrayBuffer of its own. */
export function uncleared(length: number): Uint8Array {
  return Buffer.allocUnsafeSlow(length);
}
