/** Flow control where the data is: calls whose arguments would put too much under way, or are made nobody knows where, wait here, in order. */
import type { Call } from './call.ts';

/** Bytes of arguments that were sent and not replied to. */
const UNDER_WAY = 256 << 20;

export class Flow {
  #underWay = 0;
  #held: { call: Call; send: () => void }[] = [];

  /** Sends now, or when there is room; not at all if the call is settled before. */
  admit(call: Call, send: () => void): void {
    if (this.#held.length || !this.#mayGo(call)) this.#held.push({ call, send });
    else this.#go(call, send);
  }

  settled(call: Call): void {
    if (call.sent) this.#underWay -= call.bytes;
    this.pump();
  }

  /** Call when what a call waits for has been placed. */
  pump(): void {
    for (let next = this.#held[0]; next && (!next.call.pending || this.#mayGo(next.call)); next = this.#held[0]) {
      this.#held.shift();
      this.#go(next.call, next.send);
    }
  }

  clear(): void {
    this.#held = [];
  }

  #mayGo(call: Call): boolean {
    return !call.unplaced && this.#hasRoom(call);
  }

  /** A single call larger than all may go when nothing else is under way. */
  #hasRoom(call: Call): boolean {
    return this.#underWay === 0 || this.#underWay + call.bytes <= UNDER_WAY;
  }

  #go(call: Call, send: () => void): void {
    if (!call.pending) return;
    call.sent = true;
    this.#underWay += call.bytes;
    try {
      send();
    } catch (error) {
      call.fail(error as Error); // larger than any message can be
    }
  }
}
