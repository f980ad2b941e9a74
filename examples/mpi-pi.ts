// π by integration: each rank takes every n-th strip. Run: npx tutti mpi -n 4 --kind thread examples/mpi-pi.ts
import { type Comm, SUM } from 'tutti/paradigms';

/** The integral of 4 / (1 + x²) from 0 to 1, in strips. */
export function strips(count: number, first = 0, step = 1): number {
  let sum = 0;
  for (let i = first; i < count; i += step) sum += 4 / (1 + ((i + 0.5) / count) ** 2);
  return sum / count;
}

export default async function main(comm: Comm, count = '1000000'): Promise<number> {
  const part = strips(Number(count), comm.rank, comm.size);
  const pi = await comm.allreduce(part, SUM, { deterministic: true });
  if (comm.rank === 0) console.log(`π is about ${pi.toFixed(10)}, by ${comm.size} ranks`);
  return pi;
}

// Prints:
// [0] π is about 3.1415926536, by 4 ranks
