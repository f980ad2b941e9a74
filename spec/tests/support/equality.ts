/** Before each test file. Element by element, as `expect` compares them, a million numbers take seconds. */
import { expect } from 'vitest';

type View = Uint8Array;

expect.addEqualityTesters([
  // What differs is left to `expect`, which says where.
  (a: unknown, b: unknown) => (isView(a) && isView(b) && sameBytes(a, b) ? true : undefined),
]);

function isView(value: unknown): value is View {
  return ArrayBuffer.isView(value);
}

function sameBytes(a: View, b: View): boolean {
  return a.constructor === b.constructor && Buffer.compare(bytesOf(a), bytesOf(b)) === 0;
}

function bytesOf({ buffer, byteOffset, byteLength }: View): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
