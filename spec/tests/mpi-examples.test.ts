/** The examples on real work: the serial answer, with any number of ranks, of either kind. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import heat from '../../examples/mpi-heat.ts';
import matmul, { a, b } from '../../examples/mpi-matmul.ts';
import pi, { strips } from '../../examples/mpi-pi.ts';
import sort, { flights } from '../../examples/mpi-sort.ts';
import { type Cluster, cluster } from '../../main.ts';
import { mpi } from '../../paradigms/index.ts';

const STEPS = 60;

/** The same, by one who has all of the plate. */
function serialHeat(): Float64Array {
  const size = 48;
  let now = Float64Array.from({ length: size * size }, (_, i) => {
    const [y, x] = [Math.floor(i / size), i % size];
    return y === 0 ? 100 : (y - 30) ** 2 + (x - 34) ** 2 < 20 ? 80 : 0;
  });
  for (let step = 0; step < STEPS; step++) {
    const at = (y: number, x: number): number => (x < 0 || x >= size || y >= size ? 0 : now[y * size + x]!);
    now = now.map((t, i) => {
      const [y, x] = [Math.floor(i / size), i % size];
      return y === 0 ? t : (at(y, x - 1) + at(y, x + 1) + at(y - 1, x) + at(y + 1, x)) / 4;
    });
  }
  return now;
}

/** Bit by bit; comparing element by element would take longer than all the rest. */
const same = (got: unknown, want: Float64Array): boolean =>
  got instanceof Float64Array &&
  Buffer.from(got.buffer, got.byteOffset, got.byteLength).equals(Buffer.from(want.buffer));
const plate = serialHeat();
const delays = flights().sort();
const product = Float64Array.from({ length: 96 * 96 }, (_, at) => {
  const [i, j] = [Math.floor(at / 96), at % 96];
  return Array.from({ length: 96 }, (_, k) => a(i, k) * b(k, j)).reduce((x, y) => x + y);
});

describe.each(['thread', 'process'] as const)('%s ranks', (kind) => {
  let client: Cluster;
  beforeAll(async () => {
    client = await cluster({ engines: 8, kind, output: 'ignore' });
  });
  afterAll(() => client.close());

  test.each([1, 2, 3, 4, 8])('%d of them give the serial answers', async (ranks) => {
    const api = client.use(mpi);
    const options = { ranks };
    for (const value of await api.run(pi, { ...options, args: ['100000'] }))
      expect(value).toBeCloseTo(strips(100_000), 12);
    expect(same((await api.run(heat, { ...options, args: [String(STEPS)] }))[0], plate)).toBe(true);
    expect(same((await api.run(sort, { ...options, args: [] }))[0], delays)).toBe(true);
    expect(same((await api.run(matmul, { ...options, args: [] }))[0], product)).toBe(true);
  });
});
