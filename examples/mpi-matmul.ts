// C = A · B in blocks on a square of ranks (SUMMA). Run: npx tutti mpi -n 4 --kind thread examples/mpi-matmul.ts
import type { Comm } from 'tutti/paradigms';

const SIZE = 96;
export const a = (i: number, j: number): number => ((i * 7 + j * 3) % 11) - 5;
export const b = (i: number, j: number): number => ((i * 5 + j * 2) % 13) - 6;

/** As many ranks as the largest square has; the others look on. */
export default async function main(world: Comm): Promise<Float64Array | undefined> {
  const side = Math.floor(Math.sqrt(world.size));
  const grid = await world.cart([side, side]);
  let whole: Float64Array | undefined;
  if (grid) {
    const [row, column] = grid.coords as [number, number];
    const edge = (i: number): number => Math.floor((SIZE * i) / side);
    const [height, width] = [edge(row + 1) - edge(row), edge(column + 1) - edge(column)];
    const inRow = await grid.sub([false, true]);
    const inColumn = await grid.sub([true, false]);
    const block = (f: typeof a, i: number, j: number): Float64Array => {
      const wide = edge(j + 1) - edge(j);
      return Float64Array.from({ length: (edge(i + 1) - edge(i)) * wide }, (_, at) =>
        f(edge(i) + Math.floor(at / wide), edge(j) + (at % wide)),
      );
    };
    const [mineA, mineB, c] = [block(a, row, column), block(b, row, column), new Float64Array(height * width)];
    for (let step = 0; step < side; step++) {
      const left = await inRow.bcast(column === step ? mineA : undefined, step);
      const right = await inColumn.bcast(row === step ? mineB : undefined, step);
      const depth = edge(step + 1) - edge(step);
      for (let i = 0; i < height; i++)
        for (let k = 0; k < depth; k++)
          for (let j = 0; j < width; j++) c[i * width + j]! += left[i * depth + k]! * right[k * width + j]!;
    }
    const blocks = await grid.gather({ row, column, width, c });
    whole = blocks && new Float64Array(SIZE * SIZE);
    for (const one of blocks ?? [])
      for (let i = 0; i * one.width < one.c.length; i++)
        whole!.set(one.c.subarray(i * one.width, (i + 1) * one.width), (edge(one.row) + i) * SIZE + edge(one.column));
  }
  if (whole)
    console.log(
      `${side} × ${side} ranks, trace ${Array.from({ length: SIZE }, (_, i) => whole[i * SIZE + i]!).reduce((x, y) => x + y)}`,
    );
  await world.barrier();
  return whole;
}

// Prints:
// [0] 2 × 2 ranks, trace -68
