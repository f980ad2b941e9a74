/** Where items come from: after `:::`, from a file, or line by line from stdin, read only as fast as they are worked on. */
import { createReadStream, statSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { UsageError } from '../../core/errors.ts';
import { say } from '../output.ts';

/** `json`: each line is a JSON value, as in a .jsonl file. */
export async function* itemsOf(
  given: readonly string[] | undefined,
  input: string | undefined,
): AsyncGenerator<unknown> {
  if (given) {
    yield* given;
    return;
  }
  if (input !== undefined && !statSync(input, { throwIfNoEntry: false })?.isFile())
    throw new UsageError(`--input: ${input} is no file`);
  if (input === undefined && process.stdin.isTTY) say('Items are read from the terminal, one a line; Ctrl-D ends them');
  const json = input !== undefined && /\.(jsonl|ndjson)$/.test(input);
  const lines = createInterface({
    input: input === undefined ? process.stdin : createReadStream(input),
    crlfDelay: Number.POSITIVE_INFINITY,
  });
  let number = 0;
  for await (const line of lines) {
    number++;
    if (!line.trim()) continue;
    yield json ? parsed(line, `${input}:${number}`) : line;
  }
}

/** How many there are, where that can be known before they are read: not of stdin. */
export async function countOf(
  given: readonly string[] | undefined,
  input: string | undefined,
): Promise<number | undefined> {
  if (given) return given.length;
  if (input === undefined) return undefined;
  let count = 0;
  for await (const line of createInterface({ input: createReadStream(input) })) if (line.trim()) count++;
  return count;
}

function parsed(line: string, where: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new UsageError(`${where}: this line is not JSON: ${(cause as Error).message}`, { cause });
  }
}
