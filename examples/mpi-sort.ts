// 200,000 flights by delay: parallel sort by regular sampling. Run: npx tutti mpi -n 4 --kind thread examples/mpi-sort.ts
import { readFileSync } from 'node:fs';
import type { Comm } from 'tutti/paradigms';

/** The delays, in minutes: rank 0 reads them. */
export function flights(): Float64Array {
  const text = readFileSync('node_modules/vega-datasets/data/flights-200k.json', 'utf8');
  const records = JSON.parse(text) as { delay: number; distance: number; time: number }[];
  return Float64Array.from(records, ({ delay }) => delay);
}

export default async function main(comm: Comm): Promise<Float64Array | undefined> {
  const { rank, size } = comm;
  const all = rank === 0 ? flights() : undefined;
  const edge = (i: number): number => Math.floor(((all?.length ?? 0) * i) / size);
  const counts = all && Array.from({ length: size }, (_, i) => edge(i + 1) - edge(i));
  const mine = (await comm.scatterv(all, counts)).sort();

  // Samples of all ranks, sorted, tell where to cut.
  const samples = Float64Array.from({ length: size }, (_, i) => mine[Math.floor((mine.length * i) / size)]!);
  const sorted = (await comm.allgatherv(samples)).sort();
  const pivots = Array.from({ length: size - 1 }, (_, i) => sorted[(i + 1) * size]!);
  const cuts = [0, ...pivots.map((pivot) => mine.findIndex((x) => x >= pivot)), mine.length];
  for (let i = size - 1; i > 0; i--) if (cuts[i]! < 0) cuts[i] = cuts[i + 1]!;

  // Each piece goes to the rank that it belongs to, and is sorted there.
  const pieces = cuts.slice(1).map((end, i) => end - cuts[i]!);
  const part = (await comm.alltoallv(mine, pieces)).sort();
  console.log(`${part.length} flights, from ${part[0]} to ${part.at(-1)} minutes`);
  return comm.gatherv(part);
}

// Prints:
// [0] 38784 flights, from -86 to -11 minutes
// [1] 47453 flights, from -10 to -3 minutes
// [2] 45971 flights, from -2 to 6 minutes
// [3] 67792 flights, from 7 to 1444 minutes
