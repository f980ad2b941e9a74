/** Stands in for `core/wire/bytes.ts`. */
const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

export function textOf(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

export function uncleared(length: number): Uint8Array {
  return new Uint8Array(length);
}
