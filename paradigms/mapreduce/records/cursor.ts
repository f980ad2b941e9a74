/** One run while it is being read, and runs that lie elsewhere. */
import { type Block, decodeBlock } from './block.ts';
import type { Run } from './run.ts';

/** Gives blocks in their order: at once, where they are here. Undefined after the last one. The next one may take a block's memory. */
export interface BlockSource {
  next(): Uint8Array | undefined | Promise<Uint8Array | undefined>;
}

export function blocksOf(run: Run): BlockSource {
  const into = { bytes: new Uint8Array(0) };
  let index = 0;
  return { next: () => (index < run.blocks ? run.block(index++, into) : undefined) };
}

export class Cursor {
  /** Place among the runs: of equal keys that of the first run comes first. */
  readonly rank: number;
  key: unknown;
  value: unknown;
  #source: BlockSource;
  #block: Block = { keys: [], values: [] };
  #at = 0;

  constructor(rank: number, source: BlockSource) {
    this.rank = rank;
    this.#source = source;
  }

  /** To the next record of the block. False: `load` comes first. */
  step(): boolean {
    const at = ++this.#at;
    const { keys, values } = this.#block;
    if (at >= keys.length) return false;
    this.key = keys[at];
    this.value = values[at];
    return true;
  }

  /** To the first record of the next block. False: there is none. */
  load(): boolean | Promise<boolean> {
    const bytes = this.#source.next();
    return bytes instanceof Promise ? bytes.then((come) => this.#enter(come)) : this.#enter(bytes);
  }

  #enter(bytes: Uint8Array | undefined): boolean {
    if (!bytes) {
      this.#block = { keys: [], values: [] };
      return false;
    }
    this.#block = decodeBlock(bytes);
    this.#at = -1;
    return this.step();
  }
}
