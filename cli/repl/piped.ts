/** The console without a terminal: statements come from a pipe or a file, and their values are printed plainly. */
import { fstatSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Console } from './console.ts';
import { statementsAsTheyCome, statementsOf } from './statements.ts';

/** Ends at the first failure unless told to go on. The failure that counts, if there was one, is `console.failure`. */
export async function onPipe(
  console: Console,
  { keepGoing, signal }: { keepGoing: boolean; signal: AbortSignal },
): Promise<void> {
  const reading = {
    isUnfinished: (text: string) => console.isUnfinished(text),
    isCommand: (line: string) => console.isCommand(line),
  };
  const statements = fstatSync(0).isFile()
    ? statementsOf(readFileSync(0, 'utf8'), reading)
    : statementsAsTheyCome(
        createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY, signal }),
        reading,
      );
  for await (const statement of statements) {
    const well = await console.enter(statement);
    if ((!well && !keepGoing) || console.left || signal.aborted) return;
  }
}
