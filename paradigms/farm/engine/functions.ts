/** What tasks run and how, as this engine knows it: each is opened once, and is then the same for all its tasks here. */
import type { EngineHost, Parcel } from '../../../core/index.ts';
import type { Orders, Spec as SentSpec } from '../messages.ts';

/** How much the latest run counts. */
const WEIGHT = 0.2;

export class Fn {
  readonly name: string;
  readonly parcel: Parcel;
  call!: (...args: unknown[]) => unknown;
  opened: Promise<void> | undefined;
  open = false;
  readonly habit = { brief: false };
  /** ms that a run takes, lately. */
  expected = 0;
  runs = 0;

  constructor(parcel: Parcel, name: string) {
    this.parcel = parcel;
    this.name = name;
  }

  ran(ms: number): void {
    this.expected += (this.runs++ ? WEIGHT : 1) * (ms - this.expected);
  }
}

export class Spec {
  readonly timeout: number | undefined;
  readonly resultLimit: number;
  readonly concurrency: number;
  readonly items: boolean;
  readonly travels: boolean;
  readonly detached: boolean;
  #retryIf: Parcel | undefined;
  #test: ((error: unknown, runs: number) => unknown) | undefined;

  constructor(sent: SentSpec) {
    const { timeout, resultLimit = Infinity, concurrency = 1, items = false, travels = false, detached = false } = sent;
    this.timeout = timeout;
    this.resultLimit = resultLimit;
    this.concurrency = concurrency;
    this.items = items;
    this.travels = travels;
    this.detached = detached;
    this.#retryIf = sent.retryIf;
  }

  async open(host: EngineHost): Promise<void> {
    if (this.#retryIf && !this.#test) this.#test = await host.open(this.#retryIf as Parcel<any>);
  }

  get needsOpening(): boolean {
    return this.#retryIf !== undefined && !this.#test;
  }

  /** May what has failed so be tried again? */
  retriable(error: unknown, runs: number): boolean {
    if (!this.#test) return true;
    try {
      return Boolean(this.#test(error, runs));
    } catch {
      return false;
    }
  }
}

export class Functions {
  #host: EngineHost;
  #fns = new Map<number, Fn>();
  #specs = new Map<number, Spec>();

  constructor(host: EngineHost) {
    this.#host = host;
  }

  learn({ newFns, newSpecs }: Orders): void {
    for (const [number, parcel, name] of newFns) this.#fns.set(number, new Fn(parcel, name));
    for (const [number, spec] of newSpecs) this.#specs.set(number, new Spec(spec));
  }

  fn(number: number): Fn {
    return this.#fns.get(number)!;
  }
  spec(number: number): Spec {
    return this.#specs.get(number)!;
  }

  open(fn: Fn): Promise<void> {
    fn.opened ??= this.#host.open(fn.parcel).then((value) => {
      fn.call = value as Fn['call'];
      fn.open = true;
    });
    return fn.opened;
  }

  forget(number: number): void {
    this.#fns.delete(number);
  }
}
