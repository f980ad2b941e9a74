/** A run: records in blocks, in memory or in a temporary file, written once and read as often as needed. */
import { BLOCK, encodeBlock } from './block.ts';
import { owned, Scale } from './size.ts';
import type { SpillFile } from './spill-file.ts';

export interface Run {
  readonly records: number;
  readonly bytes: number;
  readonly blocks: number;
  /** Of its blocks in its file; there are none of those in memory. */
  readonly places: readonly Place[];
  /** @param into memory that may be used for it */
  block(index: number, into?: Memory): Uint8Array;
}

export interface Place {
  readonly at: number;
  readonly size: number;
}

/** Memory that is used again and again. */
export interface Memory {
  bytes: Uint8Array;
}

/** Says whether so many bytes may stay in memory; if not, they go to the file. */
export interface Shelf {
  take(bytes: number): boolean;
  file(): SpillFile;
}

/** What was written to it, block by block. */
export class RunWriter {
  readonly #shelf: Shelf;
  readonly #blocks: (Uint8Array | Place)[] = [];
  #file: SpillFile | undefined;
  #records = 0;
  #bytes = 0;
  #spilled = 0;

  constructor(shelf: Shelf) {
    this.#shelf = shelf;
  }

  /** Bytes of it in the file. */
  get spilled(): number {
    return this.#spilled;
  }

  write(keys: readonly unknown[], values: readonly unknown[]): void {
    if (!keys.length) return;
    const bytes = encodeBlock({ keys, values });
    this.#records += keys.length;
    this.#bytes += bytes.length;
    // Once in the file, all that follows goes there: a run is read from its beginning to its end.
    if (!this.#file && this.#shelf.take(bytes.length)) {
      this.#blocks.push(bytes.slice());
      return;
    }
    this.#file ??= this.#shelf.file();
    this.#blocks.push({ at: this.#file.append(bytes), size: bytes.length });
    this.#spilled += bytes.length;
  }

  end(): Run {
    const blocks = this.#blocks;
    const file = this.#file;
    return {
      records: this.#records,
      bytes: this.#bytes,
      blocks: blocks.length,
      places: blocks.filter((block): block is Place => !(block instanceof Uint8Array)),
      block(index, into) {
        const block = blocks[index]!;
        if (block instanceof Uint8Array) return block;
        const { at, size } = block;
        if (!into) return file!.read(at, new Uint8Array(size));
        if (into.bytes.length < size) into.bytes = new Uint8Array(size + (size >> 2));
        return file!.read(at, into.bytes.subarray(0, size));
      },
    };
  }
}

/** Puts records one by one into a run. */
export class RunFiller {
  readonly writer: RunWriter;
  #scale = new Scale();
  #keys: unknown[] = [];
  #values: unknown[] = [];
  #bytes = 0;

  constructor(shelf: Shelf) {
    this.writer = new RunWriter(shelf);
  }

  add(key: unknown, value: unknown): void {
    this.#keys.push(owned(key));
    this.#values.push(owned(value));
    this.#bytes += this.#scale.weigh(key) + this.#scale.weigh(value);
    if (this.#bytes >= 2 * BLOCK) this.flush();
  }

  flush(): void {
    this.writer.write(this.#keys, this.#values);
    this.#keys = [];
    this.#values = [];
    this.#bytes = 0;
  }

  end(): Run {
    this.flush();
    return this.writer.end();
  }
}
