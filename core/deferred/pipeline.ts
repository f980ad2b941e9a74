import { AlreadyCalledError, CancelledError, UsageError } from '../errors.ts';
import { fireLike, isThenable } from './thenable.ts';
import { atEndOfTurn } from './turn.ts';
import { remember, reportIfForgotten, reportUnhandled } from './unhandled.ts';

/** One station. `keep`: what its functions do becomes the outcome. `waiter`: the outcome moves there. */
export interface Link {
  readonly onValue: ((value: any) => unknown) | undefined;
  readonly onError: ((error: unknown) => unknown) | undefined;
  readonly keep: boolean;
  readonly waiter: Pipeline | undefined;
  next: Link | undefined;
}

type Canceller = (pipeline: any, reason: unknown) => void;

/** The untyped half of a Deferred: one outcome, a value or an error, and the line of links that it goes through. */
export class Pipeline {
  #canceller: Canceller | undefined;
  #called = false;
  #failed = false;
  #outcome: unknown = undefined;
  #first: Link | undefined = undefined;
  #last: Link | undefined = undefined;
  #running = false;
  #pauses = 0;
  #waitingFor: Pipeline | undefined = undefined;
  #swallowNext = false;
  /** Of an error: somebody has seen it, or it has been reported. */
  #observed = false;
  #suspected = false;
  #reported = false;
  readonly #made: Error | undefined;

  /** `made`: made where this is, if somebody wants to know; its stack becomes a text only when it is told. */
  constructor(canceller: Canceller | undefined, made?: Error) {
    this.#canceller = canceller;
    this.#made = made;
  }

  /** Has fired; its callbacks may still wait for something. */
  get called(): boolean {
    return this.#called;
  }

