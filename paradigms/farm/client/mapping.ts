/**
 * Draws items from a source, no further ahead than is agreed, has them carried out, and hands out what comes of them: as a list to
 * who awaits it, one by one to who iterates.
 */
import { Observable } from 'rxjs';
import { CancelledError, UsageError } from '../../../core/index.ts';
import { HaltedError } from '../errors.ts';
import { type Halt, halts } from './halt.ts';
import {
  engineCount,
  type MapHome,
  type MapOptions,
  type MapProgress,
  type MapResult,
  type Outcome,
  type Sender,
  type Source,
} from './map.ts';

/** ms between two words of progress. */
const PACE = 100;

export class Mapping<T> implements MapResult<any> {
  #home: MapHome;
  #sender: Sender<T>;
  #options: MapOptions & { halt?: Halt };
  /** Failures end it, else they are outcomes like others. */
  #strict: boolean;
  #iterator: Iterator<T> | AsyncIterator<T>;
  #asynchronous: boolean;
  #total: number | undefined;
  #chunk: T[] = [];
  /** Chunks that are under way, and how many items the largest so far had. */
  #chunks = 0;
  #largest = 1;
  #taken = 0;
  #done = 0;
  #failed = 0;
  /** Values that were handed out. */
  #given = 0;
  #ended = false;
  #drawing = false;
  /** What has come and was not handed out: by index where the order counts. */
  #ready = new Map<number, Outcome>();
  #queue: Outcome[] = [];
  #collected: unknown[] | undefined;
  #failure: { error: unknown } | undefined;
  #waiting: (() => void)[] = [];
  #listeners = new Set<() => void>();
  #promise: Promise<any[]> | undefined;
  #iterated = false;
  #halted = false;
  /** Nothing more counts. */
  #closed = false;

