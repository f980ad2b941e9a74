/** To a rank elsewhere: over the direct channel between two engines. */
import type { Party } from '../../core/index.ts';
import { type Head, headBytes, Kind, readHead, writeHead } from './frame.ts';
import { deliver, type Link, type Receiver, type Written } from './link.ts';

/** A frame of many small parts is cheaper as one. */
const TOGETHER = 4096;

/** `world` and `from` come first, so that the other side knows whose frame it is. */
export function channelLink(party: Party, world: number, from: number): Link {
  let open = true;
  return {
    // A round trip costs as much as some hundred kB.
    eager: 4 << 20,
    eagerValue: 4 << 20,
    window: 16 << 20,
    waiting: 0,
    send(head: Head, parts: readonly Uint8Array[], owned: boolean, written?: Written) {
      if (!open) {
        written?.(false);
        return;
      }
      const bytes = head.carried;
      const lead = 8 + headBytes(head.lengths.length);
      const together = bytes <= TOGETHER;
      const first = new Uint8Array(together ? lead + bytes : lead);
      const ints = new Int32Array(first.buffer, 0, lead / 4);
      ints[0] = world;
      ints[1] = from;
      writeHead(head, ints, 2, -1);
      if (together) {
        let at = lead;
        for (const part of parts) {
          first.set(part, at);
          at += part.length;
        }
        party.tellBytes('frame', [first]);
      } else party.tellBytes('frame', owned ? [first, ...parts] : [first, ...parts.map((part) => part.slice())]);
      written?.(true);
    },
    close() {
      open = false;
    },
  };
}

export interface ChannelFrame {
  world: number;
  from: number;
  head: Head;
  parts: Uint8Array[];
}

/** Of what `channelLink` has sent. */
export function channelFrame(bytes: Uint8Array[]): ChannelFrame {
  const [first, ...rest] = bytes as [Uint8Array, ...Uint8Array[]];
  const aligned = first.byteOffset % 4 === 0 ? first : first.slice();
  const ints = new Int32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength >>> 2);
  const head = readHead(ints, 2, -1);
  let parts = rest;
  if (!rest.length && !head.carried && head.kind !== Kind.ANNOUNCE) parts = head.lengths.map(() => new Uint8Array(0));
  if (!rest.length && head.carried) {
    let at = 8 + headBytes(head.lengths.length);
    // Out of memory that may hold other messages too.
    parts = head.lengths.map((length) => aligned.slice(at, (at += length)));
  }
  return { world: ints[0]!, from: ints[1]!, head, parts };
}

export function deliverFrame({ from, head, parts }: ChannelFrame, receiver: Receiver): void {
  deliver(receiver, from, head, parts);
}
