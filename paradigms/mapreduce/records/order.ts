/** In which order to read a list of keys so that they are sorted. Equal keys keep their order. */
import { type Compare, compareKeys } from './keys.ts';

/** A number below 2^53 holds the beginning of a key, and its index. */
const INDEX = 2 ** 21;

export function orderOf(keys: readonly unknown[], compare: Compare): Uint32Array {
  if (compare === compareKeys) {
    const texts = keys.length <= INDEX && keys.every((key) => typeof key === 'string');
    if (texts) return orderOfTexts(keys as readonly string[]);
  }
  const order = Uint32Array.from({ length: keys.length }, (_, i) => i);
  return order.sort((a, b) => compare(keys[a], keys[b]));
}

/** By their first four characters, with a sort that calls no function; then those that begin alike, among themselves. */
function orderOfTexts(keys: readonly string[]): Uint32Array {
  const { length } = keys;
  const packed = new Float64Array(length);
  for (let i = 0; i < length; i++) packed[i] = beginning(keys[i]!) * INDEX + i;
  packed.sort();
  const order = new Uint32Array(length);
  let from = 0;
  let before = -1;
  for (let i = 0; i < length; i++) {
    const one = packed[i]!;
    const prefix = Math.floor(one / INDEX);
    if (prefix !== before) {
      if (i - from > 1) sortPart(order.subarray(from, i), keys);
      from = i;
      before = prefix;
    }
    order[i] = one - prefix * INDEX;
  }
  if (length - from > 1) sortPart(order.subarray(from), keys);
  return order;
}

/** 32 bits. Characters from 255 on count as 255, and end it: what follows them is told apart later. */
function beginning(key: string): number {
  const end = Math.min(key.length, 4);
  let bits = 0;
  let i = 0;
  while (i < end) {
    const character = key.charCodeAt(i++);
    bits = bits * 256 + Math.min(character, 255);
    if (character >= 255) break;
  }
  return bits * 256 ** (4 - i);
}

function sortPart(part: Uint32Array, keys: readonly string[]): void {
  part.sort((a, b) => (keys[a]! < keys[b]! ? -1 : keys[a]! > keys[b]! ? 1 : a - b));
}
