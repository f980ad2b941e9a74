/** What TypeScript makes of bags. Compiled, never run. */
import type { Client } from 'tutti';
import { type Bag, csv, files, from, jsonl, lines, mapReduce } from 'tutti/paradigms';

declare const client: Client;
const { bag } = client.use(mapReduce);

const words = bag(lines('*.txt')).flatMap((line) => line.split(' '));
export const counts: Bag<[string, number]> = words.map((word) => [word, 1]).reduceByKey((a, b) => a + b);
export const total: number = await counts.values().fold(
  () => 0,
  (sum, n) => sum + n,
  (a, b) => a + b,
);
export const later: Bag<number> = words.map(async (word) => word.length);
export const pairsOfEach: Bag<[string, number]> = words.flatMap((word) => [...word].map((letter) => [letter, 1]));
export const lengths: [number, string[]][] = await words
  .keyBy((word) => word.length)
  .groupByKey()
  .collect();
export const averages: Bag<[number, { n: number }]> = words
  .keyBy((word) => word.length)
  .aggregateByKey(
    () => ({ n: 0 }),
    (sum, word) => ({ n: sum.n + word.length }),
    (a, b) => ({ n: a.n + b.n }),
  );

const airports = bag(csv('airports.csv')).map(({ iata, name }) => [iata!, name!]);
export const inner: Bag<[string, [number, string]]> = counts.join(airports);
export const left: Bag<[string, [number, string | undefined]]> = counts.join(airports, 'left');
export const right: Bag<[string, [number | undefined, string]]> = counts.join(airports, 'right');
export const full: Bag<[string, [number | undefined, string | undefined]]> = counts.join(airports, 'full');
export const both: Bag<[string, [number[], string[]]]> = counts.cogroup(airports);
export const numbered: [string, number][] = await words.zipWithIndex().take(3);
export const mixed: Bag<string | number> = words.union(from1());
export const narrowed: Bag<string> = mixed.filter((one) => typeof one === 'string');
export const parts: Bag<number> = words.mapPartitions(async function* (records) {
  for await (const word of records) yield word.length;
});
function from1(): Bag<number> {
  return bag(from([1]));
}
for await (const word of words) word.toUpperCase();

export const rows: Bag<string[]> = bag(csv('a.csv', { header: false }));
export const values: Bag<{ a: number }> = bag(jsonl<{ a: number }>('a.jsonl'));
export const texts: Bag<string> = bag(files('*.txt')).map(({ text }) => text);
export const sizes: Bag<number> = bag(files('*.png', { as: 'bytes' })).map(({ bytes }) => bytes.length);

// @ts-expect-error: words are no pairs
words.reduceByKey((a) => a);
// @ts-expect-error: keys are texts here, and numbers there
counts.join(bag(from([1])).keyBy((n) => n));
// @ts-expect-error: nor is there such a join
counts.join(airports, 'outer');
// @ts-expect-error: not a format
counts.to('out', { format: 'xml' });
