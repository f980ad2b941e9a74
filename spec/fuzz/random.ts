/** Chance that can be repeated: the same seed, the same numbers (mulberry32). */
export interface Random {
  readonly seed: number;
  /** From 0 up to 1. */
  next(): number;
  /** An integer from `low` to `high`, both included. */
  int(low: number, high: number): number;
  chance(probability: number): boolean;
  pick<T>(items: readonly T[]): T;
  bytes(length: number): Buffer;
}

export function random(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const int = (low: number, high: number): number => low + Math.floor(next() * (high - low + 1));
  return {
    seed,
    next,
    int,
    chance: (probability) => next() < probability,
    pick: (items) => items[int(0, items.length - 1)]!,
    bytes: (length) => Buffer.from(Array.from({ length }, () => int(0, 255))),
  };
}

/** From `TUTTI_SEED`, or a new one; it is printed, so that whatever it brings about can be brought about again. */
export function seedOf(what: string): number {
  const seed = Number(process.env.TUTTI_SEED ?? Date.now() % 2 ** 31);
  process.stderr.write(`${what}: TUTTI_SEED=${seed}\n`);
  return seed;
}
