/** The functions of a stage, one behind the other: what one emits is what the next one is called with. */

import { BUILT_IN } from '../counters.ts';
import { MapReduceError } from '../errors.ts';
import type { Op, Plan, Stage } from '../plan.ts';
import type { Values } from '../records/values.ts';
import type { Counters } from '../types.ts';
import { Context, type Emit, isThenable, type Reading, type TaskFacts } from './context.ts';
import { Link, Stop } from './link.ts';
import { Skipper } from './skipper.ts';
import type { Terminal } from './terminal.ts';

interface Part {
  readonly op: Op;
  readonly context: Context;
  /** Of a map that is more than passing on. */
  readonly link: Link | undefined;
}

export interface ChainOptions {
  readonly plan: Plan;
  readonly stage: Stage;
  readonly facts: Omit<TaskFacts, 'reading'>;
  readonly terminal: Terminal;
  /** Which of the inputs it reads. */
  readonly input: number;
  readonly reading: Reading;
}

export class Chain {
  readonly #parts: Part[] = [];
  readonly #plan: Plan;
  readonly #terminal: Terminal;
  #begun = 0;
  #groups = 0;

  constructor({ plan, stage, facts, terminal, input, reading }: ChainOptions) {
    this.#plan = plan;
    this.#terminal = terminal;
    let emit: Emit = terminal.emit;
    for (const [i, op] of [...stage.ops.entries()].reverse()) {
      const { skipBadRecords, map } = plan.steps[op.step]!;
      const last = i === stage.ops.length - 1;
      const first = i === 0 && op.phase === 'map';
      const fn = op.phase === 'reduce' ? undefined : first ? (plan.maps[input] ?? map ?? identity) : map;
      const most = skipBadRecords === true ? Number.POSITIVE_INFINITY : Number(skipBadRecords ?? 0);
      const skipper = fn && most ? new Skipper(emit, most) : undefined;
      const emitTo = last ? terminal.emitTo : undefined;
      const context = new Context(op, { ...facts, reading }, skipper?.emit ?? emit, { emitTo });
      const link = fn && new Link(skipper?.calling(fn, context) ?? ((record) => fn(record, context)), context);
      this.#parts.unshift({ op, context, link });
      emit = link ? link.push : emit;
    }
  }

  /** Calls each `setup`. */
  async begin(): Promise<void> {
    for (const { op, context } of this.#parts) {
      this.#begun++;
      const { setup } = this.#plan.steps[op.step]!;
      if (setup) context.state = await setup(context);
    }
    await this.#settle(0);
  }

  /** Of a stage that begins with a map. */
  async records(records: readonly unknown[]): Promise<void> {
    const { link } = this.#parts[0]!;
    const later = link!.take(records);
    if (later) await later;
    await this.#settle(1);
  }

  /** Of a stage that begins with a reduce. */
  group(key: unknown, values: Values<unknown>): void | Promise<void> {
    this.#groups++;
    const { op, context } = this.#parts[0]!;
    const { reduce } = this.#plan.steps[op.step]!;
    if (!reduce) {
      for (const value of values) context.emit(key, value);
      return this.#settle(1);
    }
    let returned: unknown;
    try {
      returned = reduce(key, values, context);
    } catch (error) {
      throw failedAt(key, error);
    }
    if (isThenable(returned)) return this.#reduced(key, context, returned);
    if (returned !== undefined) context.emit(key, returned);
    return this.#settle(1);
  }

  async #reduced(key: unknown, context: Context, pending: PromiseLike<unknown>): Promise<void> {
    let returned: unknown;
    try {
      returned = await pending;
    } catch (error) {
      throw failedAt(key, error);
    }
    if (returned !== undefined) context.emit(key, returned);
    await this.#settle(1);
  }

  /** Calls each `teardown`, from the first to the last: what it emits still goes on. After a failure, of those that have begun. Once. */
  async end(failed: boolean): Promise<void> {
    let thrown: { error: unknown } | undefined;
    const begun = this.#begun;
    this.#begun = 0;
    for (const [i, { op, context }] of this.#parts.slice(0, begun).entries()) {
      try {
        await this.#plan.steps[op.step]!.teardown?.(context);
        if (!failed) await this.#settle(i + 1);
      } catch (error) {
        thrown ??= { error };
      }
    }
    if (thrown && !failed) throw thrown.error;
  }

  /** By step. */
  counters(): (readonly [step: number, counters: Counters])[] {
    return this.#parts.map(({ op: { phase, step }, context, link }, i) => {
      const next = this.#parts.slice(i + 1).find((part) => part.link)?.link;
      const emitted = next ? next.count : this.#terminal.records;
      const count = (name: string, n: number): void => context.tally.add(BUILT_IN, `${phase} ${name}`, n);
      if (phase === 'reduce') count('keys in', this.#groups);
      if (link) count('records in', link.count);
      count('records out', emitted);
      return [step, context.tally.counts] as const;
    });
  }

  /** All that waits from this part on, and at the end. Nothing to wait for: at once. */
  #settle(from: number): void | Promise<void> {
    for (let i = from; i < this.#parts.length; i++) {
      const later = this.#parts[i]!.link?.settle();
      if (later) return this.#settleLater(later, i + 1);
    }
    return this.#terminal.drain();
  }

  async #settleLater(later: Promise<void>, from: number): Promise<void> {
    await later;
    await this.#settle(from);
  }
}

/** What is not mapped is taken for what a former job has made. */
function identity(record: unknown, { emit }: Pick<Context, 'emit'>): void {
  if (!Array.isArray(record) || record.length !== 2)
    throw new TypeError('a job without map takes records that are [key, value]');
  emit(record[0], record[1]);
}

function failedAt(key: unknown, error: unknown): unknown {
  if (error instanceof MapReduceError || error instanceof Stop) return error;
  const what = error instanceof Error ? `${error.name}: ${error.message}` : `it threw ${String(error)}`;
  return new MapReduceError(`reduce failed at the key ${String(key).slice(0, 80)}: ${what}`, { cause: error });
}
