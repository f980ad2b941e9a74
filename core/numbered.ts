/**
 * Things by numbers that count up, as those of calls do. They lie in blocks, so that there is nothing to be hashed, moved or grown
 * however many come and go; a block is let go of with the last one in it, but for one, which is used again.
 */
const BLOCK = 256;

interface Block<T> {
  first: number;
  readonly items: (T | undefined)[];
  count: number;
}

export class Numbered<T extends object> {
  #blocks = new Map<number, Block<T>>();
  #size = 0;
  /** The one that was looked into last: most often it is the next one, too. */
  #last: Block<T> | undefined;
  /** An empty one. */
  #spare: Block<T> | undefined;

  get size(): number {
    return this.#size;
  }

  get(number: number): T | undefined {
    const block = this.#blockOf(number);
    return block && block.items[number - block.first];
  }

  has(number: number): boolean {
    return this.get(number) !== undefined;
  }

  set(number: number, item: T): void {
    const block = this.#blockOf(number) ?? this.#add(number);
    const at = number - block.first;
    if (block.items[at] === undefined) {
      block.count++;
      this.#size++;
    }
    block.items[at] = item;
  }

  delete(number: number): boolean {
    const block = this.#blockOf(number);
    const at = block ? number - block.first : 0;
    if (block?.items[at] === undefined) return false;
    block.items[at] = undefined;
    this.#size--;
    if (--block.count === 0) {
      this.#blocks.delete(block.first);
      this.#last = undefined;
      this.#spare = block;
    }
    return true;
  }

  clear(): void {
    this.#blocks.clear();
    this.#last = undefined;
    this.#size = 0;
  }

  *keys(): Generator<number> {
    for (const { first, items } of this.#blocks.values())
      for (let i = 0; i < BLOCK; i++) if (items[i] !== undefined) yield first + i;
  }

  *values(): Generator<T> {
    for (const { items } of this.#blocks.values())
      for (let i = 0; i < BLOCK; i++) if (items[i] !== undefined) yield items[i]!;
  }

  #blockOf(number: number): Block<T> | undefined {
    const last = this.#last;
    if (last && number >= last.first && number < last.first + BLOCK) return last;
    const block = this.#blocks.get(number - (number % BLOCK));
    if (block) this.#last = block;
    return block;
  }

  #add(number: number): Block<T> {
    const first = number - (number % BLOCK);
    const block = this.#spare ?? { first, items: new Array<T | undefined>(BLOCK).fill(undefined), count: 0 };
    block.first = first;
    this.#spare = undefined;
    this.#blocks.set(first, block);
    this.#last = block;
    return block;
  }
}
