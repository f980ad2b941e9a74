/** Another rank as a partner: the link to it, what is on its way there and from there, and whether it is gone. */
import { RevokedError } from './errors.ts';
import { Format } from './frame.ts';
import type { Link } from './link.ts';

/** A message costs its receiver memory beside its bytes. */
const MESSAGE_COST = 256;

export class Peer {
  readonly link: Link;
  /** Frames. */
  sent = 0;
  received = 0;
  /** Why nothing can be sent to it or come from it. */
  gone: ((context: number) => Error) | undefined;
  /** Eager bytes that it has not told us to have received. */
  #out = 0;
  /** Eager bytes of it that we have received, and not told. */
  #owed = 0;

  constructor(link: Link) {
    this.link = link;
  }

  /** Books a message that may go along with its head. False: it must be announced. */
  admits(bytes: number, format: number): boolean {
    const { eager, eagerValue, window } = this.link;
    if (bytes > (format === Format.ARRAY ? eager : eagerValue) || this.#out + bytes + MESSAGE_COST > window)
      return false;
    this.#out += bytes + MESSAGE_COST;
    return true;
  }

  /** One that was booked was not sent. */
  withdraws(bytes: number): void {
    this.#out -= bytes + MESSAGE_COST;
  }

  /** It has received so much. */
  credits(sum: number): void {
    this.#out -= sum;
  }

  /** A message of it has been received: what it is to be told of, or 0 if that can wait. */
  owes(bytes: number): number {
    this.#owed += bytes + MESSAGE_COST;
    if (this.#owed < this.link.window / 2) return 0;
    const sum = this.#owed;
    this.#owed = 0;
    return sum;
  }

  lost(context: number): Error {
    return this.gone?.(context) ?? new RevokedError('The world has ended');
  }
}
