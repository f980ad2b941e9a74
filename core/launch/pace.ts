/** A few at a time: starting engines all at once would only make every one of them late. */
export class Pace {
  #width: number;
  #under = 0;
  #waiting: (() => void)[] = [];

  constructor(width: number) {
    this.#width = width;
  }

  /** Begins in the order of the calls; the next one begins when one has ended, well or not. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#under < this.#width) this.#under++;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve)); // the place is handed on
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#under--;
    }
  }
}
