/** So many at a time: first come, first served. */
import type { Comm } from '../comm.ts';
import { MpiError, RankLostError } from '../errors.ts';
import { derived, type Request } from '../request.ts';
import { type Held, whileHeld } from './held.ts';
import { type AcquireOptions, type Asker, type Keeper, Kept, withdrawal } from './kept.ts';

export interface SemaphoreOptions {
  /** More releases than acquisitions are an error. Default true. */
  bounded?: boolean;
  /** The rank that keeps the queue. Default 0. */
  home?: number;
}

type Question = { do: 'acquire'; wait: boolean } | { do: 'release' } | { do: 'value' };

export class Semaphore implements AsyncDisposable {
  readonly #kept: Kept<Question>;

  /** @internal */
  static async open(comm: Comm, value = 1, { bounded = true, home = 0 }: SemaphoreOptions = {}): Promise<Semaphore> {
    if (!Number.isSafeInteger(value) || value < 0)
      throw new MpiError(`semaphore takes how many may hold it at a time: 0, 1, 2, …; got ${String(value)}`);
    const limit = bounded ? value : Number.POSITIVE_INFINITY;
    return new Semaphore(await Kept.open(comm, 'semaphore', home, () => new Permits(value, limit)));
  }

  private constructor(kept: Kept<Question>) {
    this.#kept = kept;
  }

  /** Waits for its turn. @throws RankLostError when a rank is gone that held it */
  acquire(options?: AcquireOptions): Request<Held> {
    return derived(this.#kept.ask('acquire', { do: 'acquire', wait: true }, options), () => {
      let released = false;
      return {
        [Symbol.asyncDispose]: async () => {
          if (released) return;
          released = true;
          await this.release();
        },
      };
    });
  }

  /** Acquires it if that takes no waiting. */
  tryAcquire(): Request<boolean> {
    return this.#kept.ask('tryAcquire', { do: 'acquire', wait: false });
  }

  /** By any rank. Rejects when it is bounded, and nobody holds it. */
  release(): Request<void> {
    return this.#kept.ask('release', { do: 'release' });
  }

  /** How many could acquire it, as of the answer. */
  value(): Request<number> {
    return this.#kept.ask('value', { do: 'value' });
  }

  /** Acquires it, and releases it when what `section` gives has come, or when it has thrown. */
  async run<T>(section: () => T | PromiseLike<T>, options?: AcquireOptions): Promise<T> {
    return whileHeld(this.acquire(options), section);
  }

  /** Collective. */
  free(): Promise<void> {
    return this.#kept.free();
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.free();
  }
}

class Permits implements Keeper<Question> {
  #value: number;
  readonly #limit: number;
  #queue: Asker[] = [];
  /** Acquired and not released, by rank: one that releases what others have acquired has fewer than none. */
  readonly #out = new Map<number, number>();
  #broken: Error | undefined;

  constructor(value: number, limit: number) {
    this.#value = value;
    this.#limit = limit;
  }

  asked(question: Question, asker: Asker): void {
    if (this.#broken) asker.refuse(this.#broken);
    else if (question.do === 'value') asker.answer(this.#value);
    else if (question.do === 'release') this.#release(asker);
    else if (this.#value > 0) this.#grant(asker);
    else if (question.wait) this.#queue.push(asker);
    else asker.answer(false);
  }

  withdrawn(asker: Asker): void {
    const at = this.#queue.indexOf(asker);
    if (at < 0) return;
    this.#queue.splice(at, 1);
    asker.refuse(withdrawal('acquire'));
  }

  lost(rank: number, why: Error): void {
    this.#queue = this.#queue.filter((asker) => asker.rank !== rank);
    if ((this.#out.get(rank) ?? 0) <= 0) return;
    this.#broken = new RankLostError(`${why.message} It held the semaphore, and will not release it`, rank);
    for (const asker of this.#queue.splice(0)) asker.refuse(this.#broken);
  }

  #grant(asker: Asker): void {
    this.#value--;
    this.#count(asker, 1);
    asker.answer(true);
  }

  #release(asker: Asker): void {
    if (this.#value >= this.#limit) {
      asker.refuse(
        new MpiError(
          `release: nobody holds this semaphore; make it with { bounded: false } if its value may go above ${this.#limit}`,
        ),
      );
      return;
    }
    this.#value++;
    this.#count(asker, -1);
    asker.answer();
    const next = this.#queue.shift();
    if (next) this.#grant(next);
  }

  #count({ rank }: Asker, by: number): void {
    this.#out.set(rank, (this.#out.get(rank) ?? 0) + by);
  }
}
