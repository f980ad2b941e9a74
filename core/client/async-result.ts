/** What you hold while engines compute: immutable, awaitable, iterable, and usable at once as an argument of other calls. */
import { Observable } from 'rxjs';
import type { InterruptOutcome, Progress } from '../conversation.ts';
import { Deferred } from '../deferred/index.ts';
import { CancelledError, InterruptedError, UsageError } from '../errors.ts';
import { encode } from '../wire/codec.ts';
import type { Call } from './call.ts';
import type { PartRecord } from './call-parts.ts';
import type { Told } from './told.ts';

/** How one target's part ended. */
export type Settled<T = unknown> = { engine: number } & (
  | { status: 'fulfilled'; value: T }
  | { status: 'rejected'; reason: Error }
);

export interface Timing {
  readonly submitted: Date;
  /** When the first part started, and the last one was completed, by the engines' clocks. */
  readonly started: Date | undefined;
  readonly completed: Date | undefined;
  /** ms from submission to completion (so far, while pending). */
  readonly wall: number;
  /** Sum of the run times of all parts, in ms. */
  readonly serial: number;
  /** serial / wall. */
  readonly speedup: number;
  readonly parts: readonly { engine: number; started: Date | undefined; completed: Date | undefined; ms: number }[];
}

/** running: it has begun on one engine at least, a tenth of a second ago or more. cancelled: also one that was interrupted. */
export type Status = 'pending' | 'running' | 'done' | 'failed' | 'cancelled';

/** The element type of a result that is a list with one value a target; the value itself for a single target. */
export type PartOf<T> = T extends readonly (infer E)[] ? E : T;

/** Of a single target's result comes one, of a list a list. */
export type Piped<T, P, R> = [T] extends [P]
  ? [P] extends [T]
    ? AsyncResult<R, R>
    : AsyncResult<R[], R>
  : AsyncResult<R[], R>;

export interface PipeHome {
  pipe(call: Call, fn: unknown, args: unknown[]): AsyncResult<any>;
}

export class AsyncResult<T, P = PartOf<T>> implements PromiseLike<T>, AsyncIterable<Settled<P>> {
  /** The call behind it; for tutti's own use. */
  readonly call: Call;
  #home: PipeHome;
  #promise: Promise<T> | undefined;

  constructor(call: Call, home: PipeHome) {
    this.call = call;
    this.#home = home;
    if (call.pending) call.holder = this;
  }

  /** The same as `task.id` on the engines. */
  get id(): string {
    return this.call.taskId;
  }
  get targets(): number[] {
    return this.call.parts.map((part) => part.engine).filter((engine) => engine >= 0);
  }
  get status(): Status {
    if (this.call.pending)
      return this.call.parts.some((part) => part.running || part.state !== 'pending') ? 'running' : 'pending';
    const failed = this.call.parts.find((part) => part.error);
    if (!failed) return 'done';
    return failed.error instanceof CancelledError || failed.error instanceof InterruptedError ? 'cancelled' : 'failed';
  }

