import { UsageError } from '../errors.ts';
import { Deferred } from './deferred.ts';
import { Line } from './line.ts';

/** A token that was acquired, to be given back once: by `release`, or at the end of an `await using`. */
export interface Held extends AsyncDisposable {
  /** Giving it back twice is fine. */
  release(): void;
}

/** `limit` tokens, for as many who may do something at the same time. First come, first served. */
export class DeferredSemaphore {
  readonly limit: number;
  #tokens: number;
  readonly #line = new Line<Deferred<void>>();
  #serving = false;

  constructor(limit: number) {
    if (!Number.isSafeInteger(limit) || limit < 1)
      throw new UsageError(`A semaphore of ${limit} tokens is not possible; give a whole number from 1`);
    this.limit = limit;
    this.#tokens = limit;
  }

  /** Tokens that are free. */
  get tokens(): number {
    return this.#tokens;
  }

  /** How many stand in line. */
  get waiting(): number {
    return this.#line.size;
  }

  /** Fires when a token is yours; `release` it. Cancelling while it waits leaves the line; afterwards it does nothing. */
  acquire(): Deferred<void> {
    const turn = new Deferred<void>(() => this.#line.leave(place));
    const place = this.#line.join(turn);
    this.#serve();
    return turn;
  }

  /** Gives a token back, and it goes to the first in line at once. UsageError if all of them are back. */
  release(): void {
    if (this.#tokens === this.limit)
      throw new UsageError(
        `release() without acquire(): all ${this.limit} tokens are free; release what you acquired, once`,
      );
    this.#tokens++;
    this.#serve();
  }

  /** Calls `f` with a token, which goes back when what `f` returns is there or has failed. */
  run<T>(f: () => T | PromiseLike<T>): Deferred<T> {
    return this.acquire().addCallback(() => {
      const done = Deferred.maybe(f);
      const release = () => this.release();
      return done.tap(release, release);
    });
  }

  /** Like `acquire`, with something to hold: `await using held = await semaphore.hold()`. */
  hold(): Deferred<Held> {
    return this.acquire().addCallback(() => {
      let mine = true;
      const release = () => {
        if (!mine) return;
        mine = false;
        this.release();
      };
      return { release, [Symbol.asyncDispose]: async () => release() };
    });
  }

  /** In one loop: whoever is called back may release again, and the line may be long. */
  #serve(): void {
    if (this.#serving) return;
    this.#serving = true;
    while (this.#tokens > 0 && this.#line.size > 0) {
      this.#tokens--;
      this.#line.next()!.callback();
    }
    this.#serving = false;
  }
}
