/** Ids as people write them: `0-127`, `0-4, 6`. Two neighbours stay two ids. */
export function ranges(ids: readonly number[], separator = ', '): string {
  const runs: number[][] = [];
  for (const id of [...ids].sort((a, b) => a - b)) {
    const run = runs.at(-1);
    if (run && id === run.at(-1)! + 1) run.push(id);
    else runs.push([id]);
  }
  return runs.flatMap((run) => (run.length > 2 ? [`${run[0]}-${run.at(-1)}`] : run.map(String))).join(separator);
}
