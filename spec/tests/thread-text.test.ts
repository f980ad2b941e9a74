/** Small handovers between threads, as texts. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Handover } from '../../core/wire/frame-handover.ts';
import { handoverOf, textOf } from '../../transports/thread-text.ts';

const part = fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ minLength: 1_000, maxLength: 1_400 }));
const message = fc.record({
  parts: fc.array(part, { maxLength: 6 }),
  lane: fc.constantFrom(0 as const, 1 as const),
  owned: fc.boolean(),
});

test('all of it is there again, where numbers of any kind may lie, or it goes another way', () => {
  let small = 0;
  fc.assert(
    fc.property(fc.array(message, { maxLength: 6 }), fc.nat(2 ** 32 - 1), (messages, credit) => {
      const text = textOf({ messages, credit, goodbye: undefined });
      const bytes = messages.reduce((sum, { parts }) => sum + parts.reduce((n, { length }) => n + length, 0), 0);
      if (text === undefined) {
        expect(bytes).toBeGreaterThan(2_000);
        return;
      }
      small++;
      const read = handoverOf(text);
      expect(read.credit).toBe(credit);
      expect(read.messages.map(({ lane, parts }) => [lane, parts.map((one) => [...one])])).toEqual(
        messages.map(({ lane, parts }) => [lane, parts.map((one) => [...one])]),
      );
      for (const { parts, owned } of read.messages) {
        expect(owned).toBe(true);
        for (const { byteOffset } of parts) expect(byteOffset % 8).toBe(0);
      }
    }),
  );
  expect(small).toBeGreaterThan(20);
});

test('a goodbye, shared memory and what is large go another way', () => {
  const handover = (parts: Uint8Array[]): Handover => ({
    messages: [{ parts, lane: 1, owned: true }],
    credit: 0,
    goodbye: undefined,
  });
  expect(textOf({ messages: [], credit: 0, goodbye: 'enough' })).toBeUndefined();
  expect(textOf(handover([new Uint8Array(new SharedArrayBuffer(8))]))).toBeUndefined();
  expect(textOf(handover([new Uint8Array(4_096)]))).toBeUndefined();
  expect(textOf(handover(Array.from({ length: 2_000 }, () => new Uint8Array(0))))).toBeUndefined();
  expect(textOf(handover([new Uint8Array(4_000)]))).toHaveLength(4_000 + 8 + 8 + 4 + 4);
});
