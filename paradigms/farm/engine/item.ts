/** A task on its engine, from its arrival to its report. */

import { CancelledError, TimeoutError, ValueLostError } from 'tutti';
import type { EngineHost, Parcel, Work } from '../../../core/index.ts';
import { Ending } from '../messages.ts';
import type { Fn, Functions, Spec } from './functions.ts';
import { runItems } from './items.ts';

/** ms that a run has to end once its signal was aborted; then it is left behind. */
const GRACE = 500;

export interface ItemHome {
  readonly host: EngineHost;
  readonly functions: Functions;
  ended(item: Item, ok: boolean, value: unknown): void;
  yielded(item: Item): void;
}

type Given = { source: Uint8Array; from: number; size: number } | Parcel;

export class Item implements Work {
  readonly client: number;
  readonly call: number;
  readonly ticket: number;
  readonly attempt: number;
  readonly fn: Fn;
  readonly spec: Spec;
  readonly beside: boolean;
  readonly detached: boolean;
  readonly habit: { brief: boolean };
  /** Is a value among its arguments made on this engine? */
  readonly local: boolean;
  opening = false;
  /** It runs, and the event loop has its turn meanwhile. */
  awaited = false;
  /** It was cancelled before it began. */
  dropped = false;
  over = false;
  aside = false;
  /** That it begins is to be told, and has been. */
  announce: boolean;
  announced = false;
  /** How it ended, if it was not by itself. */
  ending: Ending | undefined;
  failure: { ending: Ending; error: unknown } | undefined;
  /** Date.now() when it began. */
  started = 0;
  /** Where what it has printed and sent ends; 0: it has not. */
  said = 0;
  #given: Given | undefined;
  #args: unknown[] | undefined;
  #began = 0;
  #done: number | undefined;
  #home: ItemHome;
  #leave: ((error: Error) => void) | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    home: ItemHome,
    { client, call, ticket, attempt }: { client: number; call: number; ticket: number; attempt: number },
    { fn, spec }: { fn: Fn; spec: Spec },
    given: Given,
  ) {
    this.#home = home;
    this.client = client;
    this.call = call;
    this.ticket = ticket;
    this.fn = fn;
    this.spec = spec;
    this.attempt = attempt;
    this.habit = fn.habit;
    this.announce = spec.timeout !== undefined;
    this.beside = spec.concurrency > 1;
    this.detached = spec.detached;
    this.#given = given;
    this.local = !('source' in given) && given.waitsFor.some(({ engine }) => engine === home.host.id);
  }

  /** ms. */
  get ran(): number {
    return this.#began ? (this.#done ?? performance.now()) - this.#began : 0;
  }

  /** False: `open` must come before it can run. */
  get ready(): boolean {
    if (this.#args) return true;
    const given = this.#given!;
    return 'source' in given && this.fn.open && !this.spec.needsOpening;
  }

  get canBegin(): boolean {
    return this.failure !== undefined || this.ready;
  }

  /** Gets what it needs, and calls back: at once, where nothing has to be waited for. `failure` is set if it cannot be had. */
  open(done: () => void): void {
    const { host, functions } = this.#home;
    this.opening = true;
    const failed = (error: unknown): void => {
      this.failure = { ending: isLoss(error) ? Ending.STARVED : Ending.LOST, error };
      done();
    };
    if (!this.fn.open || this.spec.needsOpening) {
      Promise.all([functions.open(this.fn), this.spec.open(host)]).then(() => this.open(done), failed);
      return;
    }
    const given = this.#given!;
    if ('source' in given) done();
    else
      host.openTo<unknown[]>(
        given as Parcel<unknown[]>,
        (error, args) => {
          if (error) failed(error.thrown);
          else {
            this.#args = args;
            done();
          }
        },
        { remake: false },
      );
  }

  /** Its turn has come. */
  code(): unknown {
    if (this.ending !== undefined) throw new CancelledError('Cancelled');
    const args = this.#args ?? this.#read();
    this.#given = this.#args = undefined;
    this.started = Date.now();
    this.#began = performance.now();
    const { fn, spec } = this;
    // Without the record that it is kept in: that is neither its `this`, nor part of its name in stack traces.
    const { call } = fn;
    const value = spec.items ? runItems(call, args, this) : call(...args);
    if (!isThenable(value)) {
      this.#done = performance.now();
      return value;
    }
    return this.#wait(value);
  }

  done(ok: boolean, value: unknown): void {
    this.#done ??= performance.now();
    if (this.#timer) clearTimeout(this.#timer);
    this.fn.ran(this.ran);
    this.#home.ended(this, ok, value);
  }

  told(end: number): void {
    this.said = end;
  }

  /** It waits for the cluster: its place is free for others. */
  yielded(): void {
    this.aside = true;
    this.#home.yielded(this);
  }

  /** It runs: its signal is aborted, and if that does not end it, it is left behind. */
  stop(ending: Ending, reason: string): void {
    if (this.ending !== undefined) return;
    this.ending = ending;
    const error = ending === Ending.TIMEOUT ? new TimeoutError(reason) : new CancelledError(reason);
    this.#home.host.abort(this, error);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#leave?.(error), GRACE);
  }

  #wait(value: PromiseLike<unknown>): Promise<unknown> {
    this.awaited = true;
    const { timeout, items } = this.spec;
    if (timeout !== undefined && !items)
      this.#timer = setTimeout(
        () => this.stop(Ending.TIMEOUT, `It ran for more than its timeout of ${timeout} ms`),
        timeout,
      );
    return new Promise((resolve, reject) => {
      this.#leave = reject;
      Promise.resolve(value).then(resolve, reject);
    });
  }

  #read(): unknown[] {
    const { source, from, size } = this.#given as { source: Uint8Array; from: number; size: number };
    return this.#home.host.readWithin<unknown[]>(source, from, size);
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}

/** A value among its arguments is gone; it may be made again. */
function isLoss(error: unknown): boolean {
  const cause = (error as { cause?: unknown } | undefined)?.cause;
  return error instanceof ValueLostError || cause instanceof ValueLostError;
}
