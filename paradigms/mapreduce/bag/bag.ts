import { UsageError } from '../../../core/index.ts';
import { type OutputOptions, outputTo } from '../output/index.ts';
import { compareKeys } from '../records/keys.ts';
import type { Source } from '../sources/index.ts';
import type { JobSpec, JobSummary } from '../types.ts';
import { type BagOptions, Execution, isNarrow, type Run } from './execution.ts';
import { type End, FIRST, type Node, SECOND } from './graph.ts';
import type { Op, Out } from './ops.ts';
import { takeFromSplits } from './take.ts';
import type { Bag, Reducers, SortOptions } from './types.ts';
import { cogrouping, dealing, distinct, grouping, type JoinKind, joining, reducing, sorting } from './wide.ts';

type Any = (...args: any[]) => any;

class LazyBag {
  readonly #run: Run;
  readonly #options: BagOptions;
  readonly #node: Node;
  /** Made by a method that gives pairs. */
  readonly #keyed: boolean;

  constructor(run: Run, options: BagOptions, node: Node, keyed = false) {
    this.#run = run;
    this.#options = options;
    this.#node = node;
    this.#keyed = keyed;
  }

  map(f: Any): LazyBag {
    return this.#narrow({ kind: 'map', f: fn('map', f) });
  }

  flatMap(f: Any): LazyBag {
    return this.#narrow({ kind: 'flatMap', f: fn('flatMap', f) });
  }

  filter(f: Any): LazyBag {
    return this.#narrow({ kind: 'filter', f: fn('filter', f) }, this.#keyed);
  }

  mapPartitions(f: Any): LazyBag {
    return this.#narrow({ kind: 'partitions', f: fn('mapPartitions', f) });
  }

  keyBy(f: Any): LazyBag {
    fn('keyBy', f);
    const paired = (record: unknown) => {
      const key = f(record);
      return typeof key?.then === 'function' ? key.then((it: unknown) => [it, record]) : [key, record];
    };
    return this.#narrow({ kind: 'map', f: paired }, true);
  }

  keys(): LazyBag {
    return this.#narrow(FIRST);
  }

  values(): LazyBag {
    return this.#narrow(SECOND);
  }

  mapValues(f: Any): LazyBag {
    fn('mapValues', f);
    const mapped = ([key, value]: [unknown, unknown]) => {
      const made = f(value);
      return typeof made?.then === 'function' ? made.then((it: unknown) => [key, it]) : [key, made];
    };
    return this.#narrow({ kind: 'map', f: mapped }, true);
  }

  reduceByKey(f: Any, options?: Reducers): LazyBag {
    return this.#byKey('reduceByKey', reducing(fn('reduceByKey', f)), options);
  }

  aggregateByKey(zero: Any, add: Any, merge: Any, options?: Reducers): LazyBag {
    for (const f of [zero, add, merge]) fn('aggregateByKey', f);
    return this.mapValues((value: unknown) => add(zero(), value)).#byKey('aggregateByKey', reducing(merge), options);
  }

  groupByKey(options?: Reducers): LazyBag {
    return this.#byKey('groupByKey', grouping(), options);
  }

  join(other: unknown, how: JoinKind = 'inner', options?: Reducers): LazyBag {
    if (!['inner', 'left', 'right', 'full'].includes(how))
      throw new UsageError(`join: how is one of inner, left, right, full; got ${JSON.stringify(how)}`);
    return this.#wide(this.#sides('join', other), joining(how), options, [], true);
  }

  cogroup(other: unknown, options?: Reducers): LazyBag {
    return this.#wide(this.#sides('cogroup', other), cogrouping(), options, [], true);
  }

  sortByKey(options?: SortOptions<any>): LazyBag {
    return this.#sort((pair: [unknown, unknown]) => pair[0], options, this.#keyed);
  }

  sortBy(f: Any, options?: SortOptions<any>): LazyBag {
    return this.#sort(fn('sortBy', f), options, this.#keyed);
  }

  distinct(options?: Reducers): LazyBag {
    return this.#wide([this.#end({ kind: 'key' })], distinct(), options, [FIRST], this.#keyed);
  }

  sample(fraction: number, seed = 1): LazyBag {
    if (!(fraction >= 0 && fraction <= 1)) throw new UsageError(`sample takes a part from 0 to 1; got ${fraction}`);
    return this.#narrow({ kind: 'sample', fraction, seed: whole('sample: the seed', seed) }, this.#keyed);
  }

  zipWithIndex(): LazyBag {
    return this.#with({ kind: 'ordered', parent: this.#node, accumulate: undefined }, true);
  }

  accumulate(f: Any): LazyBag {
    return this.#with({ kind: 'ordered', parent: this.#node, accumulate: fn('accumulate', f) }, false);
  }

  union(...others: unknown[]): LazyBag {
    const bags = others.map((other) => bagIn('union', other));
    const keyed = [this, ...bags].every((bag) => bag.#keyed);
    return this.#with({ kind: 'union', parents: [this, ...bags].map((bag) => bag.#node) }, keyed);
  }

