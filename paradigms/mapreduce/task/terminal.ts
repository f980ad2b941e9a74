/** Where what a task emits ends up: in the shuffle, on its engine, in part files, or in a sample. */
import type { TaskDone } from '../messages.ts';
import { type OutputSpec, openPart } from '../output/index.ts';
import { RunFiller, type Shelf } from '../records/run.ts';
import type { Emit } from './context.ts';
import { Stop } from './link.ts';
import type { ShuffleWriter } from './shuffle-writer.ts';
import type { Partitions } from './store.ts';

export interface Terminal {
  readonly emit: Emit;
  readonly emitTo?: ((name: string, key: unknown, value: unknown) => void) | undefined;
  /** Emitted so far. */
  readonly records: number;
  /** There is room again. */
  drain(): void | Promise<void>;
  /** All has been emitted. How many bytes that is, as far as they count. */
  end(): number;
  /** For counters, by name. */
  counts(): Record<string, number>;
  /** It becomes the task's output. */
  keep(done: TaskDone): Promise<void>;
  /** The task has failed. */
  drop(): Promise<void>;
}

/** Who keeps runs, by partition, as the output of a task. */
export interface Keeper {
  readonly shelf: Shelf;
  keep(partitions: Partitions, done: TaskDone): void;
  drop(): void;
}

export function intoShuffle(writer: ShuffleWriter, keeper: Keeper): Terminal {
  let partitions: Partitions = [];
  return {
    emit: writer.emit,
    get records() {
      return writer.records;
    },
    drain: () => undefined,
    end() {
      partitions = writer.end();
      return bytesOf(partitions);
    },
    counts: () => writer.counts(),
    keep: async (done) => keeper.keep(partitions, done),
    drop: async () => keeper.drop(),
  };
}

/** One run, as it comes. */
export function ontoEngine(keeper: Keeper): Terminal {
  const filler = new RunFiller(keeper.shelf);
  let partitions: Partitions = [];
  let records = 0;
  return {
    emit(key, value) {
      records++;
      filler.add(key, value);
    },
    get records() {
      return records;
    },
    drain: () => undefined,
    end() {
      partitions = [[filler.end()]];
      return bytesOf(partitions);
    },
    counts: () => ({}),
    keep: async (done) => keeper.keep(partitions, done),
    drop: async () => keeper.drop(),
  };
}

function bytesOf(partitions: Partitions): number {
  return partitions.flat().reduce((sum, run) => sum + run.bytes, 0);
}

/** Into the files of this attempt, which become the part's when it ends. */
export function intoParts(spec: OutputSpec, of: { part: number; attempt: number }): Terminal {
  const writer = openPart(spec, of);
  let records = 0;
  return {
    emit(key, value) {
      records++;
      writer.write(key, value);
    },
    emitTo: (name, key, value) => writer.write(key, value, name),
    get records() {
      return records;
    },
    drain: () => writer.drain(),
    end: () => 0,
    counts: () => ({}),
    // Another attempt may have been first: its files are the same.
    keep: async () => void (await writer.commit()),
    drop: () => writer.abort(),
  };
}

/** Some of the keys, evenly from all that are emitted; with `most`, of so many at the beginning. */
export function intoSample(size: number, most: number): Terminal & { readonly keys: unknown[] } {
  let keys: unknown[] = [];
  let stride = 1;
  let seen = 0;
  return {
    get keys() {
      return keys;
    },
    emit(key) {
      if (seen++ % stride === 0) keys.push(key);
      if (keys.length === 2 * size) {
        keys = keys.filter((_, i) => i % 2 === 0);
        stride *= 2;
      }
      if (seen >= most) throw new Stop('Enough');
    },
    get records() {
      return seen;
    },
    drain: () => undefined,
    end: () => 0,
    counts: () => ({}),
    keep: async () => {},
    drop: async () => {},
  };
}
