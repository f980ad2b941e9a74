/** What tasks have in common is sent once: functions, and the ways in which tasks are to be handled. */
import { CancelledError, type ClientHost, type Parcel } from '../../../core/index.ts';
import type { Spec } from '../messages.ts';
import type { FarmOptions } from '../options.ts';
import type { Desk } from './desk.ts';

/** Functions whose variables change are sent anew; so many of them are known at a time. */
const FNS = 1_000;
/** Ways of handling tasks that are known at a time. */
const SPECS = 1_000;

type Callable = (...args: any[]) => unknown;

interface Sent {
  id: number;
  parcel: Parcel;
  constant: boolean;
}

export class Registry {
  #host: ClientHost;
  #desk: Desk;
  #sent = new WeakMap<object, Sent>();
  /** Functions that have captured nothing, by what they are: each evaluation of an expression makes another object of them. */
  #constants = new Map<string, Sent>();
  #specs = new Map<string, number>();
  /** Ids that may be forgotten, oldest first. */
  #passing: number[] = [];
  #nextFn = 0;
  #nextSpec = 0;
  #generation = 0;

  constructor(host: ClientHost, desk: Desk) {
    this.#host = host;
    this.#desk = desk;
  }

  /** The function's number; its captured variables are read now. */
  fn(fn: Callable): number {
    const before = this.#sent.get(fn);
    if (before?.constant) return before.id;
    const parcel = this.#host.parcel(fn);
    if (before && same(before.parcel, parcel)) return before.id;
    if (this.#host.isConstant(fn)) return this.#constant(fn, parcel);
    const id = this.#define(fn, parcel);
    this.#sent.set(fn, { id, parcel, constant: false });
    this.#pass(id);
    return id;
  }

  /** As it is now, for as long as this client is there. */
  snapshot(fn: Callable): number {
    return this.#define(fn, this.#host.parcel(fn));
  }

  /** Its number is given, and it is sent, when the first task needs it. */
  spec(options: FarmOptions, more: Partial<Spec> = {}): { id(): number } {
    // Engines that a function picks may be others each time.
    const changes = typeof options.targets === 'function';
    let known: number | undefined;
    let generation = -1;
    return {
      id: () => {
        if (known !== undefined && !changes && generation === this.#generation) return known;
        known = this.#spec(options, more);
        generation = this.#generation;
        return known;
      },
    };
  }

  #spec(options: FarmOptions, more: Partial<Spec>): number {
    const { after, follow, signal, targets, retryIf, backoff, ...rest } = options;
    const named =
      typeof targets === 'function'
        ? this.#host.client.engines.filter((e) => e.state !== 'lost' && targets(e)).map(({ id }) => id)
        : targets;
    const spec: Spec = {
      attempts: 1,
      priority: 0,
      ...defined(rest),
      ...(named && { targets: named }),
      ...(backoff !== undefined && { backoff: pauses(backoff) }),
      // They must not depend on the engine; nor on this client.
      ...(rest.detached || rest.memo ? { travels: true } : {}),
      ...more,
    };
    const name = `${JSON.stringify(spec)} ${retryIf ? this.fn(retryIf) : ''}`;
    let id = this.#specs.get(name);
    if (id === undefined) {
      if (this.#specs.size >= SPECS) this.#forgetSpecs();
      id = ++this.#nextSpec;
      this.#specs.set(name, id);
      this.#desk.specify(id, retryIf ? { ...spec, retryIf: this.#host.parcel(retryIf) as Parcel } : spec);
    }
    return id;
  }

  #constant(fn: Callable, parcel: Parcel<unknown>): number {
    const name = `${parcel.code.join()} ${fn.name}`;
    let sent = this.#constants.get(name);
    if (!sent) {
      sent = { id: this.#define(fn, parcel), parcel, constant: true };
      this.#constants.set(name, sent);
      if (this.#constants.size > FNS) {
        const [oldest, { id }] = this.#constants.entries().next().value!;
        this.#constants.delete(oldest);
        this.#desk.forget(id);
      }
    }
    this.#sent.set(fn, sent);
    return sent.id;
  }

  async cancelAll(reason: string): Promise<number> {
    const calls = this.#desk.calls();
    await Promise.all(
      calls.map((call) => {
        this.#desk.takerOf(call)?.fail(new CancelledError(reason));
        return this.#desk.stop(call, 'cancel', reason);
      }),
    );
    return calls.length;
  }

  #define(fn: Callable, parcel: Parcel<unknown>): number {
    const id = ++this.#nextFn;
    this.#desk.define({ id, name: fn.name || 'a function', parcel });
    return id;
  }

  /** Farms that use one of them send it again. */
  #forgetSpecs(): void {
    this.#generation++;
    this.#specs.clear();
    this.#desk.forgetSpecs(this.#nextSpec);
  }

  /** Tasks that were submitted with it keep it. */
  #pass(id: number): void {
    this.#passing.push(id);
    if (this.#passing.length > FNS) this.#desk.forget(this.#passing.shift()!);
  }
}

function pauses(backoff: NonNullable<FarmOptions['backoff']>): NonNullable<Spec['backoff']> {
  const { first = 100, factor = 2, most = 30_000 } = typeof backoff === 'number' ? { first: backoff } : backoff;
  return [first, factor, most];
}

function defined<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}

function same(a: Parcel<unknown>, b: Parcel<unknown>): boolean {
  const [x, y] = [a.payload.parts, b.payload.parts];
  return x.length === y.length && x.every((part, i) => equal(part, y[i]!)) && !a.needs.length && !b.needs.length;
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
