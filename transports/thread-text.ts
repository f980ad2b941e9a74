/**
 * Small handovers cross a port as a text, a character for each byte: of all that can be posted that costs least, by far. In it are
 * the credit, the number of messages, for each its lane, its number of parts and their lengths, and then the parts.
 */
import type { Handed, Handover } from '../core/wire/frame-handover.ts';
import { aligned } from '../core/wire/frame-message.ts';
import type { Lane } from '../core/wire/transport.ts';

/** Characters. What is longer is better moved than copied. */
const MOST = 4_096;

const scratch = Buffer.alloc(MOST);

/** Undefined: it has to go another way. */
export function textOf({ messages, credit, goodbye }: Handover): string | undefined {
  if (goodbye !== undefined) return undefined;
  let head = 8;
  for (const { parts } of messages) head += 8 + 4 * parts.length;
  if (head > MOST) return undefined;
  let end = head;
  for (const { parts } of messages)
    for (const part of parts) {
      if (part.buffer instanceof SharedArrayBuffer) return undefined;
      end = aligned(end) + part.length;
      if (end > MOST) return undefined;
    }
  let at = put(put(0, credit), messages.length);
  let from = head;
  for (const { parts, lane } of messages) {
    at = put(put(at, lane), parts.length);
    for (const part of parts) {
      at = put(at, part.length);
      from = aligned(from);
      scratch.set(part, from);
      from += part.length;
    }
  }
  return scratch.toString('latin1', 0, end);
}

export function handoverOf(text: string): Handover {
  const bytes = Buffer.from(new ArrayBuffer(text.length));
  bytes.write(text, 'latin1');
  const numbers = new DataView(bytes.buffer);
  const count = numbers.getUint32(4, true);
  let head = 8;
  for (let i = 0; i < count; i++) head += 8 + 4 * numbers.getUint32(head + 4, true);
  const messages: Handed[] = [];
  let from = head;
  for (let i = 0, at = 8; i < count; i++) {
    const lane = numbers.getUint32(at, true) as Lane;
    const parts: Uint8Array[] = [];
    const last = at + 8 + 4 * numbers.getUint32(at + 4, true);
    for (at += 8; at < last; at += 4) {
      const length = numbers.getUint32(at, true);
      from = aligned(from);
      parts.push(new Uint8Array(bytes.buffer, from, length));
      from += length;
    }
    messages.push({ parts, lane, owned: true });
  }
  return { messages, credit: numbers.getUint32(0, true), goodbye: undefined };
}

/** Returns where the next one goes. */
function put(at: number, number: number): number {
  scratch[at] = number;
  scratch[at + 1] = number >>> 8;
  scratch[at + 2] = number >>> 16;
  scratch[at + 3] = number >>> 24;
  return at + 4;
}
