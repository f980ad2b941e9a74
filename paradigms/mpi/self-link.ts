/** From a rank to itself. */
import type { Head } from './frame.ts';
import { deliver, type Link, type Receiver, type Written } from './link.ts';

/** Arrives within `send`, as a copy. A synchronous send still waits for its receive, as it does to anybody. */
export function selfLink(rank: number, receiver: Receiver): Link {
  return {
    eager: 64 << 10,
    eagerValue: 64 << 10,
    window: 4 << 20,
    waiting: 0,
    send(head: Head, parts: readonly Uint8Array[], owned: boolean, written?: Written) {
      deliver(receiver, rank, head, owned ? [...parts] : parts.map((part) => part.slice()));
      written?.(true);
    },
    close() {},
  };
}
