/** One request while it is being answered: who asked, how they are told to stop, and the stream that they read. */
import type { AnswerCodec } from '../wire/answer.ts';
import { OutgoingStream } from './outgoing-stream.ts';
import type { Caller } from './paradigm.ts';

export class Serving implements Caller {
  readonly role: Caller['role'];
  readonly id: number;
  readonly codec: AnswerCodec;
  outgoing: OutgoingStream | undefined;
  #abort: AbortController | undefined;
  #stopped: { reason: unknown } | undefined;

  constructor({ role, id }: { role: Caller['role']; id: number }, codec: AnswerCodec) {
    this.role = role;
    this.id = id;
    this.codec = codec;
  }

  /** Nobody wants the answer any more. */
  get stopped(): boolean {
    return this.#stopped !== undefined;
  }

  /** Made only when somebody looks at it. */
  get signal(): AbortSignal {
    if (!this.#abort) {
      this.#abort = new AbortController();
      if (this.#stopped) this.#abort.abort(this.#stopped.reason);
    }
    return this.#abort.signal;
  }

  /** The answer is a stream. False: nobody wants it any more. */
  read(source: AsyncIterable<unknown> | Iterable<unknown>): boolean {
    this.outgoing = new OutgoingStream(source);
    if (this.#stopped) this.outgoing.stop();
    return !this.#stopped;
  }

  /** The caller has cancelled, stopped reading, or is gone. */
  stop(reason: unknown): void {
    this.#stopped ??= { reason };
    this.#abort?.abort(reason);
    this.outgoing?.stop();
  }
}
