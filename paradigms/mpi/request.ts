/**
 * Something that has been started and will be done: a send, a receive, a collective. It settles inside of `progress`, whoever
 * called that, so that the same request can be awaited, tested, and waited for with the thread blocked. No promise is made
 * unless somebody awaits it.
 */

import { ANY_SOURCE, ANY_TAG } from './constants.ts';
import { InStatusError } from './errors.ts';

export interface Status {
  /** A rank of the communicator. */
  readonly source: number;
  readonly tag: number;
  /** Elements of an array; bytes of any other value. */
  readonly count: number;
  readonly cancelled?: boolean;
}

/** Of what was never received: sends, collectives, inactive requests. */
export const EMPTY: Status = Object.freeze({ source: ANY_SOURCE, tag: ANY_TAG, count: 0 });

export type Tested<T> = { done: false } | { done: true; value: T; status: Status };

const PENDING = 0;
const DONE = 1;
const FAILED = 2;

export class Request<T = unknown> implements PromiseLike<T> {
  status: Status = EMPTY;
  #state = PENDING;
  #outcome: unknown;
  #listeners: (() => void)[] | undefined;
  #seen = false;

  get settled(): boolean {
    return this.#state !== PENDING;
  }
  get failed(): boolean {
    return this.#state === FAILED;
  }
  /** It has failed, and nobody has asked. */
  get unseen(): boolean {
    return this.#state === FAILED && !this.#seen;
  }

  /** What it came to; throws what it failed with. Only when settled. */
  take(): T {
    this.#seen = true;
    if (this.#state === FAILED) throw this.#outcome;
    return this.#outcome as T;
  }

  get error(): Error | undefined {
    return this.#state === FAILED ? (this.#outcome as Error) : undefined;
  }

  test(): Tested<T> {
    return this.settled ? { done: true, value: this.take(), status: this.status } : { done: false };
  }

  /** Takes a receive back that has not been matched. False: too late, it completes; or it is nothing that can be taken back. */
  cancel(): boolean {
    return false;
  }

  then<A = T, B = never>(
    done?: ((value: T) => A | PromiseLike<A>) | null,
    failed?: ((error: any) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#promise().then(done, failed);
  }

  catch<B = never>(failed?: ((error: any) => B | PromiseLike<B>) | null): Promise<T | B> {
    return this.#promise().then(undefined, failed);
  }

  finally(ended?: (() => void) | null): Promise<T> {
    return this.#promise().finally(ended);
  }

  /** Called at once if it has settled. Must not throw. */
  whenSettled(listener: () => void): void {
    if (this.settled) listener();
    else if (this.#listeners) this.#listeners.push(listener);
    else this.#listeners = [listener];
  }

  resolve(value: T): void {
    this.#settle(DONE, value);
  }

  reject(error: unknown): void {
    this.#settle(FAILED, error);
  }

  #promise(): Promise<T> {
    this.#seen = true;
    if (this.#state === DONE) return Promise.resolve(this.#outcome as T);
    if (this.#state === FAILED) return Promise.reject(this.#outcome);
    return new Promise((resolve, reject) => {
      this.whenSettled(() => (this.#state === DONE ? resolve(this.#outcome as T) : reject(this.#outcome)));
    });
  }

  #settle(state: number, outcome: unknown): void {
    if (this.#state !== PENDING) return;
    this.#state = state;
    this.#outcome = outcome;
    const listeners = this.#listeners;
    this.#listeners = undefined;
    if (listeners) for (const listener of listeners) listener();
  }
}

export function settledWith<T>(value: T, status: Status = EMPTY): Request<T> {
  const request = new Request<T>();
  request.status = status;
  request.resolve(value);
  return request;
}

/** What `make` makes of its value. */
export function derived<T, U>(from: Request<T>, make: (value: T) => U): Request<U> {
  const request = new Request<U>();
  from.whenSettled(() => {
    try {
      request.resolve(make(from.take()));
    } catch (error) {
      request.reject(error);
    }
  });
  return request;
}

/** What a promise comes to. */
export function requestOf<T>(promise: PromiseLike<T>): Request<T> {
  const request = new Request<T>();
  promise.then(
    (value) => request.resolve(value),
    (error) => request.reject(error),
  );
  return request;
}

export type Requests = readonly (Request<any> | undefined)[];

/** Undefined requests are inactive: done, with an empty status. */
const isDone = (request: Request | undefined): boolean => request?.settled ?? true;

/** Settles when all have: rejects with `InStatusError`, which has the errors of those that failed. */
export function all(requests: Requests): Request<unknown[]> {
  const whole = new Request<unknown[]>();
  let open = 1;
  const one = (): void => {
    if (--open) return;
    const errors = requests.map((request) => request?.error);
    const failed = errors.filter((error) => error !== undefined);
    const first = failed[0];
    if (!first) {
      whole.resolve(requests.map((request) => request?.take()));
      return;
    }
    for (const request of requests) if (request?.failed) request.catch(() => {});
    whole.reject(
      new InStatusError(`${failed.length} of ${requests.length} requests failed, first: ${first.message}`, errors),
    );
  };
  for (const request of requests) {
    if (!request) continue;
    open++;
    request.whenSettled(one);
  }
  one();
  return whole;
}

/** Settles with the index of one that has; -1 when none is active. */
export function any(requests: Requests): Request<number> {
  const whole = new Request<number>();
  if (requests.every((request) => request === undefined)) whole.resolve(-1);
  requests.forEach((request, i) => void request?.whenSettled(() => whole.resolve(i)));
  return whole;
}

/** Settles with the indices of all that have, as soon as one has; undefined when none is active. */
export function some(requests: Requests): Request<number[] | undefined> {
  const whole = new Request<number[] | undefined>();
  any(requests).whenSettled(() => whole.resolve(testSome(requests)));
  return whole;
}

export function testAll(requests: Requests): boolean {
  return requests.every(isDone);
}

/** The index of one that is done, -1 when none is active, undefined when none is done yet. */
export function testAny(requests: Requests): number | undefined {
  const found = requests.findIndex((request) => request?.settled);
  if (found >= 0) return found;
  return requests.every((request) => request === undefined) ? -1 : undefined;
}

/** The indices of those that are done; undefined when none is active. */
export function testSome(requests: Requests): number[] | undefined {
  if (requests.every((request) => request === undefined)) return undefined;
  return requests.flatMap((request, i) => (request?.settled ? [i] : []));
}
