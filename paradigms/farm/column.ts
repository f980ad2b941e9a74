/** Numbers that are gathered, and leave together: its memory is used again. */
type Numbers = Uint8Array | Int32Array | Uint32Array | Float64Array;

export class Column<A extends Numbers> {
  length = 0;
  #kind: new (
    length: number,
  ) => A;
  #numbers: A;

  constructor(kind: new (length: number) => A) {
    this.#kind = kind;
    this.#numbers = new kind(64);
  }

  push(number: number): void {
    if (this.length === this.#numbers.length) this.#grow();
    this.#numbers[this.length++] = number;
  }

  /** What was gathered; it begins anew then. */
  empty(): A {
    const numbers = this.#numbers.slice(0, this.length) as A;
    if (this.#numbers.length > KEPT) this.#numbers = new this.#kind(64);
    this.length = 0;
    return numbers;
  }

  #grow(): void {
    const larger = new this.#kind(2 * this.#numbers.length);
    larger.set(this.#numbers);
    this.#numbers = larger;
  }
}

/** Memory for more than that is not kept. */
const KEPT = 65_536;