  /** Fires with a value; a Deferred or promise is waited for. AlreadyCalledError the second time. */
  callback(value: unknown): void {
    if (!this.#fire('callback')) return;
    try {
      this.#become(value);
    } catch (error) {
      this.#fail(error);
    }
    this.#run();
  }

  /** Fires with an error, of any type. AlreadyCalledError the second time. */
  errback(error: unknown): void {
    if (!this.#fire('errback')) return;
    this.#fail(error);
    this.#run();
  }

  /**
   * Before a result: asks the canceller, and fails with CancelledError (`cause`: `reason`) if that does not fire. While
   * waiting for another Deferred: cancels that one. With a result: does nothing. Without a canceller, one late
   * `callback` or `errback` is swallowed.
   */
  cancel(reason?: unknown): void {
    const last = this.#lastInLine();
    if (last.#called) return;
    const canceller = last.#canceller;
    // A canceller that cancels again must not be asked again.
    if (canceller) last.#canceller = () => {};
    else last.#swallowNext = true;
    let error: unknown = cancelled(reason);
    try {
      canceller?.(last, reason);
    } catch (thrown) {
      if (last.#called) throw thrown;
      error = thrown;
    }
    if (last.#called) return;
    last.#fire('cancel');
    last.#fail(error);
    last.#run();
  }

  /** Its error has been reported as unhandled. A promise for it must not be reported once more. */
  protected get reported(): boolean {
    return this.#reported;
  }

  /** Until `unpause` was called as often, runs no callback and passes nothing on to a Deferred that waits for this one. */
  pause(): void {
    this.#pauses++;
  }

  /** Undoes one `pause`. UsageError if there was none. */
  unpause(): void {
    if (this.#pauses === 0) throw new UsageError('unpause() on a Deferred that is not paused; call pause() first');
    this.#pauses--;
    remember(this);
    this.#run();
  }

  protected append(link: Link): this {
    this.#enqueue(link);
    this.#run();
    return this;
  }

  #enqueue(link: Link): void {
    if (this.#last) this.#last.next = link;
    else this.#first = link;
    this.#last = link;
  }

  #fire(method: string): boolean {
    if (this.#called) {
      if (!this.#swallowNext) throw new AlreadyCalledError(`${method}() on a Deferred that has fired; it fires once`);
      this.#swallowNext = false;
      return false;
    }
    this.#called = true;
    // It would keep alive what it closes over, often this Deferred itself.
    this.#canceller = undefined;
    return true;
  }

  get #blocked(): boolean {
    return this.#pauses > 0 || this.#waitingFor !== undefined;
  }

  /** Whatever this one sets going is run in this loop, not below it: a chain of any length needs no stack. */
  #run(): void {
    if (!this.#called || this.#running) return;
    let interrupted: Pipeline[] | undefined;
    let current: Pipeline | undefined = this;
    while (current) {
      const waiter: Pipeline | undefined = current.#runLinks();
      // What stands in line behind the waiter runs once the waiter's own links have run.
      if (waiter && current.#first) (interrupted ??= []).push(current);
      current = waiter ?? interrupted?.pop();
    }
  }

  /** Until the line is empty, something must be waited for, or a waiter, which is returned, is to go first. */
  #runLinks(): Pipeline | undefined {
    this.#running = true;
    for (let link = this.#first; link && !this.#blocked; link = this.#first) {
      this.#first = link.next;
      if (!link.next) this.#last = undefined;
      if (link.waiter) {
        this.#running = false;
        link.waiter.#takeFrom(this);
        return link.waiter;
      }
      const f = this.#failed ? link.onError : link.onValue;
      if (!f) continue;
      try {
        const result = f(this.#outcome);
        if (!link.keep) this.#observed = true;
        else if (typeof result === 'object' || typeof result === 'function') this.#become(result);
        else {
          // The usual case, without a call.
          this.#failed = false;
          this.#outcome = result;
        }
      } catch (error) {
        this.#fail(error);
      }
    }
    this.#running = false;
    if (this.#failed && !this.#observed && !this.#suspected) {
      this.#suspected = true;
      atEndOfTurn(() => this.#report());
    }
    return undefined;
  }

  #become(value: unknown): void {
    if (value === this) throw new TypeError('A Deferred cannot wait for itself; return or fire with another one');
    if (!isThenable(value)) {
      this.#failed = false;
      this.#outcome = value;
      return;
    }
    const inner = value instanceof Pipeline ? value : fromPromise(value);
    if (inner.#called && !inner.#running && !inner.#first && !inner.#blocked) {
      this.#takeFrom(inner);
    } else {
      this.#failed = false;
      this.#outcome = undefined;
      this.#waitingFor = inner;
      // Nothing to run: it has no result, is held up, or is being run by a loop further down the stack.
      inner.#enqueue({ onValue: undefined, onError: undefined, keep: true, waiter: this, next: undefined });
    }
  }

  #fail(error: unknown): void {
    // Thrown on, what was reported stays so.
    this.#observed = this.#reported = this.#reported && this.#outcome === error;
    this.#failed = true;
    this.#outcome = error;
  }

  /** Moves the outcome: who waits for a Deferred takes it over, errors and the duty to handle them included. */
  #takeFrom(inner: Pipeline): void {
    this.#waitingFor = undefined;
    this.#failed = inner.#failed;
    this.#outcome = inner.#outcome;
    // What has been reported once stays so, whoever holds it.
    this.#observed = this.#reported = inner.#reported;
    inner.#failed = false;
    inner.#outcome = undefined;
  }

  #lastInLine(): Pipeline {
    let last: Pipeline = this;
    for (const passed = new Set<Pipeline>(); last.#waitingFor; last = last.#waitingFor) {
      if (passed.has(last))
        throw new UsageError('cancel() finds no end: these Deferreds wait for each other in a circle');
      passed.add(last);
    }
    return last;
  }

  #report(): void {
    this.#suspected = false;
    if (!this.#failed || this.#observed) return;
    if (this.#pauses > 0) reportIfForgotten(this, this.#outcome, this.#made);
    else {
      this.#observed = this.#reported = true;
      reportUnhandled(this.#outcome, this.#made);
    }
  }
}

function fromPromise(promise: PromiseLike<unknown>): Pipeline {
  const pipeline = new Pipeline(undefined);
  fireLike(promise, pipeline);
  return pipeline;
}

function cancelled(reason: unknown): CancelledError {
  if (reason instanceof CancelledError) return reason;
  if (reason === undefined) return new CancelledError('Cancelled');
  const why = reason instanceof Error ? reason.message : String(reason);
  return new CancelledError(`Cancelled: ${why}`, { cause: reason });
}
