import type { CloseReason, ConnectionHandlers, Lane } from './transport.ts';

/** The receiving end of a connection: who listens, what waits for a paused reader, and that the end is told once. */
export class Delivery {
  #handlers: ConnectionHandlers | undefined;
  #first: ConnectionHandlers | undefined;
  #paused = false;
  #draining = false;
  #reason: CloseReason | undefined;
  #told = false;
  readonly #waiting: { parts: Uint8Array[]; lane: Lane }[] = [];

  /** False from the moment that the end is known, though a paused reader may not have been told yet. */
  get open(): boolean {
    return this.#reason === undefined;
  }

  /** Whether lane 1 is being taken, so that credit may be granted. */
  get taking(): boolean {
    return !this.#paused && this.#waiting.length === 0 && this.#handlers !== undefined;
  }

  /** Later handlers take over at once; the first ones hear nothing before the caller's own code has run on. */
  receive(handlers: ConnectionHandlers, begun: () => void): void {
    if (this.#handlers) {
      this.#handlers = handlers;
      return;
    }
    const waits = this.#first !== undefined;
    this.#first = handlers;
    if (waits) return;
    queueMicrotask(() => {
      this.#handlers = this.#first;
      this.#drain();
      begun();
    });
  }

  message(parts: Uint8Array[], lane: Lane): void {
    if (this.#reason) return;
    if (this.#handlers && (lane === 0 || this.taking)) this.#deliver(parts, lane);
    else this.#waiting.push({ parts, lane });
  }

  drained(): void {
    this.#guard(() => this.#handlers?.drain?.());
  }

  /** Tells the end. An orderly one waits for the messages that a paused reader has not seen; any other drops them. */
  close(reason: CloseReason): void {
    const waits = this.#reason?.code === 'closed' && reason.code !== 'closed';
    if (this.#told || (this.#reason && !waits)) return;
    this.#reason = reason;
    if (reason.code !== 'closed') this.#waiting.length = 0;
    this.#tell();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#drain();
  }

  #drain(): void {
    // A handler that pauses and resumes must not see the next message inside its own call.
    if (this.#draining || !this.#handlers) return;
    this.#draining = true;
    let next = 0;
    for (; next < this.#waiting.length; next++) {
      const { parts, lane } = this.#waiting[next]!;
      if (this.#paused && lane === 1) break;
      this.#deliver(parts, lane);
    }
    this.#waiting.splice(0, next);
    this.#draining = false;
    this.#tell();
  }

  #tell(): void {
    const reason = this.#reason;
    if (!reason || this.#told || !this.#handlers || this.#waiting.length > 0) return;
    this.#told = true;
    this.#guard(() => this.#handlers?.close(reason));
  }

  #deliver(parts: Uint8Array[], lane: Lane): void {
    try {
      this.#handlers?.message(parts, lane);
    } catch (error) {
      raise(error);
    }
  }

  #guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      raise(error);
    }
  }
}

/** A handler's error is the program's, not the connection's: it surfaces as uncaught and leaves the stream in step. */
function raise(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
