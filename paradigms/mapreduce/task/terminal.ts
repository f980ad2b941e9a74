/** Where what a task emits ends up: in the shuffle, on its engine, in part files, or in a sample. */
import type { OutputName } from '../messages.ts';
import { type OutputSpec, openPart } from '../output/index.ts';
import { RunFiller } from '../records/run.ts';
import type { Emit } from './context.ts';
import { Stop } from './link.ts';
import type { ShuffleWriter } from './shuffle-writer.ts';
import type { Store } from './store.ts';

export interface Terminal {
  readonly emit: Emit;
  readonly emitTo?: ((name: string, key: unknown, value: unknown) => void) | undefined;
  /** Emitted so far. */
  readonly records: number;
  /** There is room again. */
  drain(): void | Promise<void>;
  end(): Promise<{ bytes: number }>;
  /** The task has failed. */
  abort(): Promise<void>;
}

type Shelving = ReturnType<Store['begin']>;

export function intoShuffle(writer: ShuffleWriter, shelving: Shelving, name: OutputName): Terminal {
  return {
    emit: writer.emit,
    get records() {
      return writer.records;
    },
    drain: () => undefined,
    async end() {
      const partitions = writer.end();
      shelving.keep(name, partitions);
      return { bytes: partitions.flat().reduce((sum, run) => sum + run.bytes, 0) };
    },
    async abort() {
      shelving.drop();
    },
  };
}

export function ontoEngine(shelving: Shelving, name: OutputName): Terminal {
  const filler = new RunFiller(shelving.shelf);
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
    async end() {
      const run = filler.end();
      shelving.keep(name, [[run]]);
      return { bytes: run.bytes };
    },
    async abort() {
      shelving.drop();
    },
  };
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
    async end() {
      // Another attempt may have been first: its files are the same.
      await writer.commit();
      return { bytes: 0 };
    },
    abort: () => writer.abort(),
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
    end: async () => ({ bytes: 0 }),
    abort: async () => {},
  };
}
