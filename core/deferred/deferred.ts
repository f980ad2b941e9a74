import type { Observable } from 'rxjs';
import { CancelledError, TimeoutError } from '../errors.ts';
import { type Clock, realClock } from './clock.ts';
import { fireWithFirst, toObservable } from './observable.ts';
import { Pipeline } from './pipeline.ts';
import { fireLike } from './thenable.ts';

/**
 * A result that will be there later, and the pipeline of callbacks that it goes through.
 *
 * Callbacks run synchronously, in the stack of whoever fires the Deferred, or at once if it has fired. There is one
 * outcome, a value or an error, and each callback replaces it; `then` and `await` look at it and leave it as it is.
 * An error that nobody has handled or looked at by the end of the turn is an unhandled rejection.
 */
export class Deferred<T> extends Pipeline implements PromiseLike<T> {
  /**
   * Remember where each Deferred is made, and say so when its error goes unhandled. Off, because taking a stack costs
   * many times what all else of a Deferred does.
   */
  static debug = false;

  /**
   * `canceller` is called when `cancel` comes before a result. It may fire the Deferred; if it does not, the Deferred
   * fails with CancelledError, or with what the canceller threw.
   */
  constructor(canceller?: (deferred: Deferred<T>, reason: unknown) => void) {
    super(canceller, Deferred.debug ? new Error() : undefined);
  }

  /** A Deferred that has this value. */
  static succeed(): Deferred<void>;
  static succeed<T>(value: T | PromiseLike<T>): Deferred<T>;
  static succeed(value?: unknown): Deferred<unknown> {
    const deferred = new Deferred<unknown>();
    deferred.callback(value);
    return deferred;
  }

  /** A Deferred that has failed with this error. */
  static fail(error: unknown): Deferred<never> {
    const deferred = new Deferred<never>();
    deferred.errback(error);
    return deferred;
  }

  /** Calls `f` now and makes a Deferred of whatever it does: returns, throws, or returns something to wait for. */
  static maybe<T>(f: () => T | PromiseLike<T>): Deferred<T> {
    try {
      const result = f();
      return result instanceof Deferred ? result : Deferred.succeed(result);
    } catch (error) {
      return Deferred.fail(error);
    }
  }

  /**
   * Fires like the promise, or with the observable's first value (rxjs's EmptyError if there is none). Cancelling ends
   * the subscription and calls `onCancel`; what the source says after that is dropped.
   */
  static from<T>(source: PromiseLike<T> | Observable<T>, onCancel?: (reason: unknown) => void): Deferred<T> {
    let leave: (() => void) | undefined;
    const deferred = new Deferred<T>((_, reason) => {
      leave?.();
      onCancel?.(reason);
    });
    if ('then' in source) fireLike(source, deferred);
    else leave = fireWithFirst(source, deferred);
    return deferred;
  }

  override callback(value: T | PromiseLike<T>): void {
    super.callback(value);
  }

  /**
   * `cb` gets a value, `eb` an error, though not one of this `cb`. What is returned is the next value, after waiting for
   * it where it is a Deferred or a promise; what is thrown is the next error.
   */
  addCallbacks<U, V>(
    cb: (value: T) => U | PromiseLike<U>,
    eb: (error: unknown) => V | PromiseLike<V>,
  ): Deferred<U | V> {
    return this.#add(cb, eb);
  }

  /** `addCallbacks` for values; an error passes by. */
  addCallback<U>(cb: (value: T) => U | PromiseLike<U>): Deferred<U> {
    return this.#add(cb, undefined);
  }

  /** `addCallbacks` for errors; a value passes by. */
  addErrback<U>(eb: (error: unknown) => U | PromiseLike<U>): Deferred<T | U> {
    return this.#add(undefined, eb);
  }

  /** `addCallbacks` with one function, which is told what it got. To hand an error on, throw it. */
  addBoth<U>(f: (outcome: unknown, failed: boolean) => U | PromiseLike<U>): Deferred<U> {
    return this.#add(
      (value) => f(value, false),
      (error) => f(error, true),
    );
  }

  /** Looks at the outcome in passing, synchronously, and leaves it as it is, unless a function throws. */
  tap(onValue: (value: T) => void, onError: (error: unknown) => void): this {
    return this.append({ onValue, onError, keep: false, waiter: undefined, next: undefined });
  }

  /**
   * Cancels after `ms` milliseconds unless the callbacks added so far are through by then. The CancelledError becomes a
   * TimeoutError; another outcome of the canceller stays what it is, and so does a cancel by hand.
   */
  addTimeout(ms: number, clock: Clock = realClock): this {
    let late = false;
    const timer = clock.callLater(ms, () => {
      late = true;
      this.cancel(`not finished within ${ms} ms`);
    });
    this.#add(
      (value) => {
        timer.cancel();
        return value;
      },
      (error) => {
        timer.cancel();
        if (!late || !(error instanceof CancelledError)) throw error;
        throw new TimeoutError(
          `Not finished within ${ms} ms, so cancelled; give addTimeout more if it may take longer`,
        );
      },
    );
    return this;
  }

  then<U = T, V = never>(
    onValue?: ((value: T) => U | PromiseLike<U>) | null,
    onError?: ((error: unknown) => V | PromiseLike<V>) | null,
  ): Promise<U | V> {
    const { reported } = this;
    const promise = this.toPromise().then(onValue, onError);
    // Without `onError` it fails with what has been reported already.
    if (reported && !onError) promise.catch(() => {});
    return promise;
  }

  catch<V = never>(onError?: ((error: unknown) => V | PromiseLike<V>) | null): Promise<T | V> {
    return this.toPromise().catch(onError);
  }

  finally(f?: (() => void) | null): Promise<T> {
    return this.toPromise().finally(f);
  }

  /** A promise for the outcome at this place of the pipeline. `signal` cancels the Deferred, with its reason. */
  toPromise({ signal }: { signal?: AbortSignal | undefined } = {}): Promise<T> {
    const { reported } = this;
    const promise = new Promise<T>((resolve, reject) => this.tap(resolve, reject));
    if (reported) promise.catch(() => {});
    if (signal) {
      const abort = () => this.cancel(signal.reason);
      const forget = () => signal.removeEventListener('abort', abort);
      signal.addEventListener('abort', abort);
      this.tap(forget, forget);
      if (signal.aborted) abort();
    }
    return promise;
  }

  /** Emits the outcome, at the place of the pipeline where it is subscribed to. Unsubscribing earlier cancels the Deferred. */
  toObservable(): Observable<T> {
    return toObservable(this);
  }

  #add(cb: ((value: T) => unknown) | undefined, eb: ((error: unknown) => unknown) | undefined): Deferred<any> {
    return this.append({ onValue: cb, onError: eb, keep: true, waiter: undefined, next: undefined });
  }
}
