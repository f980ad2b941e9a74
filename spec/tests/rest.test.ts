/** What an engine at rest does with memory that nothing needs. */
import type { Cluster } from 'tutti';
import { expect, test } from 'vitest';
import { using } from './support/shared.ts';

const BIG = 128 << 20;

/** As its heartbeats tell: to ask the engine itself would be work. */
const memory = async (c: Cluster): Promise<number> => (await c.status()).engines[0]!.memory;

for (const [what, text] of [
  ['arrays of numbers', `held = new Uint8Array(${BIG}).fill(1); held.length`],
  ['many small objects', `held = Array.from({ length: ${BIG >> 6} }, (_, i) => ({ i })); held.length`],
] as const)
  test(`memory of ${what} is given back, though nothing else is done`, () =>
    using({ engines: 1, kind: 'process', beat: 100 }, async (c) => {
      const before = await memory(c);
      await c.engine(0).execute(text);
      await expect.poll(() => memory(c)).toBeGreaterThan(before + BIG / 2);
      await c.engine(0).execute('held = undefined');
      await expect.poll(() => memory(c), { interval: 200 }).toBeLessThan(before + BIG / 4);
    }));