  repartition(partitions: number): LazyBag {
    whole('repartition: the number of partitions', partitions, 1);
    return this.#wide([this.#end({ kind: 'turns', n: partitions })], dealing(partitions), {}, [SECOND], this.#keyed);
  }

  async collect(): Promise<any[]> {
    await using execution = this.#execution();
    return await execution.records(this.#end({ kind: 'record' }));
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<any> {
    await using execution = this.#execution();
    yield* execution.each(this.#end({ kind: 'record' }));
  }

  async take(n: number): Promise<any[]> {
    whole('take: how many', n);
    if (n === 0) return [];
    if (isNarrow(this.#node)) return takeFromSplits(this.#node, n, this.#run, this.#options);
    const taken: unknown[] = [];
    for await (const record of this.#narrow({ kind: 'take', n })) if (taken.push(record) === n) break;
    return taken;
  }

  async topK(n: number, compare: Any = largerFirst): Promise<any[]> {
    whole('topK: how many', n);
    fn('topK', compare);
    const order = (a: unknown, b: unknown): number => compare(b, a);
    const best = await this.#narrow({ kind: 'top', n, compare: order }).collect();
    return best.sort(order).slice(0, n);
  }

  count(): Promise<number> {
    return this.fold(
      () => 0,
      (sum: number) => sum + 1,
      (a: number, b: number) => a + b,
    );
  }

  async fold(zero: Any, add: Any, merge: Any): Promise<any> {
    for (const f of [zero, add, merge]) fn('fold', f);
    const sums = await this.#narrow({ kind: 'fold', zero, add }).collect();
    return sums.length > 0 ? sums.reduce((a, b) => merge(a, b)) : zero();
  }

  async to(dir: string, options?: OutputOptions): Promise<JobSummary> {
    const output = outputTo(dir, options);
    await using execution = this.#execution();
    return await execution.write(this.#end(this.#keyed ? { kind: 'pair', what: 'to' } : { kind: 'record' }), output);
  }

  async keep(): Promise<LazyBag & AsyncDisposable> {
    const execution = this.#execution();
    try {
      const kept = await execution.keep(this.#end({ kind: 'record' }));
      const close = async (): Promise<void> => {
        await kept.close();
        await execution[Symbol.asyncDispose]();
      };
      return Object.assign(this.#with({ kind: 'kept', kept }, this.#keyed), { close, [Symbol.asyncDispose]: close });
    } catch (error) {
      await execution[Symbol.asyncDispose]();
      throw error;
    }
  }

  #execution(): Execution {
    return new Execution(this.#run, this.#options);
  }

  #end(out: Out): End {
    return { node: this.#node, out };
  }

  #with(node: Node, keyed: boolean): LazyBag {
    return new LazyBag(this.#run, this.#options, node, keyed);
  }

  #narrow(op: Op, keyed = false): LazyBag {
    return this.#with({ kind: 'narrow', parent: this.#node, op }, keyed);
  }

  #wide(
    inputs: readonly End[],
    step: JobSpec,
    { reducers }: Reducers = {},
    then: readonly Op[] = [],
    keyed = false,
  ): LazyBag {
    if (reducers !== undefined) whole('reducers', reducers, 1);
    return this.#with({ kind: 'wide', inputs, step: { ...step, ...(reducers && { reducers }) }, then }, keyed);
  }

  #byKey(what: string, step: JobSpec, options: Reducers | undefined): LazyBag {
    return this.#wide([this.#end({ kind: 'pair', what })], step, options, [], true);
  }

  #sides(what: string, other: unknown): End[] {
    return [this, bagIn(what, other)].map((bag, side) => bag.#end({ kind: 'side', what, side }));
  }

  #sort(f: Any, { compare = compareKeys, descending, ...options }: SortOptions<any> = {}, keyed: boolean): LazyBag {
    return this.#wide([this.#end({ kind: 'by', f })], sorting(compare, descending), options, [SECOND], keyed);
  }
}

function largerFirst(a: any, b: any): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function fn<F>(what: string, f: F): F {
  if (typeof f !== 'function') throw new UsageError(`${what} takes a function; got ${f === null ? 'null' : typeof f}`);
  return f;
}

function whole(what: string, n: number, least = 0): number {
  if (!Number.isSafeInteger(n) || n < least)
    throw new UsageError(`${what} is a whole number, ${least} or more; got ${n}`);
  return n;
}

function bagIn(what: string, other: unknown): LazyBag {
  if (!(other instanceof LazyBag))
    throw new UsageError(`${what} takes another bag; got ${other === null ? 'null' : typeof other}`);
  return other;
}

/** @param run starts jobs */
export function bagsOn(run: Run) {
  return <T>(source: Source<T>, options: BagOptions = {}): Bag<T> =>
    new LazyBag(run, options, { kind: 'source', source }) as unknown as Bag<T>;
}
