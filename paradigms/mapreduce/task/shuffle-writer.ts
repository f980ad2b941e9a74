/** The map side of a shuffle: gathers what is emitted, and leaves it by partition, in sorted runs. */
import type { Step } from '../plan.ts';
import { BLOCK } from '../records/block.ts';
import type { Compare } from '../records/keys.ts';
import { orderOf } from '../records/order.ts';
import { type Run, RunWriter, type Shelf } from '../records/run.ts';
import { owned, Scale } from '../records/size.ts';
import { CombiningTable } from './combining-table.ts';
import type { Context, Emit } from './context.ts';
import type { Partitioner } from './partitioner.ts';

export interface ShuffleWriterOptions {
  readonly step: Step;
  readonly partitioner: Partitioner;
  readonly compare: Compare;
  readonly shelf: Shelf;
  /** Bytes that may be gathered before they are sorted and put away. */
  readonly buffer: number;
  /** For the combiner: its `emit` is the table's. */
  context(emit: Emit): Context;
}

interface Columns {
  keys: unknown[];
  values: unknown[];
  bytes: number;
}

export class ShuffleWriter {
  readonly #options: ShuffleWriterOptions;
  readonly #table: CombiningTable | undefined;
  readonly #runs: Run[][];
  readonly #scale = new Scale();
  #columns: Columns[];
  #bytes = 0;
  #records = 0;
  /** Of these, and of what a combiner has made of them, those that are put away. */
  #combined = 0;
  #spilled = 0;
  /** What came of a step that failed must not look whole. */
  #failure: { error: unknown } | undefined;

  constructor(options: ShuffleWriterOptions) {
    this.#options = options;
    const { reducers, combine } = options.step;
    this.#runs = Array.from({ length: reducers }, () => []);
    this.#columns = this.#empty();
    if (combine) {
      const table: CombiningTable = new CombiningTable((key, values) => combine(key, values, context));
      const context = options.context(table.emit);
      this.#table = table;
    }
    this.emit = this.#table ? this.#emitToTable : this.#emitToColumns;
  }

  readonly emit: (key: unknown, value: unknown) => void;

  get records(): number {
    return this.#records;
  }

  readonly #emitToTable = (key: unknown, value: unknown): void => {
    const table = this.#table!;
    this.#records++;
    table.add(key, value);
    if (table.bytes > this.#options.buffer) this.#guard(() => this.#relieve(table));
  };

  readonly #emitToColumns = (key: unknown, value: unknown): void => {
    this.#records++;
    this.#put(key, value);
    if (this.#bytes > this.#options.buffer) this.#guard(() => this.#sortOut());
  };

  #put(key: unknown, value: unknown): void {
    const columns = this.#columns[this.#options.partitioner(key)]!;
    columns.keys.push(owned(key));
    columns.values.push(owned(value));
    const bytes = this.#scale.weigh(key) + this.#scale.weigh(value);
    columns.bytes += bytes;
    this.#bytes += bytes;
  }

  /** Combining may be enough. */
  #relieve(table: CombiningTable): void {
    table.shrink();
    if (table.bytes > this.#options.buffer >> 1) this.#sortOut();
  }

  #sortOut(): void {
    this.#table?.take((key, value) => {
      this.#combined++;
      this.#put(key, value);
    });
    const columns = this.#columns;
    this.#columns = this.#empty();
    this.#bytes = 0;
    columns.forEach((one, partition) => {
      if (one.keys.length) this.#runs[partition]!.push(this.#sorted(one));
    });
  }

  #sorted({ keys, values, bytes }: Columns): Run {
    const { compare, shelf } = this.#options;
    const order = orderOf(keys, compare);
    const writer = new RunWriter(shelf);
    const each = Math.max(1, Math.floor((keys.length * BLOCK) / bytes));
    for (let from = 0; from < order.length; from += each) {
      const part = order.subarray(from, from + each);
      writer.write(picked(keys, part), picked(values, part));
    }
    this.#spilled += writer.spilled;
    return writer.end();
  }

  /** The function that emits must not go on as if nothing had happened, should it catch this. */
  #guard(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#failure ??= { error };
      throw error;
    }
  }

  /** What is left is sorted out. By partition. */
  end(): Run[][] {
    if (this.#failure) throw this.#failure.error;
    this.#sortOut();
    return this.#runs;
  }

  /** By name. */
  counts(): Record<string, number> {
    return {
      ...(this.#table && { 'combine records in': this.#records, 'combine records out': this.#combined }),
      ...(this.#spilled && { 'bytes spilled': this.#spilled }),
    };
  }

  #empty(): Columns[] {
    return Array.from({ length: this.#options.step.reducers }, () => ({ keys: [], values: [], bytes: 0 }));
  }
}

function picked(values: readonly unknown[], order: Uint32Array): unknown[] {
  const list = new Array<unknown>(order.length);
  for (let i = 0; i < order.length; i++) list[i] = values[order[i]!];
  return list;
}
