/**
 * The controller's line to an engine's supervisor. What tasks tell comes by it, and orders go; it works while the engine's own
 * session is held up by a loop.
 */
import { EngineLostError } from '../errors.ts';
import { type Envelope, Kind } from '../wire/envelope.ts';
import type { Payload } from '../wire/forms.ts';
import type { Rpc } from '../wire/rpc.ts';
import type { Session } from '../wire/session.ts';
import { PassedOn } from './passed-on.ts';

/** Bytes passed on that the supervisor is told of at once. */
const REPORT = 64 << 10;

export class Control {
  session: Session | undefined;
  /** ms since the engine's event loop has turned, as far as that is more than usual; of the last heartbeat. */
  lag = 0;
  readonly told = new PassedOn();
  #rpc: Rpc | undefined;
  #waiting: ((rpc: Rpc | undefined) => void)[] = [];
  #passedOn = 0;
  #ended = false;

  /** `told`: how far the supervisor is in what tasks tell. What an older session has not brought of it is lost. */
  open(session: Session, rpc: Rpc, told: number): void {
    const before = this.session;
    this.session = session;
    before?.abandon('superseded by another supervisor');
    this.#rpc?.fail(new EngineLostError('The supervisor was superseded', { engine: -1 }));
    this.#rpc = rpc;
    this.#passedOn = 0;
    this.told.from(told);
    for (const tell of this.#waiting.splice(0)) tell(rpc);
  }

  /** It comes back, or the engine is given up. */
  closed(session: Session): void {
    if (this.session !== session) return;
    this.session = undefined;
    this.#rpc?.fail(new EngineLostError('The supervisor is gone', { engine: -1 }));
    this.#rpc = undefined;
    this.told.broken();
  }

  /** With the engine. */
  end(reason: string): void {
    this.#ended = true;
    this.told.lost();
    const { session } = this;
    if (session) this.closed(session);
    session?.abandon(reason);
    for (const tell of this.#waiting.splice(0)) tell(undefined);
  }

  /** Once there is one; undefined: there will not be. */
  rpc(): Promise<Rpc | undefined> {
    if (this.#rpc || this.#ended) return Promise.resolve(this.#rpc);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** True: it was an answer. */
  receive(header: Envelope, payloads: Payload[]): boolean {
    return this.#rpc?.receive(header, payloads) ?? false;
  }

  /** So many bytes need not be kept any more: so many more may come. */
  passedOn(bytes: number): void {
    this.#passedOn += bytes;
    if (this.#passedOn < REPORT) return;
    this.session?.send({ kind: Kind.EVENT, op: 'read', id: this.#passedOn });
    this.#passedOn = 0;
  }
}
