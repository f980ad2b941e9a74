/** Those who want to know what happens in a space. Each has a queue of its own; one that is too slow misses events, and can tell. */
import type { EventForm, EventKind } from './protocol.ts';
import type { Entry } from './store/entry.ts';
import type { Matcher } from './store/matcher.ts';

/** Events that wait for one watcher. */
const BEHIND = 10_000;

interface Watch {
  readonly matcher: Matcher | undefined;
  readonly kinds: ReadonlySet<EventKind>;
  seq: number;
  waiting: EventForm[];
  ended: Error | true | undefined;
  wake: () => void;
}

export class Watches {
  readonly #all = new Set<Watch>();

  get size(): number {
    return this.#all.size;
  }

  tell(kind: EventKind, { tuple }: Entry): void {
    for (const watch of this.#all) {
      const { matcher } = watch;
      if (!watch.kinds.has(kind)) continue;
      if (matcher && !matcher.fits(tuple)) continue;
      watch.seq++;
      if (watch.waiting.length < BEHIND) watch.waiting.push([watch.seq, kind, tuple]);
      watch.wake();
    }
  }

  /** From this call on. `over` is called when nobody reads any more. */
  open(
    matcher: Matcher | undefined,
    kinds: readonly EventKind[],
    signal: AbortSignal,
  ): { events: AsyncIterable<EventForm>; end(error?: Error): void } {
    const watch: Watch = { matcher, kinds: new Set(kinds), seq: 0, waiting: [], ended: undefined, wake: () => {} };
    this.#all.add(watch);
    const end = (error?: Error): void => {
      watch.ended ??= error ?? true;
      watch.wake();
    };
    signal.addEventListener('abort', () => end(), { once: true });
    return { events: this.#read(watch), end };
  }

  end(error?: Error): void {
    for (const watch of this.#all) {
      watch.ended ??= error ?? true;
      watch.wake();
    }
  }

  async *#read(watch: Watch): AsyncGenerator<EventForm> {
    try {
      for (;;) {
        yield* watch.waiting.splice(0);
        if (watch.waiting.length) continue;
        if (watch.ended instanceof Error) throw watch.ended;
        if (watch.ended) return;
        await new Promise<void>((resolve) => {
          watch.wake = resolve;
        });
      }
    } finally {
      this.#all.delete(watch);
    }
  }
}
