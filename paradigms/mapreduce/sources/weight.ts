/** About how many bytes a value takes, without looking at all of it. */
const SAMPLE = 16;

export function weightOf(value: unknown, depth = 3): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 8;
  if (ArrayBuffer.isView(value)) return value.byteLength;
  if (value instanceof ArrayBuffer || value instanceof SharedArrayBuffer) return value.byteLength;
  if (depth === 0) return 64;
  if (value instanceof Map || value instanceof Set) return sampled(value, value.size, depth);
  if (Array.isArray(value)) return sampled(value, value.length, depth);
  const values = Object.values(value);
  return sampled(values, values.length, depth);
}

function sampled(values: Iterable<unknown>, length: number, depth: number): number {
  let weight = 0;
  let seen = 0;
  for (const value of values) {
    weight += 8 + weightOf(value, depth - 1);
    if (++seen === SAMPLE) break;
  }
  return 16 + (seen && (weight * length) / seen);
}
