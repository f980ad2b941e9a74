import { CancelledError, UsageError } from '../errors.ts';
import { type Clock, type DelayedCall, realClock } from './clock.ts';
import { Deferred } from './deferred.ts';

/**
 * Calls a function again and again, on a grid of times that lies fixed from the start: a late call does not delay those
 * after it, and times that were missed are left out. If the function returns a Deferred or a promise, the next call waits
 * for that.
 */
export class LoopingCall {
  readonly #f: () => unknown;
  readonly #clock: Clock;
  #interval = 0;
  #origin = 0;
  /** The time on the grid, counted from the origin, of the last call; -1 before a first call at the origin itself. */
  #last = 0;
  #elapsed = 0;
  #next: DelayedCall | undefined = undefined;
  /** What the function has returned, while it is waited for. */
  #current: Deferred<unknown> | undefined = undefined;
  /** Of `start`. */
  #done: Deferred<LoopingCall> | undefined = undefined;
  #stopping = false;

  constructor(f: () => unknown, clock: Clock = realClock) {
    this.#f = f;
    this.#clock = clock;
  }

  /** Tells the function how many times of the grid have gone by since its last call: 1 unless some were missed. */
  static withCount(f: (count: number) => unknown, clock: Clock = realClock): LoopingCall {
    const loop: LoopingCall = new LoopingCall(() => f(loop.#elapsed), clock);
    return loop;
  }

  get running(): boolean {
    return this.#done !== undefined && !this.#stopping;
  }

  /**
   * Calls now, unless told not to, and then every `interval` milliseconds; 0: as soon as the clock lets it. Fires with
   * this LoopingCall once it has been stopped, and fails with what the function throws, which ends the loop. Cancelling
   * stops it, what it waits for included.
   */
  start(interval: number, { now = true }: { now?: boolean } = {}): Deferred<LoopingCall> {
    if (this.#done)
      throw new UsageError('start() on a LoopingCall that has not ended; stop() it first, and wait for it');
    if (!(interval >= 0)) throw new UsageError(`start(${interval}): give a number of milliseconds from 0`);
    const done = new Deferred<LoopingCall>((_, reason) => {
      this.#end();
      this.#current?.cancel(reason);
    });
    this.#done = done;
    this.#interval = interval;
    this.#origin = this.#clock.now();
    this.#last = now ? -1 : 0;
    if (now) this.#call();
    else this.#plan();
    return done;
  }

  /** No more calls. What `start` gave fires now, or when the call that is under way is through. UsageError if not running. */
  stop(): void {
    this.#check('stop');
    if (this.#next) this.#end()?.callback(this);
    else this.#stopping = true;
  }

  /** The grid starts now: the next call comes one interval from here. UsageError if not running. */
  reset(): void {
    this.#check('reset');
    // While a call is under way, the grid stays: what comes next is planned when it is through.
    if (!this.#next) return;
    this.#next.cancel();
    this.#origin = this.#clock.now();
    this.#last = 0;
    this.#plan();
  }

  #plan(): void {
    // A timer may come a little early, and must not be given the same time of the grid twice.
    const tick = Math.max(this.#last, this.#passed()) + 1;
    const due = this.#interval === 0 ? 0 : this.#origin + tick * this.#interval - this.#clock.now();
    this.#next = this.#clock.callLater(Math.max(0, due), () => this.#call(tick));
  }

  #call(tick = 0): void {
    this.#next = undefined;
    const at = Math.max(tick, this.#passed());
    this.#elapsed = this.#interval === 0 ? 1 : at - this.#last;
    this.#last = at;
    const { current, done } = { current: Deferred.maybe(this.#f), done: this.#done };
    this.#current = current;
    current.addCallbacks(
      () => {
        this.#current = undefined;
        if (this.#done !== done) return;
        if (this.#stopping) this.#end()?.callback(this);
        else this.#plan();
      },
      (error) => {
        this.#current = undefined;
        // After a cancel this is the answer to it; any other error would be nobody's.
        if (this.#done === done) this.#end()?.errback(error);
        else if (!(error instanceof CancelledError)) throw error;
      },
    );
  }

  /** Times of the grid between the origin and now. */
  #passed(): number {
    return this.#interval === 0 ? 0 : Math.floor((this.#clock.now() - this.#origin) / this.#interval);
  }

  #end(): Deferred<LoopingCall> | undefined {
    const done = this.#done;
    this.#next?.cancel();
    this.#next = undefined;
    this.#done = undefined;
    this.#stopping = false;
    return done;
  }

  #check(method: string): void {
    if (!this.running) throw new UsageError(`${method}() on a LoopingCall that is not running; start() it first`);
  }
}
