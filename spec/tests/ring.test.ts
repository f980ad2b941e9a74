/** The ring between an engine and its supervisor: records arrive whole and in order, whoever is stopped while writing. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { memoryIn, newMemory, READ, RING, WRITTEN } from '../../core/supervisor/memory.ts';
import { RingReader, type Told } from '../../core/supervisor/ring-reader.ts';
import { RingWriter } from '../../core/supervisor/ring-writer.ts';

class Stopped extends Error {}

/** Where there is no room, it asks what to do instead of waiting. */
class Writer extends RingWriter {
  full: () => void = () => {};
  #free: () => number;

  constructor(memory: ReturnType<typeof memoryIn>) {
    super(memory);
    const { ints } = memory;
    this.#free = () => RING - ((ints[WRITTEN]! - ints[READ]!) | 0);
  }

  override waitForRoom(): number {
    while (!this.#free()) this.full();
    return this.#free();
  }
}

const size = fc.oneof(fc.nat(200), fc.integer({ min: 0, max: 3 * RING }), fc.constantFrom(RING - 21, RING - 20, RING));
const step = fc.record({
  size,
  text: fc.boolean(),
  /** After how many times that the ring was full it is stopped. */
  patience: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.nat(2)),
  drain: fc.boolean(),
});

test('whole records arrive, in order, and nothing of those that were stopped', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), fc.integer(), (steps, start) => {
      const memory = memoryIn(newMemory());
      // Anywhere in the ring, and in the counters' range.
      memory.ints[READ] = memory.ints[WRITTEN] = start;
      const writer = new Writer(memory);
      const reader = new RingReader(memory);
      const seen: { call: number; bytes: number; sum: number }[] = [];
      const ends = new Map<number, number>();
      const drain = (): void =>
        reader.drain(({ call, parts, end }: Told) => {
          ends.set(call, end);
          const bytes = parts.reduce((n, part) => n + part.byteLength, 0);
          const wrong = parts.some((part) => part.some((byte) => byte !== 65 + (call % 26)));
          assert.ok(!wrong, `record ${call} has bytes of another one`);
          const last = seen.at(-1);
          if (last?.call === call) last.bytes += bytes;
          else seen.push({ call, bytes, sum: parts.length });
          return true;
        });
      const whole: { call: number; bytes: number }[] = [];
      /** Where the last record of each ends, as its writer and its reader see it. */
      const written = new Map<number, number>();
      let partial = new Map<number, number>();
      for (const [call, { size, text, patience, drain: drains }] of steps.entries()) {
        let left = patience;
        writer.full = () => {
          if (left-- <= 0) throw new Stopped();
          drain();
        };
        const fill = 65 + (call % 26);
        try {
          if (text) writer.text(1, 1, call, String.fromCharCode(fill).repeat(size));
          else writer.parts(3, 1, call, [Buffer.alloc(size >> 1, fill), Buffer.alloc(size - (size >> 1), fill)]);
          if (!size && text) continue;
          whole.push({ call, bytes: size });
          written.set(call, writer.end);
        } catch (error) {
          if (!(error instanceof Stopped)) throw error;
          // A long text is several records: those that were written before are whole.
          if (text) partial = partial.set(call, size);
        }
        if (drains) drain();
      }
      drain();
      const complete = seen.filter(({ call }) => !partial.has(call));
      assert.deepEqual(
        complete.map(({ call, bytes }) => ({ call, bytes })),
        whole,
      );
      for (const [call, end] of written) assert.equal(ends.get(call), end);
      assert.equal(reader.end, writer.end);
      for (const { call, bytes } of seen) if (partial.has(call)) assert.ok(bytes < partial.get(call)!);
    }),
    { numRuns: 60 },
  );
});
