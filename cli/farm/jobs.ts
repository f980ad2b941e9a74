/** What is to be done: a job for each item, with its command and its number. */
import { itemsOf } from './items.ts';
import { type Joblog, keyOf } from './joblog.ts';
import { commandFor } from './template.ts';

export interface Work {
  /** A command with placeholders, or the path of a module whose default export is the function. */
  text: string;
  script: boolean;
  items: readonly string[] | undefined;
  input: string | undefined;
}

export interface Job {
  /** Of the item in the input, from 1. */
  seq: number;
  item: unknown;
  key: string;
  command: string;
}

/** In the order of the input, without those that are done already. */
export async function* jobsOf({ text, script, items, input }: Work, log?: Joblog): AsyncGenerator<Job> {
  let seq = 0;
  for await (const item of itemsOf(items, input)) {
    seq++;
    const words = typeof item === 'string' ? item : JSON.stringify(item);
    const command = script ? `${text} ${words}` : commandFor(text, words, seq);
    const key = keyOf(command);
    if (!log?.isDone(key)) yield { seq, item, key, command };
  }
}

/** Prints what would be run. */
export async function rehearse(work: Work, log?: Joblog): Promise<void> {
  for await (const { command } of jobsOf(work, log)) process.stdout.write(`${command}\n`);
}
