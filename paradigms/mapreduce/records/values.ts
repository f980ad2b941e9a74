/** The values of a key, as combine and reduce get them: `for … of` and `for await … of`, as often as wanted. */
import { decodeBlock } from './block.ts';
import type { Run } from './run.ts';

export interface Values<V> extends Iterable<V>, AsyncIterable<V> {}

export class ValuesInMemory<V> implements Values<V> {
  readonly #values: readonly V[];

  constructor(values: readonly V[]) {
    this.#values = values;
  }

  [Symbol.iterator](): Iterator<V> {
    return this.#values[Symbol.iterator]();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<V> {
    yield* this.#values;
  }
}

/** Too many for the memory: they are read block by block. */
export class ValuesOnDisk<V> implements Values<V> {
  readonly #run: Run;

  constructor(run: Run) {
    this.#run = run;
  }

  *[Symbol.iterator](): Generator<V> {
    for (let i = 0; i < this.#run.blocks; i++) yield* decodeBlock(this.#run.block(i)).values as V[];
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<V> {
    for (const value of this) yield value;
  }
}
