/** Values that a subscriber has not read may wait; one that is this far behind is let go. */
const BEHIND = 10_000;

/** What one subscriber has yet to read. */
export class Feed {
  #values = [];
  #wake = () => {};
  #failed = false;

  push(value) {
    if (this.#values.length === BEHIND) this.#failed = true;
    else this.#values.push(value);
    this.#wake();
  }

  /** Until the signal aborts, or it is let go; then `over` is called. */
  async *read(signal, over = () => {}) {
    signal.addEventListener('abort', () => this.#wake(), { once: true });
    try {
      yield* this.#all(signal);
    } finally {
      over();
    }
  }

  async *#all(signal) {
    while (!signal.aborted) {
      if (this.#values.length) yield this.#values.shift();
      else if (this.#failed) throw new RangeError(`A subscriber was more than ${BEHIND} values behind`);
      else
        await new Promise((resolve) => {
          this.#wake = resolve;
        });
    }
  }
}
