import type { MessagePort, Transferable } from 'node:worker_threads';
import { type Handover, HandoverLink } from '../core/wire/frame-handover.ts';
import { allocate, fresh, OWN_BUFFER_BYTES } from '../core/wire/frame-message.ts';
import type { Connection, Lane } from '../core/wire/transport.ts';
import { handoverOf, textOf } from './thread-text.ts';

/** A handover as it crosses a port: small parts packed into one buffer, because each object costs more than its bytes. */
interface Parcel {
  /** For each message its lane and number of parts, then for each part its length, or -1: the next one of `large`. */
  readonly shape: number[];
  readonly small: Uint8Array | undefined;
  readonly large: Uint8Array[];
  readonly credit: number;
  readonly goodbye: string | undefined;
}

/** A connection over a port whose other end is in this process. The port is ours from here on. */
export function portConnection(port: MessagePort, href: string): Connection {
  const link = new HandoverLink(href, true, {
    post: (handover) => {
      const text = textOf(handover);
      if (text !== undefined) {
        port.postMessage(text);
        return;
      }
      const moved = new Set<ArrayBuffer>();
      const parcel = pack(handover, moved);
      port.postMessage(parcel, [...moved] as Transferable[]);
    },
    close: () => port.close(),
  });
  port.on('message', (sent: Parcel | string) =>
    link.arrive(typeof sent === 'string' ? handoverOf(sent) : unpack(sent)),
  );
  port.on('close', () => link.gone(`The thread at the other end of ${href} has ended, or cut the connection`));
  return link.connection;
}

function pack({ messages, credit, goodbye }: Handover, moved: Set<ArrayBuffer>): Parcel {
  const shape: number[] = [];
  const large: Uint8Array[] = [];
  let bytes = 0;
  for (const { parts, lane, owned } of messages) {
    shape.push(lane, parts.length);
    for (const part of parts) {
      if (part.buffer instanceof SharedArrayBuffer || part.length >= OWN_BUFFER_BYTES) {
        shape.push(-1);
        large.push(movable(part, owned, moved));
      } else {
        shape.push(part.length);
        bytes += part.length;
      }
    }
  }
  return { shape, small: bytes > 0 ? packSmall(messages, bytes, moved) : undefined, large, credit, goodbye };
}

function movable(part: Uint8Array, owned: boolean, moved: Set<ArrayBuffer>): Uint8Array {
  const { buffer } = part;
  if (buffer instanceof SharedArrayBuffer) return part;
  const whole = part.length === buffer.byteLength && !moved.has(buffer as ArrayBuffer);
  let gone = part;
  if (!owned || !whole) {
    gone = fresh(part.length);
    gone.set(part);
  }
  moved.add(gone.buffer as ArrayBuffer);
  return gone;
}

function packSmall(messages: Handover['messages'], bytes: number, moved: Set<ArrayBuffer>): Uint8Array {
  const small = fresh(bytes);
  moved.add(small.buffer as ArrayBuffer);
  let at = 0;
  for (const { parts } of messages) {
    for (const part of parts) {
      if (part.buffer instanceof SharedArrayBuffer || part.length >= OWN_BUFFER_BYTES) continue;
      small.set(part, at);
      at += part.length;
    }
  }
  return small;
}

function unpack({ shape, small, large, credit, goodbye }: Parcel): Handover {
  const messages: Handover['messages'][number][] = [];
  let at = 0;
  let nextLarge = 0;
  for (let i = 0; i < shape.length; ) {
    const lane = shape[i++] as Lane;
    const count = shape[i++]!;
    const parts = allocate(shape.slice(i, i + count).map((length) => Math.max(length, 0)));
    for (let p = 0; p < count; p++) {
      const length = shape[i++]!;
      if (length < 0) parts[p] = large[nextLarge++]!;
      else if (length > 0) {
        parts[p]!.set(small!.subarray(at, at + length));
        at += length;
      }
    }
    messages.push({ parts, lane, owned: true });
  }
  return { messages, credit, goodbye };
}
