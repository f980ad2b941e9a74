import { FirstError } from '../errors.ts';
import { Deferred } from './deferred.ts';
import { deferredOf, type Source, type Values } from './source.ts';

export interface DeferredListOptions {
  /** Fire with `[value, index]` as soon as one has a value. */
  readonly fireOnOneCallback?: boolean;
  /** Fail with FirstError as soon as one fails. */
  readonly fireOnOneErrback?: boolean;
  /** Handle the errors of the sources: what is left in them is `undefined`. */
  readonly consumeErrors?: boolean;
  /** When the list fires early, cancel the sources that are still under way, and handle the errors this gives them. */
  readonly cancelRest?: boolean;
}

/** What became of one source. */
export type Outcome<T> = [ok: true, value: T] | [ok: false, error: unknown];

/** What became of each, place by place. */
export type Outcomes<T extends readonly Source[]> = { -readonly [K in keyof T]: Outcome<Awaited<T[K]>> };

type Result<T extends readonly Source[], O extends DeferredListOptions> = O extends { fireOnOneCallback?: false }
  ? Outcomes<T>
  : Outcomes<T> | [value: Awaited<T[number]>, index: number];

/**
 * Fires when all sources have, with what became of each in the order given, whatever order they fired in. An empty list
 * fires at once, but with `fireOnOneCallback` never.
 *
 * The values stay in the sources, and so do errors, without `consumeErrors`. An error that the list has told counts as
 * looked at; one that comes after the list fired early is left to its source. Cancelling the list cancels all sources.
 */
export class DeferredList<
  const T extends readonly Source[],
  const O extends DeferredListOptions = Record<never, never>,
> extends Deferred<Result<T, O>> {
  readonly #sources: readonly Deferred<unknown>[];
  readonly #options: DeferredListOptions;
  readonly #outcomes: Outcome<unknown>[];
  #left: number;
  #decided = false;
  /** The errors that come now are our doing. */
  #cancelling = false;

  constructor(sources: T, options?: O) {
    super((_, reason) => this.#cancelSources(reason));
    this.#sources = sources.map(deferredOf);
    this.#options = options ?? {};
    this.#outcomes = new Array(sources.length);
    this.#left = sources.length;
    if (this.#left === 0 && !this.#options.fireOnOneCallback) this.#end([]);
    for (const [index, source] of this.#sources.entries()) {
      source.tap(
        (value) => this.#count(index, [true, value]),
        (error) => {
          // Thrown again, it is once more an error that nobody has looked at.
          if (!this.#count(index, [false, error]) && !this.#cancelling) throw error;
        },
      );
      if (this.#options.consumeErrors) source.addErrback(() => undefined);
    }
  }

  /** False if the list was decided before, so that nobody learns of this outcome here. */
  #count(index: number, outcome: Outcome<unknown>): boolean {
    const [ok, result] = outcome;
    this.#outcomes[index] = outcome;
    this.#left--;
    if (this.#decided || this.called) return false;
    if (ok && this.#options.fireOnOneCallback) this.#decide(() => this.#end([result, index]));
    else if (!ok && this.#options.fireOnOneErrback) {
      // A list that is being cancelled fails with the CancelledError itself, which `addTimeout` knows.
      const error = this.#cancelling ? result : firstError(result, index);
      this.#decide(() => this.errback(error));
    } else if (this.#left === 0) this.#end(this.#outcomes);
    return true;
  }

  /** Who is called back finds the rest cancelled. */
  #decide(fire: () => void): void {
    this.#decided = true;
    try {
      if (this.#options.cancelRest) this.#cancelSources('the list has its outcome from another source');
    } finally {
      fire();
    }
  }

  /** All of them, even if a canceller throws. */
  #cancelSources(reason: unknown): void {
    this.#cancelling = true;
    const thrown: unknown[] = [];
    for (const source of this.#sources) {
      try {
        source.cancel(reason);
      } catch (error) {
        thrown.push(error);
      }
    }
    if (thrown.length > 0) throw thrown[0];
  }

  #end(result: unknown): void {
    this.callback(result as Result<T, O>);
  }
}

/**
 * The values of all, in the order given; or FirstError as soon as one fails. The others go on, unless `cancelRest` is set;
 * what they then fail with is theirs, unless `consumeErrors` is set.
 */
export function gatherResults<const T extends readonly Source[]>(
  sources: T,
  options: Pick<DeferredListOptions, 'consumeErrors' | 'cancelRest'> = {},
): Deferred<Values<T>> {
  const list = new DeferredList(sources as readonly Source[], { ...options, fireOnOneErrback: true });
  return list.addCallback((outcomes) => (outcomes as Outcome<unknown>[]).map(([, value]) => value) as Values<T>);
}

function firstError(error: unknown, index: number): FirstError {
  const why = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return new FirstError(`Number ${index} of the list failed first: ${why}`, index, { cause: error });
}
