/**
 * Node's timers on the browser's: `refresh` and `unref` exist, and `setImmediate` does. The build puts these names in place
 * of the globals, inside the bundle only.
 */
const start = globalThis.setTimeout as unknown as (f: () => void, ms: number) => number;
const stop = globalThis.clearTimeout as unknown as (id: number) => void;

class Timer {
  readonly #due: () => void;
  readonly #ms: number;
  #id: number;

  constructor(due: () => void, ms: number) {
    this.#due = due;
    this.#ms = ms;
    this.#id = start(due, ms);
  }

  refresh(): this {
    this.stop();
    this.#id = start(this.#due, this.#ms);
    return this;
  }

  /** No page stays open for a timer. */
  unref(): this {
    return this;
  }

  stop(): void {
    stop(this.#id);
  }
}

function later(f: (...args: any[]) => void, ms = 0, ...args: any[]): Timer {
  return new Timer(() => f(...args), ms);
}

function cancel(timer: Timer | undefined): void {
  timer?.stop();
}

const due: (() => void)[] = [];
const turns = new MessageChannel() as unknown as {
  port1: { onmessage: () => void };
  port2: { postMessage(_: null): void };
};
turns.port1.onmessage = () => due.shift()?.();

/** After this macrotask, and without the delay that browsers give to nested timers, or to all of a page in the background. */
function soon(f: () => void): void {
  due.push(f);
  turns.port2.postMessage(null);
}

export { cancel as clearTimeout, later as setTimeout, soon as setImmediate };
