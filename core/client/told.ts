/** What was told, kept for those who ask later, within bounds. */

export class Told<T extends object> {
  /** What was let go of to stay within the bounds: as much as was not heard by anybody who came later. */
  dropped = 0;
  #kept: T[] = [];
  #size = 0;
  #most: number;
  #sizeOf: (item: T) => number;
  #listeners = new Set<(item: T) => void>();

  constructor(most: number, sizeOf: (item: T) => number) {
    this.#most = most;
    this.#sizeOf = sizeOf;
  }

  get heard(): boolean {
    return this.#listeners.size > 0;
  }

  push(item: T): void {
    this.#kept.push(item);
    this.#size += this.#sizeOf(item);
    while (this.#size > this.#most && this.#kept.length > 1) {
      const size = this.#sizeOf(this.#kept.shift()!);
      this.#size -= size;
      this.dropped += size;
    }
    for (const listener of this.#listeners) listener(item);
  }

  /** All that is kept, and then what comes. Returns how to stop. */
  listen(listener: (item: T) => void): () => void {
    for (const item of [...this.#kept]) listener(item);
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
