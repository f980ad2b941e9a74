/**
 * State that one rank keeps for all members of a communicator: the others ask it, and it answers when the time has come. It serves
 * in the order in which it is asked, so nobody is passed over; and it is told when a member goes, so nobody waits for ever.
 */
import type { Comm } from '../comm.ts';
import { MpiError, RequestCancelledError } from '../errors.ts';
import { Request } from '../request.ts';

export type KeptMessage =
  | { id: number; asks: unknown }
  | { id: number; withdrawn: true }
  /** Its answer. */
  | { id: number; value: unknown }
  | { id: number; error: Error };

export interface Asker {
  readonly rank: number;
  /** Either of them, once. */
  answer(value?: unknown): void;
  refuse(error: Error): void;
}

export interface Keeper<Q> {
  /** The asker is answered at once or later. */
  asked(question: Q, asker: Asker): void;
  /** It does not want to wait any longer. It is answered all the same, unless it has been. */
  withdrawn(asker: Asker): void;
  /** A member is gone. */
  lost(rank: number, why: Error): void;
}

export interface AcquireOptions {
  signal?: AbortSignal | undefined;
  /** ms, after which it waits no longer. */
  timeout?: number | undefined;
}

interface Question extends Asker {
  answered: boolean;
}

export class Kept<Q> {
  /** Of its own: a duplicate, which is freed with it. */
  readonly comm: Comm;
  /** What it is, in messages to people. */
  readonly what: string;
  readonly #home: number;
  readonly #keeper: Keeper<Q> | undefined;
  readonly #pending = new Map<number, { request: Request<any>; signal: AbortSignal | undefined }>();
  /** At home: by who asks, and their number. */
  readonly #questions = new Map<string, Question>();
  #next = 0;
  #freed: Promise<void> | undefined;

  /** Collective. */
  static async open<Q>(comm: Comm, what: string, home: number, make: (size: number) => Keeper<Q>): Promise<Kept<Q>> {
    if (!Number.isInteger(home) || home < 0 || home >= comm.size)
      throw new MpiError(
        `${what}: there is no rank ${String(home)} to keep it; ${comm.core.name} has ranks 0 to ${comm.size - 1}`,
      );
    const own = await comm.dup();
    const kept = new Kept<Q>(own, what, home, own.rank === home ? make(own.size) : undefined);
    await own.barrier(); // nobody is asked before it can answer
    return kept;
  }

  private constructor(comm: Comm, what: string, home: number, keeper: Keeper<Q> | undefined) {
    this.comm = comm;
    this.what = what;
    this.#home = home;
    this.#keeper = keeper;
    comm.core.kept = (from, message) => this.#receive(comm.core.rankOf(from)!, message);
    comm.core.world.onLoss.add(this.#lost);
  }

  /** @param doing in words, for who looks at what this rank waits for */
  ask<T>(doing: string, question: Q, { signal, timeout }: AcquireOptions = {}): Request<T> {
    const { core } = this.comm;
    if (this.#freed) throw new MpiError(`${doing}: this ${this.what} was freed; make another one`);
    core.check(doing);
    signal?.throwIfAborted();
    const request = new Request<T>();
    const id = ++this.#next;
    const member = core.members[this.#home]!;
    if (core.world.lost.has(member)) {
      request.reject(core.why(member));
      return request;
    }
    this.#pending.set(id, { request, signal });
    core.world.lookout.began(request, () => `${doing} of a ${this.what}`);
    if (signal || timeout !== undefined) this.#withdrawable(request, id, { signal, timeout });
    request.whenSettled(() => this.#pending.delete(id));
    this.#tellHome({ id, asks: question });
    return request;
  }

  /** Collective over those that are left. Freeing twice is fine. */
  free(): Promise<void> {
    return (this.#freed ??= this.#free());
  }

  async #free(): Promise<void> {
    const { comm } = this;
    for (const { request } of [...this.#pending.values()])
      request.reject(new MpiError(`This ${this.what} was freed while rank ${comm.rank} waited for it`));
    // Whoever keeps it answers until nobody can ask any more. Who is gone is not waited for.
    if (!comm.core.world.over) await comm.agree();
    comm.core.world.onLoss.delete(this.#lost);
    if (!comm.core.freed) comm.core.close();
  }

  #tellHome(message: KeptMessage): void {
    const { core } = this.comm;
    if (this.#keeper) this.#receive(core.rank, message);
    else core.world.tell(core.members[this.#home]!, { type: 'kept', context: core.context, ...message });
  }

  #tell(rank: number, message: KeptMessage): void {
    const { core } = this.comm;
    if (rank === core.rank) this.#receive(rank, message);
    else core.world.tell(core.members[rank]!, { type: 'kept', context: core.context, ...message });
  }

  #receive(rank: number, message: KeptMessage): void {
    if ('asks' in message) this.#asked(rank, message.id, message.asks as Q);
    else if ('withdrawn' in message) {
      const question = this.#questions.get(`${rank} ${message.id}`);
      if (question) this.#keeper?.withdrawn(question);
    } else {
      const pending = this.#pending.get(message.id);
      if (!pending) return;
      const { request, signal } = pending;
      if (!('error' in message)) request.resolve(message.value);
      else if (signal?.aborted && message.error instanceof RequestCancelledError) request.reject(signal.reason);
      else request.reject(message.error);
    }
  }

  #asked(rank: number, id: number, asks: Q): void {
    const key = `${rank} ${id}`;
    const settle = (message: KeptMessage): void => {
      if (question.answered) return;
      question.answered = true;
      this.#questions.delete(key);
      this.#tell(rank, message);
    };
    const question: Question = {
      rank,
      answered: false,
      answer: (value) => settle({ id, value }),
      refuse: (error) => settle({ id, error }),
    };
    this.#questions.set(key, question);
    this.#keeper?.asked(asks, question);
  }

  /** What comes of it is what its keeper says: it may have been granted already. */
  #withdrawable(request: Request<any>, id: number, { signal, timeout }: AcquireOptions): void {
    const stop = (): void => {
      if (!request.settled) this.#tellHome({ id, withdrawn: true });
    };
    const timer = timeout === undefined ? undefined : setTimeout(stop, timeout);
    signal?.addEventListener('abort', stop, { once: true });
    request.whenSettled(() => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
    });
  }

  #lost = (member: number): void => {
    const { core } = this.comm;
    const rank = core.rankOf(member);
    if (rank === undefined) return;
    if (rank === this.#home) for (const { request } of [...this.#pending.values()]) request.reject(core.why(member));
    this.#keeper?.lost(rank, core.why(member));
  };
}

/** What a withdrawn question is refused with. */
export const withdrawal = (what: string): Error =>
  new RequestCancelledError(`${what} was given up before its time had come`);
