/** An operation that is set up once, and started again and again: an exchange of halos, step by step. */
import { MpiError } from './errors.ts';
import type { Request } from './request.ts';

export class Persistent<T> implements PromiseLike<T | undefined> {
  readonly #what: string;
  readonly #begin: () => Request<T>;
  #request: Request<T> | undefined;

  /** @internal */
  constructor(what: string, begin: () => Request<T>) {
    this.#what = what;
    this.#begin = begin;
  }

  /** What it sends is read now. @throws MpiError while the last start is not done */
  start(): Request<T> {
    if (this.active)
      throw new MpiError(`${this.#what} was started, and is not done yet; wait for it before it is started again`);
    return (this.#request = this.#begin());
  }

  get active(): boolean {
    return this.#request !== undefined && !this.#request.settled;
  }

  /** Of the last start; undefined before the first one, which waits and tests take for done. */
  get request(): Request<T> | undefined {
    return this.#request;
  }

  /** To await it is to wait for its last start; one that was never started is done at once. */
  then<A = T | undefined, B = never>(
    done?: ((value: T | undefined) => A | PromiseLike<A>) | null,
    failed?: ((error: any) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return Promise.resolve<T | undefined>(this.#request).then(done, failed);
  }
}
