/** Things to be done at a time, many of them, over one timer. */
import type { Clock } from '../../../core/index.ts';

interface Alarm {
  readonly at: number;
  /** Undefined once it is cancelled. */
  ring: (() => void) | undefined;
}

export class Alarms {
  #clock: Clock;
  #heap: Alarm[] = [];
  #cancelled = 0;
  #timer: { cancel(): void } | undefined;
  #due = Number.POSITIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls back in so many ms, unless it is cancelled. */
  in(ms: number, ring: () => void): { cancel(): void } {
    const alarm: Alarm = { at: this.#clock.now() + ms, ring };
    this.#push(alarm);
    this.#arm();
    return {
      cancel: () => {
        if (!alarm.ring) return;
        alarm.ring = undefined;
        if (++this.#cancelled > 64 && this.#cancelled > this.#heap.length >> 1) this.#sweep();
      },
    };
  }

  stop(): void {
    this.#timer?.cancel();
    this.#heap = [];
  }

  #arm(): void {
    const first = this.#heap[0];
    if (!first || first.at >= this.#due) return;
    this.#timer?.cancel();
    this.#due = first.at;
    const wait = Math.min(Math.max(0, first.at - this.#clock.now()), LONGEST);
    this.#timer = this.#clock.callLater(wait, () => this.#ring());
  }

  #ring(): void {
    this.#due = Number.POSITIVE_INFINITY;
    const now = this.#clock.now();
    for (let first = this.#heap[0]; first && first.at <= now; first = this.#heap[0]) {
      this.#pop();
      const { ring } = first;
      first.ring = undefined;
      if (ring) ring();
      else this.#cancelled--;
    }
    this.#arm();
  }

  /** Most of the heap has been cancelled. */
  #sweep(): void {
    const left = this.#heap.filter(({ ring }) => ring);
    this.#heap = [];
    this.#cancelled = 0;
    for (const alarm of left) this.#push(alarm);
  }

  #push(alarm: Alarm): void {
    const heap = this.#heap;
    let i = heap.push(alarm) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (heap[parent]!.at <= alarm.at) break;
      heap[i] = heap[parent]!;
      i = parent;
    }
    heap[i] = alarm;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (!heap.length) return;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1]!.at < heap[child]!.at) child++;
      if (heap[child]!.at >= last.at) break;
      heap[i] = heap[child]!;
      i = child;
    }
    heap[i] = last;
  }
}

const LONGEST = 2 ** 31 - 1;
