/** The most recent outcomes, by key: within a count and a size, in a ring, so that the oldest one is found at once. */
import type { Outcome } from './values.ts';

export class Recent {
  #most: { readonly count: number; readonly bytes: number };
  #places = new Map<number, number>();
  #keys: number[] = [];
  #outcomes: (Outcome | undefined)[] = [];
  #bytes = 0;
  /** They count up; the place in the ring is what is left by its length. */
  #oldest = 0;
  #next = 0;

  constructor(most: { count: number; bytes: number }) {
    this.#most = most;
  }

  find(key: number): Outcome | undefined {
    const place = this.#places.get(key);
    return place === undefined ? undefined : this.#outcomes[place];
  }

  add(key: number, outcome: Outcome): void {
    const { count, bytes } = this.#most;
    this.#drop(this.#places.get(key));
    if (this.#next - this.#oldest === count) this.#dropOldest();
    const place = this.#next++ % count;
    this.#places.set(key, place);
    this.#keys[place] = key;
    this.#outcomes[place] = outcome;
    this.#bytes += outcome.bytes;
    while (this.#bytes > bytes) this.#dropOldest();
  }

  dropWhere(which: (key: number) => boolean): void {
    for (const [key, place] of this.#places) if (which(key)) this.#drop(place);
  }

  #dropOldest(): void {
    this.#drop(this.#oldest++ % this.#most.count);
  }

  #drop(place: number | undefined): void {
    const outcome = place === undefined ? undefined : this.#outcomes[place];
    if (place === undefined || !outcome) return;
    this.#outcomes[place] = undefined;
    this.#places.delete(this.#keys[place]!);
    this.#bytes -= outcome.bytes;
  }
}
