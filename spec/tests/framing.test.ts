import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ProtocolError } from '../../core/errors.ts';
import { FrameAssembler } from '../../core/wire/frame-assembler.ts';
import { FrameBatch } from '../../core/wire/frame-batch.ts';
import { Outbox, WINDOW_BYTES } from '../../core/wire/frame-outbox.ts';
import { FrameReader } from '../../core/wire/frame-reader.ts';
import { CHUNK_BYTES, CLOSE, CREDIT, cut, FIRST, LAST } from '../../core/wire/framing.ts';
import type { Lane } from '../../core/wire/transport.ts';

interface Sent {
  lane: Lane;
  parts: Uint8Array[];
}

const part = fc.oneof(
  { weight: 6, arbitrary: fc.uint8Array({ maxLength: 40 }) },
  { weight: 1, arbitrary: fc.integer({ min: 4090, max: 3 * CHUNK_BYTES }).map((n) => new Uint8Array(n).fill(n)) },
);
const messages = fc.array(fc.record({ lane: fc.constantFrom<Lane>(0, 1), parts: fc.array(part, { maxLength: 5 }) }), {
  maxLength: 12,
});

describe('framing', () => {
  test('messages survive any split of the bytes', () => {
    fc.assert(
      fc.property(messages, fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1 }), (sent, steps) => {
        const { reader, heard } = listener();
        let at = 0;
        const bytes = encode(sent, 'bye');
        for (let i = 0; at < bytes.length; i++) {
          const end = Math.min(bytes.length, at + steps[i % steps.length]!);
          reader.push(bytes, at, end);
          at = end;
        }
        expectSame(heard, sent);
      }),
      { numRuns: 60 },
    );
  });

  test('messages survive being read into the memory that the reader offers', () => {
    fc.assert(
      fc.property(messages, fc.integer({ min: 1, max: 100_000 }), (sent, most) => {
        const { reader, heard } = listener();
        const bytes = encode(sent, 'bye');
        for (let at = 0; at < bytes.length; ) {
          const memory = reader.memory();
          const n = Math.min(memory.length, bytes.length - at, most);
          memory.set(bytes.subarray(at, at + n));
          reader.push(memory, 0, n);
          at += n;
        }
        expectSame(heard, sent);
      }),
      { numRuns: 60 },
    );
  });

  test('garbage ends in a ProtocolError or waits for more, never in anything else', () => {
    const flags = fc.constantFrom(0, 1, FIRST, FIRST | LAST, FIRST | LAST | 1, LAST, CREDIT, CLOSE, 0xff);
    const frame = fc
      .tuple(flags, fc.uint8Array({ maxLength: 30 }), fc.boolean())
      .map(([f, payload, honest]) => Uint8Array.of(honest ? payload.length : 200, 0, 0, 0, f, ...payload));
    const soup = fc.array(fc.oneof(frame, fc.uint8Array({ maxLength: 20 })), { maxLength: 8 });
    fc.assert(
      fc.property(soup, (pieces) => {
        const { reader } = listener();
        try {
          for (const piece of pieces) reader.push(piece, 0, piece.length);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
        }
      }),
    );
  });

  test.each<[string, number[]]>([
    ['a lane that does not exist', [4, 0, 0, 0, FIRST | LAST | 2, 0, 0, 0, 0]],
    ['a part table that claims 2 GiB', [8, 0, 0, 0, FIRST, 1, 0, 0, 0, 255, 255, 255, 127]],
    ['a part table that claims 4 billion parts', [4, 0, 0, 0, FIRST, 255, 255, 255, 255]],
    ['the same in a single frame', [4, 0, 0, 0, FIRST | LAST, 255, 255, 255, 255]],
    ['a part that is not there', [8, 0, 0, 0, FIRST | LAST, 1, 0, 0, 0, 1, 0, 0, 0]],
    ['more bytes than the table says', [9, 0, 0, 0, FIRST, 1, 0, 0, 0, 0, 0, 0, 0, 7]],
    ['the middle of a message that never began', [1, 0, 0, 0, LAST, 7]],
    ['a first frame without a table', [2, 0, 0, 0, FIRST | LAST, 0, 0]],
    ['a frame of 4 GiB', [255, 255, 255, 255, FIRST | LAST]],
    ['credit of the wrong length', [5, 0, 0, 0, CREDIT, 0, 0, 0, 0, 0]],
    ['credit for what was never sent', [4, 0, 0, 0, CREDIT, 1, 0, 0, 0]],
    ['a goodbye as long as a book', [0, 0, 1, 0, CLOSE]],
  ])('refuses %s', (_, bytes) => {
    const { reader } = listener(false);
    expect(() => reader.push(Uint8Array.from(bytes), 0, bytes.length)).toThrow(ProtocolError);
  });

  test('a stranger may send 64 KiB at once, and more after allowLarge', () => {
    const sent: Sent[] = [{ lane: 1, parts: [new Uint8Array(65_537)] }];
    const bytes = encode(sent, 'bye');
    const stranger = listener(false);
    expect(() => stranger.reader.push(bytes, 0, bytes.length)).toThrow(/65537 bytes/);
    const known = listener(false);
    known.assembler.allowLarge();
    known.reader.push(bytes, 0, bytes.length);
    expectSame(known.heard, sent);
  });

  test('lane 1 stops at its credit, and a writer that does not stop is refused', () => {
    const outbox = new Outbox();
    for (let i = 0; i < 40; i++) outbox.push([new Uint8Array(CHUNK_BYTES)], 1, false);
    expect(drain(outbox).length).toBeLessThanOrEqual(WINDOW_BYTES + 40 * 5);
    outbox.credit += WINDOW_BYTES;
    outbox.push([], 0, false);
    expect(drain(outbox).length).toBeGreaterThan(0);
    const { reader } = listener(true, 100);
    const frame = encode([{ lane: 1, parts: [new Uint8Array(200)] }], 'bye');
    expect(() => reader.push(frame, 0, frame.length)).toThrow(/without credit/);
  });
});

function drain(outbox: Outbox): Buffer {
  const batch = new FrameBatch();
  const written: Uint8Array[] = [];
  for (;;) {
    cut(outbox, batch);
    if (!batch.finish()) return Buffer.concat(written);
    written.push(Buffer.concat(batch.buffers));
    batch.reset();
  }
}

function encode(messages: Sent[], goodbye: string): Buffer {
  const outbox = new Outbox();
  outbox.credit = Number.POSITIVE_INFINITY;
  for (const { lane, parts } of messages) outbox.push(parts, lane, false);
  outbox.goodbye = goodbye;
  return drain(outbox);
}

function listener(known = true, room = Number.POSITIVE_INFINITY) {
  const heard: (Sent | string)[] = [];
  const assembler = new FrameAssembler({
    room,
    message: (parts, lane) => heard.push({ lane, parts }),
    arrived: () => {},
    credited: () => false,
    goodbye: (reason) => heard.push(reason),
  });
  if (known) assembler.allowLarge();
  return { heard, assembler, reader: new FrameReader(assembler) };
}

/** Everything was pushed before anything was cut, so lane 0 comes first. */
function expectSame(heard: (Sent | string)[], sent: Sent[]): void {
  const order = [...sent.filter((m) => m.lane === 0), ...sent.filter((m) => m.lane === 1), 'bye'];
  const plain = (list: (Sent | string)[]) =>
    list.map((m) => (typeof m === 'string' ? m : [m.lane, m.parts.map((p) => Buffer.from(p).toString('latin1'))]));
  expect(plain(heard)).toEqual(plain(order));
}
