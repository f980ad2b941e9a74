/**
 * A digest of a value: the same for values that are deeply equal, whatever the order of an object's keys or of what is in a Map or Set.
 * Of 106 bits, since two values with one digest count as equal.
 */

/** Deeper things are equal to nothing. */
const DEEPEST = 500;

class Hash {
  #a = 0xdeadbeef;
  #b = 0x41c6ce57;
  #c = 0x9e3779b9;
  #d = 0x85ebca6b;

  word(word: number): void {
    this.#a = Math.imul(this.#a ^ word, 2654435761);
    this.#b = Math.imul(this.#b ^ word, 1597334677);
    this.#c = Math.imul(this.#c ^ (word + 0x7f4a7c15), 2246822507);
    this.#d = Math.imul(this.#d ^ (word - 0x61c88647), 3266489909);
    this.#c = (this.#c << 13) | (this.#c >>> 19);
    this.#d = (this.#d << 17) | (this.#d >>> 15);
  }

  text(text: string): void {
    this.word(text.length);
    for (let i = 0; i < text.length; i++) this.word(text.charCodeAt(i));
  }

  bytes(bytes: Uint8Array): void {
    this.word(bytes.length);
    const whole = bytes.byteOffset % 4 ? 0 : bytes.length >> 2;
    if (whole) for (const word of new Uint32Array(bytes.buffer, bytes.byteOffset, whole)) this.word(word);
    for (let i = 4 * whole; i < bytes.length; i++) this.word(bytes[i]!);
  }

  result(): string {
    const [a, b, c, d] = [this.#a, this.#b, this.#c, this.#d].map((x) => Math.imul(x ^ (x >>> 16), 2246822507) >>> 0);
    return [(a! ^ d!) >>> 0, (b! ^ a!) >>> 0, (c! ^ b!) >>> 0, d!].map((word) => word.toString(36)).join('.');
  }
}

let unequal = 0;

export function digest(value: unknown): string {
  const hash = new Hash();
  const above: object[] = [];
  try {
    add(hash, value, above);
  } catch (error) {
    if (!(error instanceof TooDeep)) throw error;
    return `deep ${Date.now()} ${Math.random()} ${++unequal}`;
  }
  return hash.result();
}

class TooDeep extends Error {}

function add(hash: Hash, value: unknown, above: object[]): void {
  if (typeof value !== 'object' || value === null) {
    hash.text(typeof value);
    // 0 and -0 are equal, and so are NaNs.
    hash.text(value === 0 ? '0' : String(value));
    return;
  }
  const cycle = above.lastIndexOf(value);
  if (cycle >= 0) {
    hash.word(above.length - cycle);
    return;
  }
  if (above.length === DEEPEST) throw new TooDeep();
  above.push(value);
  hash.text(kindsOf(value));
  addContents(hash, value, above);
  above.pop();
}

function addContents(hash: Hash, value: object, above: object[]): void {
  if (ArrayBuffer.isView(value)) hash.bytes(bytesOf(value));
  else if (value instanceof ArrayBuffer || value instanceof SharedArrayBuffer) hash.bytes(new Uint8Array(value));
  else if (value instanceof Date) hash.text(String(value.getTime()));
  else if (value instanceof RegExp) hash.text(String(value));
  else if (value instanceof Map)
    unordered(
      hash,
      [...value].map((pair) => digestBelow(pair, above)),
    );
  else if (value instanceof Set)
    unordered(
      hash,
      [...value].map((item) => digestBelow(item, above)),
    );
  else if (value instanceof URL) hash.text(value.href);
  else {
    if (value instanceof Error) add(hash, value.message, above);
    const keys = Object.keys(value);
    if (!Array.isArray(value)) keys.sort();
    hash.word(keys.length);
    for (const key of keys) {
      hash.text(key);
      add(hash, (value as Record<string, unknown>)[key], above);
    }
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function digestBelow(value: unknown, above: object[]): string {
  const hash = new Hash();
  add(hash, value, above);
  return hash.result();
}

function unordered(hash: Hash, digests: string[]): void {
  hash.word(digests.length);
  for (const one of digests.sort()) hash.text(one);
}

/** The names of its classes, the closest first, without `Object` above others. */
export function kindsOf(value: object): string {
  const names: string[] = [];
  for (let at = Object.getPrototypeOf(value); at; at = Object.getPrototypeOf(at)) {
    const name = Object.hasOwn(at, 'constructor') && at.constructor?.name;
    if (name && name !== 'Object') names.push(name);
  }
  return names.join(' ') || 'Object';
}
