/**
 * The controller's line to an engine's supervisor. What tasks tell comes by it, and orders go; it works while the engine's own
 * session is held up by a loop.
 */
import { EngineLostError } from '../errors.ts';
import { type Envelope, Kind } from '../wire/envelope.ts';
import type { Payload } from '../wire/forms.ts';
import type { Rpc } from '../wire/rpc.ts';
import type { Session } from '../wire/session.ts';

/** Bytes passed on that the supervisor is told of at once. */
const REPORT = 64 << 10;

export class Control {
  session: Session | undefined;
  /** ms since the engine's event loop has turned, as far as that is more than usual; of the last heartbeat. */
  lag = 0;
  #rpc: Rpc | undefined;
  #waiting: ((rpc: Rpc | undefined) => void)[] = [];
  #passedOn = 0;
  #opened = false;
  #ended = false;

  /** True: for the first time; else what an older session was to bring is lost. */
  open(session: Session, rpc: Rpc): boolean {
    const first = !this.#opened;
    this.#opened = true;
    this.session?.abandon('superseded by another supervisor');
    this.session = session;
    this.#rpc = rpc;
    this.#passedOn = 0;
    for (const tell of this.#waiting.splice(0)) tell(rpc);
    return first;
  }

  /** It comes back, or the engine is given up. */
  closed(session: Session): void {
    if (this.session !== session) return;
    this.session = undefined;
    this.#rpc?.fail(new EngineLostError('The supervisor is gone', { engine: -1 }));
    this.#rpc = undefined;
  }

  /** With the engine. */
  end(reason: string): void {
    this.#ended = true;
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
