/** What TypeScript makes of jobs. Compiled, never run. */
import type { Client } from 'tutti';
import { csv, from, type JobSpec, type JobSummary, lines, mapReduce } from 'tutti/paradigms';

declare const client: Client;
const { run } = client.use(mapReduce);

export const counts: [string, number][] = await run(
  {
    map(line, ctx) {
      for (const word of line.split(' ')) ctx.emit(word, 1);
    },
    reduce: (_: string, ones: Iterable<number>) => [...ones].length,
  },
  { input: lines('*.txt') },
);
export const written: JobSummary = await run(
  { map: (row, ctx) => ctx.emit(row.name, row) },
  { input: csv('a.csv'), output: 'out' },
);
const kept = await run({ map: (n: number, ctx) => ctx.emit(n, n) }, { input: from([1, 2]), keep: true });
export const parts: number[] = kept.parts.map(({ records }) => records);
const job: JobSpec<string, string, number> = {
  map: (line, ctx) => ctx.emit(line, 1),
  combine: (_, ones) => [...ones].length,
};
for await (const [key, value] of run([job, job], { input: lines('*.txt') })) String(key).concat(value);
// @ts-expect-error: a record of lines is a text
run({ map: (line: number, ctx) => ctx.emit(line, 1) }, { input: lines('*.txt') });
