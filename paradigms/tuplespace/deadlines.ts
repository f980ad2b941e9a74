/** What has to happen at some time, and mostly does not come to it: one timer for all, exact, and nothing left of what was called off. */
import type { Clock, DelayedCall } from '../../core/index.ts';

/** Clocks take no longer delay. */
const LONGEST_DELAY = 2 ** 31 - 1;

export class Deadline {
  readonly due: number;
  readonly fire: () => void;
  /** Where it stands in the heap. */
  at = -1;

  constructor(due: number, fire: () => void) {
    this.due = due;
    this.fire = fire;
  }
}

export class Deadlines {
  readonly #clock: Clock;
  /** Each is due no later than the two behind it: at 2i + 1 and 2i + 2. */
  readonly #heap: Deadline[] = [];
  #timer: DelayedCall | undefined;
  #armed = Number.POSITIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#heap.length;
  }

  now(): number {
    return this.#clock.now();
  }

  /** In so many ms; never for Infinity. */
  after(ms: number, fire: () => void): Deadline | undefined {
    if (ms === Number.POSITIVE_INFINITY) return undefined;
    const deadline = new Deadline(this.#clock.now() + ms, fire);
    this.#heap.push(deadline);
    this.#up(deadline, this.#heap.length - 1);
    this.#arm();
    return deadline;
  }

  cancel(deadline: Deadline | undefined): void {
    if (!deadline || deadline.at < 0) return;
    const { at } = deadline;
    deadline.at = -1;
    const last = this.#heap.pop()!;
    if (last === deadline) return;
    this.#up(last, at);
    this.#down(last, last.at);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#heap.length = 0;
  }

  /** The timer stays for what was called off: being woken for nothing costs less than a timer for each. */
  #arm(): void {
    const next = this.#heap[0];
    if (!next || next.due >= this.#armed) return;
    this.#timer?.cancel();
    this.#armed = next.due;
    const ms = Math.min(Math.max(0, next.due - this.#clock.now()), LONGEST_DELAY);
    this.#timer = this.#clock.callLater(ms, () => this.#ring());
  }

  #ring(): void {
    this.#armed = Number.POSITIVE_INFINITY;
    const now = this.#clock.now();
    for (let next = this.#heap[0]; next && next.due <= now; next = this.#heap[0]) {
      this.cancel(next);
      next.fire();
    }
    this.#arm();
  }

  #up(deadline: Deadline, from: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#heap[parent]!.due <= deadline.due) break;
      this.#place(this.#heap[parent]!, at);
      at = parent;
    }
    this.#place(deadline, at);
  }

  #down(deadline: Deadline, from: number): void {
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#heap.length) break;
      if (child + 1 < this.#heap.length && this.#heap[child + 1]!.due < this.#heap[child]!.due) child++;
      if (this.#heap[child]!.due >= deadline.due) break;
      this.#place(this.#heap[child]!, at);
      at = child;
    }
    this.#place(deadline, at);
  }

  #place(deadline: Deadline, at: number): void {
    this.#heap[at] = deadline;
    deadline.at = at;
  }
}
