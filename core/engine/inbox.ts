/** Messages that a running task has been sent and has not read yet. */

export class Inbox {
  #queue: unknown[] = [];
  #waiting: ((result: IteratorResult<unknown, undefined>) => void)[] = [];
  #ended = false;
  #read: (count: number) => void;

  /** `read` hears how many were read, or will never be. */
  constructor(read: (count: number) => void) {
    this.#read = read;
  }

  push(value: unknown): void {
    const next = this.#waiting.shift();
    if (!next && !this.#ended) {
      this.#queue.push(value);
      return;
    }
    this.#read(1);
    next?.({ value, done: false });
  }

  shift(): { value: unknown } | undefined {
    if (!this.#queue.length) return undefined;
    this.#read(1);
    return { value: this.#queue.shift() };
  }

  /** The task has ended. */
  end(): void {
    this.#ended = true;
    this.#read(this.#queue.length);
    this.#queue = [];
    for (const next of this.#waiting.splice(0)) next({ value: undefined, done: true });
  }

  /** Messages as they come, until the task ends. Each goes to one reader. */
  readonly messages: AsyncIterable<unknown> = {
    [Symbol.asyncIterator]: () => ({
      next: (): Promise<IteratorResult<unknown, undefined>> => {
        const here = this.shift();
        if (here) return Promise.resolve({ value: here.value, done: false });
        if (this.#ended) return Promise.resolve({ value: undefined, done: true });
        return new Promise((resolve) => this.#waiting.push(resolve));
      },
      return: () => Promise.resolve({ value: undefined, done: true }),
    }),
  };
}
