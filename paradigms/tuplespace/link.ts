/**
 * The way from a client or an engine to the spaces: what is asked for in one turn leaves together, and so do the answers. One for all
 * spaces that somebody uses.
 */
import type { Party } from '../../core/index.ts';
import { errorNamed } from './errors.ts';
import type { TupleForm } from './forms.ts';
import {
  ANSWER_WIDTH,
  type Answers,
  type Batch,
  Op,
  type OpenOptions,
  REQUEST_WIDTH,
  type RequestOptions,
  Status,
} from './protocol.ts';
import { openTuple, type Sealer } from './sealing.ts';

/** Requests that leave together. */
const TOGETHER = 500;

/** A tuple that was sent to us, and counts as ours when we say so. */
export interface Held {
  readonly request: number;
  readonly tuple: any;
}

interface Pending {
  readonly resolve: (value: any) => void;
  readonly reject: (error: unknown) => void;
  readonly held: boolean;
  readonly opens: Call['opens'];
  readonly make: Call['make'];
  signal?: { signal: AbortSignal; abort: () => void };
}

export interface Call {
  readonly signal?: AbortSignal | undefined;
  /** The answer says whether it has happened, also when it is too late to stop it. */
  readonly decisive?: boolean;
  /** The tuple is acknowledged by whoever gets it. */
  readonly held?: boolean;
  /** What the answer is. */
  readonly opens?: 'tuple' | 'tuples' | undefined;
  /** What becomes of it, if it is no tuple. */
  readonly make?: ((value: any) => unknown) | undefined;
}

export class Link {
  readonly party: Party;
  readonly sealer: Sealer;
  readonly #pending = new Map<number, Pending>();
  #requests: unknown[] = [];
  #taken: number[] = [];
  #returned: number[] = [];
  #scheduled = false;
  #attached = false;
  #failure: unknown;
  #next = 0;
  #handles = 0;

  constructor(party: Party, sealer: Sealer) {
    this.party = party;
    this.sealer = sealer;
  }

  /** A number for the space. What is wrong with it is told to whoever asks for something. */
  open(name: string, options: OpenOptions): number {
    const handle = ++this.#handles;
    this.call(Op.open, handle, [name, options]).catch(() => {});
    return handle;
  }

  call<T>(op: Op, handle: number, what?: unknown, options?: RequestOptions, call?: Call): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#failure) {
        reject(this.#failure);
        return;
      }
      const signal = call?.signal;
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const id = ++this.#next;
      const pending: Pending = { resolve, reject, held: call?.held ?? false, opens: call?.opens, make: call?.make };
      this.#pending.set(id, pending);
      if (signal) {
        const abort = (): void => this.#abort(id, handle, signal, call?.decisive ?? false);
        signal.addEventListener('abort', abort, { once: true });
        pending.signal = { signal, abort };
      }
      this.#push(op, id, handle, what, options);
    });
  }

  #push(op: Op, id: number, handle: number, what: unknown, options?: RequestOptions): void {
    if (this.#requests.push(op, id, handle, what ?? null, options ?? null) >= TOGETHER * REQUEST_WIDTH) this.flush();
    else this.#schedule();
  }

  /** What becomes of a tuple that is held. */
  settle(request: number, taken: boolean): void {
    if (taken) this.#taken.push(request);
    else this.#returned.push(request);
    this.#schedule();
  }

  /** Many in their order. */
  receive(answers: Answers): void {
    for (let i = 0; i < answers.length; i += ANSWER_WIDTH)
      this.#answered(answers[i] as number, answers[i + 1] as number, answers[i + 2]);
  }

  flush(): void {
    if (this.#failure) return;
    if (!this.#attached) this.#attach();
    const [requests, taken, returned] = [this.#requests, this.#taken, this.#returned];
    if (!requests.length && !taken.length && !returned.length) return;
    this.#requests = [];
    this.#taken = [];
    this.#returned = [];
    this.party.tell('requests', [requests, taken, returned] satisfies Batch);
  }

  #attach(): void {
    this.#attached = true;
    this.party.ask('attach').catch((error) => this.#fail(error));
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    for (const [id, { reject }] of this.#pending) {
      this.#over(id);
      reject(error);
    }
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    soon(() => {
      this.#scheduled = false;
      this.settleUp();
    });
  }

  /** What has been asked for or taken is on its way then. */
  settleUp(): void {
    try {
      this.flush();
    } catch (error) {
      this.#fail(error); // the cluster does not have this paradigm, and that is known by now
    }
  }

  #answered(id: number, status: number, value: unknown): void {
    const pending = this.#pending.get(id);
    if (!pending) {
      // Nobody waits for it any more: it goes back.
      if (status === Status.taken) this.settle(id, false);
    } else if (status === Status.failed) {
      this.#over(id);
      const [name, message] = value as [string, string];
      if (name === 'CancelledError' && pending.signal) pending.reject(pending.signal.signal.reason);
      else pending.reject(errorNamed(name, message));
    } else if (pending.opens && value !== null) this.#open(id, pending, value, status === Status.taken);
    else {
      this.#over(id);
      pending.resolve(pending.opens ? undefined : pending.make ? pending.make(value) : value);
    }
  }

  /** What cannot be opened here goes back, as well. */
  #open(id: number, pending: Pending, value: unknown, taken: boolean): void {
    const hand = (tuple: unknown): void => {
      if (!this.#pending.has(id)) {
        if (taken) this.settle(id, false);
        return;
      }
      this.#over(id);
      if (taken && !pending.held) this.settle(id, true);
      pending.resolve(pending.held ? ({ request: id, tuple } satisfies Held) : tuple);
    };
    try {
      const opened = this.opened(value, pending.opens === 'tuples');
      if (opened instanceof Promise) opened.then(hand, (error) => this.#unreadable(id, error, taken));
      else hand(opened);
    } catch (error) {
      this.#unreadable(id, error, taken);
    }
  }

  /** Without a promise where there is nothing to wait for. */
  opened(value: unknown, several = false): unknown {
    if (!several) return openTuple(value as TupleForm, this.sealer);
    const tuples = (value as readonly TupleForm[]).map((tuple) => openTuple(tuple, this.sealer));
    return tuples.some((tuple) => tuple instanceof Promise) ? Promise.all(tuples) : tuples;
  }

  #unreadable(id: number, error: unknown, taken: boolean): void {
    const pending = this.#pending.get(id);
    if (taken) this.settle(id, false);
    if (!pending) return;
    this.#over(id);
    pending.reject(error);
  }

  #abort(id: number, handle: number, signal: AbortSignal, decisive: boolean): void {
    const pending = this.#pending.get(id);
    if (!pending) return;
    this.#push(Op.cancel, 0, handle, id);
    if (decisive) return; // the answer says what has become of it
    this.#over(id);
    pending.reject(signal.reason);
  }

  #over(id: number): void {
    const signal = this.#pending.get(id)?.signal;
    if (signal) signal.signal.removeEventListener('abort', signal.abort);
    this.#pending.delete(id);
  }
}

/**
 * When all promises that this callback of the event loop has resolved have gone on: what their owners ask for then leaves together
 * with what they have taken.
 */
function soon(flush: () => void): void {
  // A tick that is asked for outside of promises would come before them.
  queueMicrotask(() => afterPromises(flush));
}

const afterPromises: (flush: () => void) => void = globalThis.process?.nextTick ?? queueMicrotask;
