/** How much of the input one task gets. */
import { inputSize } from '../sources/index.ts';
import { Kept } from './kept.ts';
import type { PlannedInput } from './options.ts';

/** Tasks for each engine, if the input is neither small nor large. */
const TASKS = 4;
/** Bytes. */
const LEAST = 1 << 20;
const MOST = 64 << 20;

/** Bytes. */
export async function splitSizeFor(
  inputs: readonly PlannedInput[],
  width: number,
  options: { signal: AbortSignal },
): Promise<number> {
  let total = 0;
  for (const { source } of inputs) if (!(source instanceof Kept)) total += (await inputSize(source, options)) ?? 0;
  return Math.min(MOST, Math.max(LEAST, Math.ceil(total / (TASKS * width))));
}
