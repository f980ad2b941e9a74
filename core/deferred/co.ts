import { UsageError } from '../errors.ts';
import { keepContext } from './context.ts';
import { Deferred } from './deferred.ts';
import { deferredOf } from './source.ts';
import { isThenable } from './thenable.ts';

/** What a coroutine runs on: it yields what it waits for, and is given what comes of it. */
export type Waiting<T> = Generator<unknown, T, unknown>;

/** For `yield*` in a function given to `co`: waits for a Deferred or a promise; of anything else it is the value. */
export function* wait<T>(source: T): Waiting<Awaited<T>> {
  return (yield source) as Awaited<T>;
}

/**
 * Runs a generator function like an `async` one that can be cancelled: cancelling cancels what it waits for at that moment,
 * and the error shows up at its `yield*`. It may catch that and go on, and be cancelled again. What is there already
 * is not waited for. Waiting looks at an outcome, as `await` does, and leaves it where it is.
 */
export function co<T>(body: () => Waiting<T | PromiseLike<T>>): Deferred<T> {
  const coroutine = new Coroutine(body);
  coroutine.go('next', undefined);
  return coroutine.result;
}

class Coroutine<T> {
  readonly result: Deferred<T>;
  readonly #steps: Waiting<T | PromiseLike<T>>;
  readonly #inContext = keepContext();
  /** What fires at the end: `result`, or what it waits for since it was cancelled. */
  #end: Deferred<T>;
  #waitingFor: Deferred<unknown> | undefined = undefined;
  /** Of a cancel that came while it was running: the next thing that it waits for. */
  #cancelNext: { reason: unknown } | undefined = undefined;

  constructor(body: () => Waiting<T | PromiseLike<T>>) {
    this.#steps = body();
    if (typeof this.#steps?.next !== 'function' || typeof this.#steps.throw !== 'function')
      throw new UsageError('co() needs a generator function: co(function* () { const x = yield* wait(deferred); … })');
    this.result = this.#deferred();
    this.#end = this.result;
  }

  /** Until it has to wait, or ends. A loop, so that any number of outcomes that are there need no stack. */
  go(how: 'next' | 'throw', what: unknown): void {
    for (let ready = true; ready; ) {
      let step: IteratorResult<unknown, T | PromiseLike<T>>;
      try {
        step = this.#inContext(() => this.#steps[how](what));
      } catch (error) {
        this.#end.errback(error);
        return;
      }
      if (step.done) {
        this.#end.callback(step.value);
        return;
      }
      ready = false;
      let returned = false;
      const take = (lane: 'next' | 'throw') => (outcome: unknown) => {
        this.#waitingFor = undefined;
        if (returned) return this.go(lane, outcome);
        [how, what, ready] = [lane, outcome, true];
      };
      this.#wait(step.value, take('next'), take('throw'));
      returned = true;
    }
  }

  #wait(value: unknown, onValue: (value: unknown) => void, onError: (error: unknown) => void): void {
    if (!isThenable(value)) {
      onValue(value);
      return;
    }
    const source = deferredOf(value);
    this.#waitingFor = source;
    source.tap(onValue, onError);
    const cancel = this.#cancelNext;
    if (!cancel || this.#waitingFor !== source) return;
    this.#cancelNext = undefined;
    source.cancel(cancel.reason);
  }

  #deferred(): Deferred<T> {
    return new Deferred<T>((cancelled, reason) => {
      this.#end = this.#deferred();
      // Whatever the function makes of the cancel is the outcome.
      cancelled.callback(this.#end);
      if (this.#waitingFor) this.#waitingFor.cancel(reason);
      else this.#cancelNext = { reason };
    });
  }
}
