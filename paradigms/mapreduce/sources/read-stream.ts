/** Records out of bytes as they come, once: those of standard input, e.g. */
import { InputError, Misfit } from './errors.ts';
import type { Format } from './format.ts';
import { tooLong } from './range.ts';
import { byteOrderMark, parserFor } from './read-piece.ts';

const NEWLINE = 10;

/**
 * Rejects with InputError, which calls the stream by its name and says the line.
 * @param format one that leaves nothing out: nobody would be told
 */
export async function* readStream(
  stream: AsyncIterable<Uint8Array>,
  format: Format,
  name: string,
): AsyncGenerator<unknown> {
  let records: unknown[] = [];
  const parser = parserFor({ path: name }, { format, each: (record) => records.push(record), skipped() {} });
  let rest = Buffer.alloc(0);
  let at = 0;
  let newlines = 0;
  const parse = (last: boolean): void => {
    let used: number;
    try {
      used = parser.parse(rest, at, last);
    } catch (error) {
      throw error instanceof Misfit ? located(error, name, newlines) : error;
    }
    for (let i = rest.indexOf(NEWLINE); i >= 0 && i < used; i = rest.indexOf(NEWLINE, i + 1)) newlines++;
    at += used;
    rest = rest.subarray(used);
    if (rest.length > format.maxRecord) throw tooLong(name, at, format.maxRecord);
  };
  let begun = format.kind === 'fixed';
  for await (const bytes of stream) {
    rest = Buffer.concat([rest, bytes]);
    if (!begun && rest.length < 3) continue;
    if (!begun) {
      at = byteOrderMark(rest);
      rest = rest.subarray(at);
      begun = true;
    }
    parse(false);
    yield* records;
    records = [];
  }
  if (rest.length > 0 || format.kind === 'files') parse(true);
  yield* records;
}

function located({ byte, linesOn, message, cause }: Misfit, name: string, newlines: number): InputError {
  if (linesOn === undefined) return new InputError(`${name}: ${message}`, { path: name, byte }, { cause });
  const line = newlines + linesOn + 1;
  return new InputError(`${name}:${line}: ${message}`, { path: name, line, byte }, { cause });
}
