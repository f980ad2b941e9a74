import path from 'node:path';
import { paradigmCompliance } from 'tutti/compliance';
import { from, mapReduce } from 'tutti/paradigms';
import { expect, test } from 'vitest';

paradigmCompliance(
  {
    paradigm: mapReduce,
    plugin: path.resolve(import.meta.dirname, '../../dist/paradigms/index.js'),
    async exercise({ run }) {
      const job = {
        map: (n: number, ctx: any) => ctx.emit(n % 3, n),
        reduce: (_: number, all: Iterable<number>) => [...all].length,
        reducers: 2,
      };
      const counts = await run(job, { input: from([1, 2, 3, 4, 5, 6, 7], { perSplit: 2 }) });
      expect(counts.sort()).toEqual([
        [0, 2],
        [1, 3],
        [2, 2],
      ]);
    },
    endless: async ({ run }) => await run({ map: () => new Promise(() => {}) }, { input: from([1]) }),
    failure: {
      provoke: async ({ run }) =>
        await run({ map: () => Promise.reject(new Error('no')), attempts: 1 }, { input: from([1]) }),
      name: 'MapReduceError',
    },
    builtIn: true,
    report() {},
  },
  { test },
);
