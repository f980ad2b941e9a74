/** A space as programs use it: in clients, and on engines. */
import type { Observable, Observer } from 'rxjs';
import { SessionLostError, UsageError } from '../../core/index.ts';
import { Consumption } from './consumption.ts';
import type { Held, Link } from './link.ts';
import { checkedOptions, requestOptions } from './options.ts';
import { EVENT_KINDS, type EventForm, type ExchangeForm, Op, type OpenOptions } from './protocol.ts';
import { HeldTuple } from './reservation.ts';
import { sealTemplate, sealTuple } from './sealing.ts';
import type {
  AllOptions,
  ConsumeOptions,
  Entry,
  LeaseOptions,
  MatchOptions,
  OutOptions,
  SpaceEvent,
  SpaceInfo,
  TupleSpace,
  WaitOptions,
  WatchOptions,
} from './types.ts';

/** What differs between clients and engines. */
export interface Surroundings {
  /** Of rxjs, which engines do without. */
  readonly observable: <T>(subscribe: (observer: Observer<T>) => () => void) => Observable<T>;
  /** Computes live tuples. */
  readonly live?: Evaluate;
  readonly ambient?: () => AbortSignal | undefined;
}

type Evaluate = (space: TupleSpace, tuple: any, options?: OutOptions) => Promise<Entry>;

const WAITS = ['timeout', 'signal', 'exact'];

export class ClientSpace implements TupleSpace<any> {
  readonly name: string;
  readonly #link: Link;
  readonly #options: OpenOptions;
  /** Waits end with it, unless they say otherwise: the task that runs. */
  readonly #ambient: () => AbortSignal | undefined;
  readonly #observable: Surroundings['observable'];
  readonly #live: Evaluate | undefined;
  #opened: number | undefined;
  readonly #putting = {
    decisive: true,
    make: (id: number): Entry => new PutEntry(this.#link, this.#handle, id),
  };

  constructor(
    name: string,
    link: Link,
    options: OpenOptions,
    { observable, live, ambient = () => undefined }: Surroundings,
  ) {
    this.name = name;
    this.#link = link;
    this.#options = options;
    this.#ambient = ambient;
    this.#observable = observable;
    this.#live = live;
  }

