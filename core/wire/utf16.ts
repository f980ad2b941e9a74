/** Text as UTF-16, little-endian: the way for strings with lone surrogates, which UTF-8 loses. */
export function utf16(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length * 2);
  const units = new DataView(bytes.buffer);
  for (let i = 0; i < text.length; i++) units.setUint16(i * 2, text.charCodeAt(i), true);
  return bytes;
}

export function fromUtf16(bytes: Uint8Array): string {
  const units = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const pieces: string[] = [];
  for (let i = 0; i + 1 < bytes.length; i += 2) pieces.push(String.fromCharCode(units.getUint16(i, true)));
  return pieces.join('');
}
