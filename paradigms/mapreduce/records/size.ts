/** About how much memory a value takes. */
import { encode } from '../../../core/index.ts';

/** Every so many objects one is measured. */
const SAMPLE = 64;

export class Scale {
  #seen = 0;
  #mean = 0;

  /** Bytes. @throws CannotTravelError for some of the values that cannot be encoded. */
  weigh(value: unknown): number {
    if (typeof value === 'string') return 32 + value.length;
    if (typeof value === 'object' && value !== null) return this.#object(value);
    return 8;
  }

  #object(value: object): number {
    if (this.#seen++ % SAMPLE === 0) {
      const { parts } = encode(value);
      // As an object it takes about twice what it takes in bytes.
      const bytes = 48 + 2 * parts.reduce((sum, part) => sum + part.byteLength, 0);
      this.#mean = this.#mean ? this.#mean + (bytes - this.#mean) / 8 : bytes;
    }
    return Math.round(this.#mean);
  }
}

/** A text may be a slice of a long one, which lives as long as it does: whoever keeps it for a while keeps a copy. */
export function owned<T>(value: T): T {
  // Shorter ones are always copies.
  return typeof value === 'string' && value.length > 12 ? (` ${value}`.slice(1) as T) : value;
}
