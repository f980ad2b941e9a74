/**
 * Node's timers on the browser's: `refresh` and `unref` exist, and `setImmediate` does. The build puts these names in place
 * of the globals, inside the bundle only.
 */
type Start = (f: () => void, ms: number) => number;
const start = globalThis.setTimeout as unknown as Start;
const stop = globalThis.clearTimeout as unknown as (id: number) => void;

/** ms from one look at what is due to the next. */
const LOOK_EVERY = 250;

const waiting = new Set<Timer>();
let looked = 0;

class Timer {
  readonly #run: () => void;
  readonly #ms: number;
  readonly #again: boolean;
  #due = 0;
  #id = 0;

  constructor(run: () => void, ms: number, again: boolean) {
    this.#run = run;
    this.#ms = ms;
    this.#again = again;
    this.refresh();
  }

  refresh(): this {
    this.stop();
    this.#due = performance.now() + this.#ms;
    this.#id = start(() => this.#fire(), this.#ms);
    waiting.add(this);
    return this;
  }

  /** No page stays open for a timer. */
  unref(): this {
    return this;
  }

  stop(): void {
    stop(this.#id);
    waiting.delete(this);
  }

  fireIfDue(now: number): void {
    if (waiting.has(this) && now >= this.#due) this.#fire();
  }

  #fire(): void {
    if (this.#again) this.refresh();
    else this.stop();
    this.#run();
  }
}

/** For whoever hears something: timers of a page in the background are up to a minute late, and messages are not. */
export function catchUp(): void {
  const now = performance.now();
  if (now < looked + LOOK_EVERY) return;
  looked = now;
  for (const timer of waiting) soon(() => timer.fireIfDue(now));
}

function later(f: (...args: any[]) => void, ms = 0, ...args: any[]): Timer {
  return new Timer(() => f(...args), ms, false);
}

function repeatedly(f: (...args: any[]) => void, ms = 0, ...args: any[]): Timer {
  return new Timer(() => f(...args), ms, true);
}

function cancel(timer: Timer | undefined): void {
  timer?.stop();
}

const due: (() => void)[] = [];
let turns: { postMessage(_: null): void } | undefined;

/** After this macrotask, and without the delay that browsers give to nested timers, or to all of a page in the background. */
function soon(f: () => void): void {
  turns ??= openTurns();
  due.push(f);
  turns.postMessage(null);
}

/** At the first use: a server may import this file, too, and an open port would keep it from ending. */
function openTurns(): { postMessage(_: null): void } {
  const { port1, port2 } = new MessageChannel();
  (port1 as unknown as { onmessage: () => void }).onmessage = () => due.shift()?.();
  return port2;
}

export {
  cancel as clearInterval,
  cancel as clearTimeout,
  later as setTimeout,
  repeatedly as setInterval,
  soon as setImmediate,
};
