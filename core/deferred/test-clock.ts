import { UsageError } from '../errors.ts';
import { type Clock, checkActive, checkDelay, type DelayedCall } from './clock.ts';

/** A clock that stands still until `advance` moves it. */
export class TestClock implements Clock {
  #now = 0;
  /** In the order in which they become due; of two due together, the one that was asked for, or moved, first. */
  #calls: TestCall[] = [];

  /** How many calls wait for their time. */
  get pending(): number {
    return this.#calls.length;
  }

  /** The calls that wait for their time, the next one first. */
  get calls(): readonly (DelayedCall & { readonly due: number })[] {
    return [...this.#calls];
  }

  now(): number {
    return this.#now;
  }

  callLater(ms: number, fn: () => void): DelayedCall {
    checkDelay(ms);
    const call = new TestCall(fn, this);
    this.#plan(call, this.#now + ms);
    return call;
  }

  /**
   * Moves time forward by `ms` at once, then makes every call that is due, also those that a call adds: like callbacks
   * that a busy process ran late, all of them see the final time. What a call throws comes out of here; those behind it
   * are made by the next `advance`.
   */
  advance(ms: number): void {
    if (!(ms >= 0)) throw new UsageError(`advance(${ms}): time only moves forward; give a number of milliseconds >= 0`);
    this.#now += ms;
    while (this.#calls.length > 0 && this.#calls[0]!.due <= this.#now) {
      const call = this.#calls.shift()!;
      call.active = false;
      call.fn();
    }
  }

  /** One `advance` after the other. */
  pump(steps: Iterable<number>): void {
    for (const ms of steps) this.advance(ms);
  }

  /** For its calls. */
  move(call: TestCall, due: number | undefined): void {
    this.#calls = this.#calls.filter((other) => other !== call);
    call.active = false;
    if (due !== undefined) this.#plan(call, due);
  }

  #plan(call: TestCall, due: number): void {
    call.due = due;
    call.active = true;
    const later = this.#calls.findIndex((other) => other.due > due);
    this.#calls.splice(later < 0 ? this.#calls.length : later, 0, call);
  }
}

class TestCall implements DelayedCall {
  readonly fn: () => void;
  readonly #clock: TestClock;
  due = 0;
  active = false;

  constructor(fn: () => void, clock: TestClock) {
    this.fn = fn;
    this.#clock = clock;
  }

  cancel(): void {
    this.#clock.move(this, undefined);
  }

  reset(ms: number): void {
    checkActive(this, 'reset');
    checkDelay(ms);
    this.#clock.move(this, this.#clock.now() + ms);
  }

  delay(ms: number): void {
    checkActive(this, 'delay');
    if (Number.isNaN(ms)) checkDelay(ms);
    this.#clock.move(this, this.due + ms);
  }
}