  out(tuple: unknown, options?: OutOptions): Promise<Entry> {
    return this.#promised(() => {
      const form = sealTuple(tuple, this.#link.sealer);
      if (options === undefined) return this.#call(Op.out, form, NONE, this.#putting);
      const { signal, ...rest } = checkedOptions('out', options, ['lease', 'ack', 'timeout', 'signal']);
      return this.#call(Op.out, form, rest, { ...this.#putting, signal: this.#signal(signal) });
    });
  }

  outMany(tuples: Iterable<unknown>, options?: OutOptions): Promise<Entry[]> {
    return this.#promised(() => {
      const forms = Array.from(tuples, (tuple) => sealTuple(tuple, this.#link.sealer));
      const { signal, ...rest } = checkedOptions('outMany', options, ['lease', 'timeout', 'signal']);
      if (!forms.length) return Promise.resolve([]);
      const make = (ids: number | number[]): Entry[] => [ids].flat().map((id) => this.#putting.make(id));
      return this.#call(Op.outMany, forms, rest, { make, decisive: true, signal: this.#signal(signal) });
    });
  }

  async eval(tuple: any, options?: OutOptions): Promise<Entry> {
    if (this.#live) return this.#live(this, tuple, options);
    throw new UsageError(
      'eval is for clients; code on engines computes its fields itself, or goes through task.client()',
    );
  }

  take(template: any, options?: WaitOptions): Promise<any> {
    return this.#find('take', Op.take, template, options, WAITS);
  }

  read(template: any, options?: WaitOptions): Promise<any> {
    return this.#find('read', Op.read, template, options, WAITS);
  }

  tryTake(template: any, options?: MatchOptions): Promise<any> {
    return this.#find('tryTake', Op.tryTake, template, options, ['exact']);
  }

  tryRead(template: any, options?: MatchOptions): Promise<any> {
    return this.#find('tryRead', Op.tryRead, template, options, ['exact']);
  }

  async takeAll(template?: any, options?: AllOptions): Promise<any[]> {
    return this.#match('takeAll', Op.takeAll, template, options, ['exact', 'limit'], 'tuples');
  }

  async readAll(template?: any, options?: AllOptions): Promise<any[]> {
    return this.#match('readAll', Op.readAll, template, options, ['exact', 'limit'], 'tuples');
  }

  async count(template?: any, options?: MatchOptions): Promise<number> {
    return this.#match('count', Op.count, template, options, ['exact']);
  }

  collect(template: any, to: TupleSpace, options?: MatchOptions): Promise<number> {
    return this.#collect('collect', template, to, false, options);
  }

  copyCollect(template: any, to: TupleSpace, options?: MatchOptions): Promise<number> {
    return this.#collect('copyCollect', template, to, true, options);
  }

  async exchange(takes: any, outs: readonly unknown[], options?: WaitOptions & LeaseOptions): Promise<any> {
    const { signal, ...rest } = checkedOptions('exchange', options, [...WAITS, 'lease']);
    if (!Array.isArray(takes) || !takes.length || !Array.isArray(outs))
      throw new UsageError('exchange takes a list of templates, one at least, and a list of tuples');
    const what: ExchangeForm = {
      takes: takes.map((template) => sealTemplate(template, this.#link.sealer)),
      outs: outs.map((tuple) => sealTuple(tuple, this.#link.sealer)),
    };
    return this.#call(Op.exchange, what, rest, { signal: this.#signal(signal), decisive: true, opens: 'tuples' });
  }

  async reserve(template: any, ms = Number.POSITIVE_INFINITY, options?: WaitOptions): Promise<HeldTuple<any>> {
    checkedOptions('reserve', { hold: ms }, ['hold']);
    const checked = checkedOptions('reserve', options, WAITS);
    return new HeldTuple(this.#link, this.#handle, await this.#hold(template, ms, checked));
  }

  consume(template: any, options?: ConsumeOptions): AsyncIterable<any> {
    const {
      concurrency = 1,
      idle,
      signal,
      ...rest
    } = checkedOptions('consume', options, ['concurrency', 'idle', 'signal', 'exact']);
    return new Consumption({
      concurrency,
      signal: this.#signal(signal),
      take: (stop) =>
        this.#hold(template, Number.POSITIVE_INFINITY, {
          ...rest,
          ...(idle !== undefined && { timeout: idle }),
          signal: stop,
        }),
      settle: ({ request }, taken) => this.#link.settle(request, taken),
      ends: idle !== undefined,
    });
  }

  watch(template?: any, options?: WatchOptions): Observable<SpaceEvent<any>> {
    const { kinds = EVENT_KINDS, lease, exact = false } = checkedOptions('watch', options, ['kinds', 'lease', 'exact']);
    const form = template === undefined ? null : sealTemplate(template, this.#link.sealer);
    return this.#observable((subscriber) => {
      const stop = new AbortController();
      const what = { space: this.#handle, template: form, exact, kinds, ...(lease !== undefined && { lease }) };
      this.#link.flush(); // the space is opened before it is watched
      const events = this.#link.party.stream<EventForm>('watch', what, { signal: stop.signal });
      const read = async (): Promise<void> => {
        let before = 0;
        for await (const [seq, kind, tuple] of events) {
          const opened = await this.#link.opened(tuple);
          subscriber.next({ kind, tuple: opened, seq, missed: seq - before - 1 });
          before = seq;
        }
      };
      read().then(
        () => subscriber.complete(),
        // As the cluster's own events do, it ends with its client.
        (error) => {
          if (error instanceof SessionLostError) subscriber.complete();
          else if (!stop.signal.aborted) subscriber.error(error);
        },
      );
      return () => stop.abort();
    });
  }

  info(): Promise<SpaceInfo> {
    return this.#call(Op.info);
  }

  list(): Promise<SpaceInfo[]> {
    return this.#link.call(Op.list, 0);
  }

  destroy(): Promise<void> {
    return this.#call(Op.destroy);
  }

  /** Opened at the first use: whoever only asks for a list makes no space. */
  get #handle(): number {
    return (this.#opened ??= this.#link.open(this.name, this.#options));
  }

  #hold(template: unknown, ms: number, { signal, ...rest }: WaitOptions): Promise<Held> {
    const form = sealTemplate(template, this.#link.sealer);
    const call = { signal: this.#signal(signal), held: true, opens: 'tuple' as const };
    return this.#call(Op.take, form, { ...rest, hold: ms }, call);
  }

  async #find(
    method: string,
    op: Op,
    template: unknown,
    options: WaitOptions | undefined,
    names: readonly string[],
  ): Promise<any> {
    if (template === undefined) return Promise.reject(new UsageError(`${method} takes a template, e.g. ['job', ANY]`));
    return this.#match(method, op, template, options, names, 'tuple');
  }

  #match(
    method: string,
    op: Op,
    template: unknown,
    options: WaitOptions & AllOptions = NONE,
    names: readonly string[] = [],
    opens?: 'tuple' | 'tuples',
  ): Promise<any> {
    return this.#promised(() => {
      const form = template === undefined ? null : sealTemplate(template, this.#link.sealer);
      const waits = op === Op.take || op === Op.read;
      if (options === NONE && !(waits && this.#ambient())) return this.#call(op, form, NONE, opens && OPENS[opens]);
      const { signal, ...rest } = checkedOptions(method, options, names);
      return this.#call(op, form, rest, { opens, signal: waits ? this.#signal(signal) : undefined });
    });
  }

  async #collect(
    method: string,
    template: unknown,
    to: TupleSpace,
    copies: boolean,
    options: MatchOptions | undefined,
  ): Promise<number> {
    const rest = checkedOptions(method, options, ['exact']);
    if (!(to instanceof ClientSpace) || to.#link !== this.#link)
      throw new UsageError(
        `${method} collects into another space of the same client: client.use(tupleSpace, { name: 'other' })`,
      );
    const what = { template: sealTemplate(template, this.#link.sealer), to: to.#handle, copies };
    return this.#call(Op.collect, what, rest);
  }

  /** What is wrong with the arguments rejects, too. */
  #promised<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return ask();
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #signal(signal: AbortSignal | undefined): AbortSignal | undefined {
    return signal ?? this.#ambient();
  }

  #call<T>(op: Op, what?: unknown, options: object = NONE, call?: Parameters<Link['call']>[4]): Promise<T> {
    return this.#link.call(op, this.#handle, what, options === NONE ? undefined : requestOptions(options), call);
  }
}

const NONE: WaitOptions = {};
const OPENS = { tuple: { opens: 'tuple' }, tuples: { opens: 'tuples' } } as const;

class PutEntry implements Entry {
  readonly id: number;
  readonly #link: Link;
  readonly #handle: number;

  constructor(link: Link, handle: number, id: number) {
    this.#link = link;
    this.#handle = handle;
    this.id = id;
  }

  async renew(lease: number): Promise<boolean> {
    checkedOptions('renew', { lease }, ['lease']);
    return this.#link.call(Op.renew, this.#handle, this.id, requestOptions({ lease }));
  }

  cancel(): Promise<boolean> {
    return this.#link.call(Op.revoke, this.#handle, this.id);
  }
}
