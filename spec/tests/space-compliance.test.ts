import path from 'node:path';
import { paradigmCompliance } from 'tutti/compliance';
import { ANY, type TupleSpace, tupleSpace } from 'tutti/paradigms';
import { expect, test } from 'vitest';

let n = 0;

paradigmCompliance(
  {
    paradigm: tupleSpace as any,
    plugin: path.resolve(import.meta.dirname, '../../dist/paradigms/index.js'),
    async exercise(space: TupleSpace, client) {
      const key = `${process.pid} ${++n}`;
      const taking = space.take(['there', key, ANY]);
      await space.out(['there', key, 1]);
      expect(await taking).toEqual(['there', key, 1]);
      await client.engine(0).execute(`await space.out(['engine', '${key}'])`);
      expect(await space.take(['engine', key])).toEqual(['engine', key]);
    },
    endless: (space: TupleSpace) => space.take(['never']),
    failure: { provoke: (space: TupleSpace) => space.take(['x'], { timeout: 1 }), name: 'TimeoutError' },
    builtIn: true,
    report() {},
  },
  { test },
);
