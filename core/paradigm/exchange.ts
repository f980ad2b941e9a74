/**
 * Messages between halves of paradigms, over one session. `targets[0]` names an engine beyond the controller, `client` a
 * client beyond it: where a message goes, and, on the other side, where it comes from.
 */
import { type Envelope, Kind } from '../wire/envelope.ts';
import type { Payload } from '../wire/forms.ts';
import { Answering, type AnsweringHome } from './answering.ts';
import { Asking } from './asking.ts';
import type { Caller } from './paradigm.ts';

export type { Address, Asked, Send } from './asking.ts';
export type ExchangeHome = AnsweringHome;

export class Exchange extends Asking {
  #answering: Answering;

  constructor(home: ExchangeHome) {
    super((header, payloads, owned) => home.send(header, payloads, owned));
    this.#answering = new Answering(home);
  }

  /** Never throws: what makes no sense concerns its sender alone, who may be beyond the session's other end. */
  override receive(header: Envelope, payloads: Payload[]): void {
    if (header.kind === Kind.RESPONSE) super.receive(header, payloads);
    else this.#answering.receive(header, payloads);
  }

  /** A client or engine beyond the session's other end is gone: rejects what waits for it, stops what is done for it. */
  gone(role: Caller['role'], id: number, reason: Error): void {
    this.failWhere((address) => (role === 'client' ? address.client : address.engines?.[0]) === id, reason);
    this.#answering.gone(role, id, reason);
  }

  /** The session has ended. */
  override fail(error: Error): void {
    super.fail(error);
    this.#answering.fail(error);
  }
}