  then<A = T, B = never>(
    onValue?: ((value: T) => A | PromiseLike<A>) | null,
    onError?: ((error: any) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#value().then(onValue, onError);
  }
  catch<B = never>(onError?: ((error: any) => B | PromiseLike<B>) | null): Promise<T | B> {
    return this.#value().catch(onError);
  }
  finally(onEnd?: (() => void) | null): Promise<T> {
    return this.#value().finally(onEnd);
  }

  /** A new Deferred on this result, with the callback added; so for each of its kin. Cancelling it leaves this result alone. */
  addCallback<U>(callback: (value: T) => U | PromiseLike<U>): Deferred<U> {
    return this.#deferred().addCallback(callback) as Deferred<U>;
  }
  addErrback<U>(errback: (error: any) => U | PromiseLike<U>): Deferred<T | U> {
    return this.#deferred().addErrback(errback) as Deferred<T | U>;
  }
  addBoth<U>(both: (outcome: any) => U | PromiseLike<U>): Deferred<U> {
    return this.#deferred().addBoth(both) as Deferred<U>;
  }
  addCallbacks<U, V>(
    callback: (value: T) => U | PromiseLike<U>,
    errback: (error: any) => V | PromiseLike<V>,
  ): Deferred<U | V> {
    return this.#deferred().addCallbacks(callback, errback) as Deferred<U | V>;
  }

  /** Parts as they finish, failures as values. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Settled<P>> {
    const { call } = this;
    call.observed = true;
    const ready: PartRecord[] = call.parts.filter((part) => part.state !== 'pending');
    let wake = (): void => {};
    const stop = call.onPart((part) => {
      ready.push(part);
      wake();
    });
    try {
      for (let seen = 0; seen < call.parts.length; seen++) {
        if (!ready.length) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
        yield (await settle(call, ready.shift()!)) as Settled<P>;
      }
    } finally {
      stop();
    }
  }

  /** Waits for all parts; failures are values, in target order. */
  async settled(): Promise<Settled<P>[]> {
    const { call } = this;
    call.observed = true;
    await new Promise<void>((resolve) => call.whenDone(resolve));
    return Promise.all(call.parts.map((part) => settle(call, part) as Promise<Settled<P>>));
  }

  /** The same, by engine id. */
  async byEngine(): Promise<Map<number, Settled<P>>> {
    return new Map((await this.settled()).map((part) => [part.engine, part]));
  }

  /**
   * What the call prints, as it prints it, also out of a loop; from the start, also for late subscribers (the last 1 MB; `dropped`
   * says how many characters before it are gone). While somebody listens, it is not echoed.
   */
  get stdout$(): Observable<{ engine: number; text: string; dropped?: number }> {
    return this.#output('stdout');
  }
  get stderr$(): Observable<{ engine: number; text: string; dropped?: number }> {
    return this.#output('stderr');
  }

  /** What running functions say by `task.send`, from the start, also for late subscribers (the last 1,024). */
  get messages$(): Observable<{ engine: number; value: unknown }> {
    return this.#told(this.call.messages);
  }

  /** How far they are, by `task.progress`: of each engine the newest. */
  get progress$(): Observable<Progress> {
    const { call } = this;
    return new Observable((subscriber) => {
      const pass = (progress: Progress): void => subscriber.next(progress);
      for (const progress of call.progress.values()) pass(progress);
      call.progressListeners.add(pass);
      call.whenDone(() => subscriber.complete());
      return () => call.progressListeners.delete(pass);
    });
  }

  /**
   * Sends the running function a message (all engines' parts, or one): it finds it by `task.poll()` or in `task.inbox`. Throws
   * CannotTravelError. Rejects with NotOnStackError if the task has ended, with LimitError if it reads none of very many.
   */
  send(message: unknown, engine?: number): Promise<void> {
    const sent = this.call.say(encode(message, { root: 'message' }), engine);
    sent.catch(() => {}); // whoever does not wait for it does not want to know
    return sent;
  }

  /**
   * The value of an expression in the running function, a variable or what can be read from one: one value for each engine that
   * still runs it. It may be in a loop. What would change something is refused (UsageError); a function that waits at an await
   * has no variables to be read (NotOnStackError).
   * @example
   * const result = client.all.apply(() => { let i = 0; while (true) i++; });
   * console.log(await result.peek('i'));
   */
  peek(expression: string): Promise<unknown[]> {
    return this.call.peek(expression);
  }

  /** Stops it, wherever it is, and keeps the engine and its namespace; what is stopped rejects with InterruptedError. */
  interrupt(reason?: string): Promise<InterruptOutcome[]> {
    return this.call.interrupt(reason);
  }

  /** Rejects what is pending with CancelledError at once, and stops it on its engines as `interrupt` does. */
  cancel(reason?: string | Error): Promise<InterruptOutcome[]> {
    if (reason instanceof Error) return this.call.cancel(new CancelledError(reason.message, { cause: reason }));
    return this.call.cancel(new CancelledError(reason ?? 'Cancelled'));
  }

  /** Lets go of a large value that stayed on its engines. Garbage collection does it otherwise. */
  release(): void {
    this.call.release();
  }

  get timing(): Timing {
    const { call } = this;
    const run = call.parts.filter((part) => part.started);
    const started = run.length ? Math.min(...run.map((p) => p.started)) : undefined;
    const completed = call.pending === 0 && run.length ? Math.max(...run.map((p) => p.completed)) : undefined;
    const wall = (completed ?? Date.now()) - call.submitted;
    const serial = run.reduce((sum, part) => sum + part.completed - part.started, 0);
    const date = (ms: number | undefined): Date | undefined => (ms ? new Date(ms) : undefined);
    return {
      submitted: new Date(call.submitted),
      started: date(started),
      completed: date(completed),
      wall,
      serial,
      speedup: wall > 0 ? serial / wall : 0,
      parts: call.parts.map((p) => ({
        engine: p.engine,
        started: date(p.started),
        completed: date(p.completed),
        ms: p.completed - p.started,
      })),
    };
  }

  /** Goes on, on each engine that holds a part, with that part as the first argument; the part stays there. */
  pipe<A extends unknown[], R>(fn: (part: P, ...args: A) => R, ...args: A): Piped<T, P, Awaited<R>> {
    if (this.call.assembly !== 'list' && this.call.assembly !== 'single') {
      throw new UsageError('pipe goes on with one value a target, so it works on results of apply, execute and pull');
    }
    return this.#home.pipe(this.call, fn, args) as Piped<T, P, Awaited<R>>;
  }

  #value(): Promise<T> {
    this.call.observed = true;
    this.#promise ??= this.call.value() as Promise<T>;
    return this.#promise;
  }

  #deferred(): Deferred<T> {
    return Deferred.from(this.#value()) as Deferred<T>;
  }

  #output(stream: 'stdout' | 'stderr'): Observable<{ engine: number; text: string; dropped?: number }> {
    const { printed } = this.call;
    return new Observable((subscriber) => {
      let { dropped } = printed;
      return this.#told(printed).subscribe({
        next: ({ engine, stream: from, text }) => {
          if (from !== stream) return;
          subscriber.next({ engine, text, ...(dropped && { dropped }) });
          dropped = 0;
        },
        complete: () => subscriber.complete(),
      });
    });
  }

  #told<I extends object>(told: Told<I>): Observable<I> {
    return new Observable((subscriber) => {
      const stop = told.listen((item) => subscriber.next(item));
      this.call.whenDone(() => subscriber.complete());
      return stop;
    });
  }
}

async function settle(call: Call, part: PartRecord): Promise<Settled> {
  try {
    return { engine: part.engine, status: 'fulfilled', value: await call.valueOf(part) };
  } catch (error) {
    return { engine: part.engine, status: 'rejected', reason: error as Error };
  }
}
