// Functions travel with what they use: constants, helpers, classes, imports. Estimates pi by throwing darts on four engines.
import { performance } from 'node:perf_hooks';
import { cluster } from 'tutti';

const darts = 200_000;

/** The same numbers on every machine, so that the answer can be compared. */
class Dice {
  #state: number;
  constructor(seed: number) {
    this.#state = seed;
  }
  roll(): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
    return this.#state / 2 ** 32;
  }
}
const inside = (x: number, y: number): boolean => x * x + y * y < 1;

function hits(seed: number): { hits: number; took: number } {
  const dice = new Dice(seed);
  const start = performance.now();
  let count = 0;
  for (let i = 0; i < darts; i++) if (inside(dice.roll(), dice.roll())) count++;
  return { hits: count, took: performance.now() - start };
}

await using client = await cluster({ engines: 4 });
const seeds = [1, 2, 3, 4, 5, 6, 7, 8];
const results = await client.all.map(hits, seeds);
for (const [i, { hits: count }] of results.entries()) console.log(`seed ${seeds[i]}: ${(4 * count) / darts}`);
const total = results.reduce((sum, result) => sum + result.hits, 0);
console.log(`pi is about ${((4 * total) / (darts * seeds.length)).toFixed(3)}`);

// Prints:
//   seed 1: 3.14302
//   seed 2: 3.14916
//   seed 3: 3.14684
//   seed 4: 3.14088
//   seed 5: 3.13734
//   seed 6: 3.1426
//   seed 7: 3.14282
//   seed 8: 3.14364
//   pi is about 3.143
