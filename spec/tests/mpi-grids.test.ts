/** Arithmetic of grids. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { dimsCreate } from '../../paradigms/mpi/dims-create.ts';
import { Grid } from '../../paradigms/mpi/grid.ts';

const product = (dims: readonly number[]): number => dims.reduce((all, n) => all * n, 1);

test('dims: their product is the number of ranks, they fall, and those that are given stay', () => {
  expect(dimsCreate(12, 2)).toEqual([4, 3]);
  expect(dimsCreate(6, [0, 3, 0])).toEqual([2, 3, 1]);
  expect(dimsCreate(7, 3)).toEqual([7, 1, 1]);
  expect(dimsCreate(8, [2, 4])).toEqual([2, 4]);
  expect(dimsCreate(1, 0)).toEqual([]);
  for (const [size, dims] of [
    [7, [2, 0]],
    [4, [2, 3]],
    [0, 2],
    [2.5, 1],
  ] as const)
    expect(() => dimsCreate(size, dims), `${size}`).toThrow(/cannot be split/);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 1, max: 4 }), (size, n) => {
      const dims = dimsCreate(size, n);
      expect(product(dims)).toBe(size);
      expect([...dims].sort((a, b) => b - a)).toEqual(dims);
      // Its factors in another place, as far as they are free.
      const fixed = dimsCreate(size, [dims.at(-1)!, ...new Array(n - 1).fill(0)]);
      expect([fixed[0], product(fixed)]).toEqual([dims.at(-1), size]);
    }),
  );
});

test('places and ranks, round edges and beyond them; a grid without dimensions has one place', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.boolean()), { minLength: 1, maxLength: 3 }),
      fc.integer({ min: -5, max: 5 }),
      (of, by) => {
        const grid = new Grid(
          of.map(([n]) => n),
          of.map(([, periodic]) => periodic),
        );
        for (let rank = 0; rank < grid.size; rank++) {
          expect(grid.rankAt(grid.coordsOf(rank))).toBe(rank);
          for (const [d, [n, periodic]] of of.entries()) {
            expect(grid.shift(rank, d, 0)).toEqual({ source: rank, dest: rank });
            const { source, dest } = grid.shift(rank, d, by);
            const at = grid.coordsOf(rank)[d]! + by;
            expect(dest === -2).toBe(!periodic && (at < 0 || at >= n));
            if (dest !== -2) expect(grid.shift(dest, d, by).source).toBe(rank);
            expect(source).toBe(grid.shift(rank, d, -by).dest);
          }
        }
      },
    ),
  );
  const point = new Grid([], []);
  expect([point.size, point.coordsOf(0), point.rankAt([]), point.neighbors(0)]).toEqual([1, [], 0, []]);
  expect(() => point.shift(0, 0, 1)).toThrow(/the grid has dimensions/);
  expect(() => new Grid([2, 0], [true, true])).toThrow(/1 or more places/);
  expect(() => new Grid([2], [])).toThrow(/takes as many periods/);
});