  constructor(
    home: MapHome,
    source: Source<T>,
    sender: Sender<T>,
    options: MapOptions & { halt?: Halt },
    strict: boolean,
  ) {
    this.#home = home;
    this.#sender = sender;
    this.#options = options;
    this.#strict = strict;
    this.#asynchronous = typeof source === 'object' && Symbol.asyncIterator in source;
    this.#iterator = this.#asynchronous
      ? (source as AsyncIterable<T>)[Symbol.asyncIterator]()
      : (source as Iterable<T>)[Symbol.iterator]();
    const { length, size } = source as { length?: unknown; size?: unknown };
    if (!this.#asynchronous) this.#total = [length, size].find((n): n is number => typeof n === 'number');
    const { signal } = options;
    if (signal?.aborted) this.cancel('Aborted by its signal');
    else signal?.addEventListener('abort', () => this.cancel('Aborted by its signal'), { once: true });
    // Who means to iterate says so before anything is drawn, and who awaits does, too.
    queueMicrotask(() => this.#draw());
  }

  get progress(): MapProgress {
    const total = this.#ended ? this.#taken : this.#total;
    return { taken: this.#taken, done: this.#done, failed: this.#failed, total };
  }

  get progress$(): Observable<MapProgress> {
    return new Observable((subscriber) => {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const say = (): void => {
        timer = undefined;
        subscriber.next(this.progress);
        if (this.#isOver) subscriber.complete();
      };
      const changed = (): void => {
        if (this.#isOver) {
          clearTimeout(timer);
          say();
        } else timer ??= setTimeout(say, PACE);
      };
      this.#listeners.add(changed);
      say();
      return () => {
        clearTimeout(timer);
        this.#listeners.delete(changed);
      };
    });
  }

  then<A = any[], B = never>(
    onValue?: ((values: any[]) => A | PromiseLike<A>) | null,
    onError?: ((error: any) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#promise ??= this.#collect();
    return this.#promise.then(onValue, onError);
  }
  catch<B = never>(onError?: ((error: any) => B | PromiseLike<B>) | null): Promise<any[] | B> {
    return this.then(null, onError);
  }
  finally(onEnd?: (() => void) | null): Promise<any[]> {
    return Promise.resolve(this.then()).finally(onEnd);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<any> {
    if (this.#iterated || this.#promise) throw new UsageError('A map is iterated once, or awaited');
    this.#iterated = true;
    try {
      for (;;) {
        const outcome = this.#next();
        if (outcome) {
          this.#given++;
          this.#draw();
          yield this.#valueOf(outcome);
        } else if (this.#failure) throw this.#failure.error;
        else if (this.#isOver) return;
        else await new Promise<void>((resolve) => this.#waiting.push(resolve));
      }
    } finally {
      if (!this.#isOver) this.cancel('Its reader has left');
    }
  }

  cancel(reason = 'Cancelled'): void {
    if (this.#isOver || this.#failure) return;
    this.#end(new CancelledError(reason));
  }

  get #isOver(): boolean {
    return (
      this.#failure !== undefined || (this.#ended && !this.#chunk.length && this.#done + this.#failed === this.#taken)
    );
  }

  async #collect(): Promise<any[]> {
    if (this.#iterated) throw new UsageError('A map is iterated once, or awaited');
    const ordered = this.#options.ordered ?? true;
    const values: unknown[] = (this.#collected = []);
    // What has come before anybody awaited it.
    for (const outcome of this.#ready.values()) this.#queue.push(outcome);
    this.#ready.clear();
    const take = (): void => {
      for (let outcome = this.#next(); outcome; outcome = this.#next()) {
        this.#given++;
        const value = this.#valueOf(outcome);
        if (ordered) values[outcome.index] = value;
        else values.push(value);
      }
    };
    for (;;) {
      take();
      this.#draw();
      if (this.#failure) throw this.#failure.error;
      // What a halt left out leaves no holes.
      if (this.#isOver) return values.filter((_, i) => i in values);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** In its order for who iterates; who collects puts them in order himself. */
  #next(): Outcome | undefined {
    if (this.#collected || this.#options.ordered === false) return this.#queue.shift();
    const outcome = this.#ready.get(this.#given);
    if (outcome) this.#ready.delete(this.#given);
    return outcome;
  }

  #valueOf(outcome: Outcome): unknown {
    if (!this.#strict) return outcome;
    if (outcome.status === 'fulfilled') return outcome.value;
    throw outcome.reason;
  }

  #mayDraw(): boolean {
    const { ahead, limit = Number.POSITIVE_INFINITY } = this.#options;
    if (this.#taken - this.#done - this.#failed >= limit) return false;
    const waiting = this.#taken - this.#given;
    if (ahead !== undefined) return waiting < ahead;
    // By chunks, since their sizes change: what one engine has in large ones must not leave the others without any.
    const chunks = this.#sender.ahead * engineCount(this.#home.host);
    return this.#chunks < chunks && waiting < chunks * this.#largest;
  }

  /** Takes what may be taken now. */
  #draw(): void {
    if (this.#drawing || this.#ended || this.#failure) return;
    this.#drawing = true;
    if (this.#asynchronous) void this.#drawLater();
    else {
      try {
        while (!this.#ended && this.#mayDraw()) this.#took((this.#iterator as Iterator<T>).next());
      } catch (error) {
        this.#end(error);
      }
      this.#drawing = false;
    }
    this.#flush();
  }

  async #drawLater(): Promise<void> {
    try {
      while (!this.#ended && this.#mayDraw()) {
        const next = (this.#iterator as AsyncIterator<T>).next();
        // What has been taken does not wait for an item that may be long in coming.
        if (this.#chunk.length) setImmediate(() => this.#flush());
        const result = await next;
        if (this.#failure) return;
        this.#took(result);
      }
    } catch (error) {
      this.#end(error);
    }
    this.#drawing = false;
    this.#flush();
    if (!this.#ended && this.#mayDraw()) this.#draw();
  }

  #took({ done, value }: IteratorResult<T>): void {
    if (done) {
      this.#ended = true;
      this.#changed();
      return;
    }
    this.#chunk.push(value);
    this.#taken++;
    const left = this.#total === undefined ? undefined : Math.max(0, this.#total - this.#taken);
    if (this.#chunk.length >= this.#sender.size(left)) this.#flush();
  }

  #flush(): void {
    const items = this.#chunk;
    if (!items.length || this.#failure) return;
    this.#chunk = [];
    let left = items.length;
    this.#chunks++;
    this.#largest = Math.max(this.#largest, left);
    this.#sender.send(items, this.#taken - left, (outcome) => {
      if (--left === 0) this.#chunks--;
      this.#came(outcome, left === 0);
    });
  }

  /** @param last of its chunk */
  #came(outcome: Outcome, last: boolean): void {
    if (this.#failure || this.#closed) return;
    if (outcome.status === 'fulfilled') this.#done++;
    else this.#failed++;
    if (this.#collected || this.#options.ordered === false) this.#queue.push(outcome);
    else this.#ready.set(outcome.index, outcome);
    const { halt } = this.#options;
    if (halt && !this.#halted && halts(halt, this.#done, this.#failed)) this.#halt(halt, outcome);
    this.#changed();
    // What comes out of its order is not handed out yet, and makes room all the same.
    if (last && !this.#collected) this.#draw();
  }

  #halt({ when }: Halt, outcome: Outcome): void {
    this.#halted = true;
    const { reason } = outcome as { reason?: Error };
    if (this.#strict && reason) {
      this.#end(reason);
      return;
    }
    this.#stopSource();
    if (when === 'soon') return;
    this.#sender.cancel('A halt policy has been met');
    // What was under way is no more.
    const over = this.#done + this.#failed;
    if (this.#strict) this.#end(new HaltedError(`Halted after ${over} of ${this.#taken} items`));
    else {
      this.#closed = true;
      this.#taken = over;
    }
  }

  #end(error: unknown): void {
    this.#failure = { error };
    this.#stopSource();
    this.#sender.cancel(error instanceof Error ? error.message : String(error));
    this.#changed();
  }

  #stopSource(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#taken -= this.#chunk.length;
    this.#chunk = [];
    try {
      Promise.resolve(this.#iterator.return?.()).catch(() => {});
    } catch {
      // its own affair
    }
  }

  #changed(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
    for (const listener of this.#listeners) listener();
  }
}
