/** Splits by numbers of lines. */
import type { Format } from './format.ts';
import { Opened } from './opened.ts';
import { readPieces } from './read-piece.ts';
import type { Piece, Split } from './split.ts';

const LF = 10;

export async function* linePieces(piece: Piece, n: number): AsyncGenerator<Piece> {
  const file = await Opened.open(piece);
  try {
    let start = 0;
    let lines = 0;
    let at = 0;
    for await (const { memory, from, to } of file.blocks(0, piece.size)) {
      const bytes = memory.subarray(from, to);
      for (let found = bytes.indexOf(LF); found !== -1; found = bytes.indexOf(LF, found + 1)) {
        if (++lines < n) continue;
        yield { ...piece, start, end: at + found + 1 };
        start = at + found + 1;
        lines = 0;
      }
      at += bytes.length;
    }
    if (start < piece.size) yield { ...piece, start };
  } finally {
    await file.close();
  }
}

/** Of a compressed file, which can only be read from its beginning: the lines themselves travel. */
export async function* linesInMemory(
  piece: Piece,
  format: Format,
  n: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Split> {
  const records: string[] = [];
  let skipped: Record<string, number> = {};
  const setup = {
    format,
    each: (line: string) => records.push(line),
    skipped: (what: string) => (skipped[what] = (skipped[what] ?? 0) + 1),
  };
  const take = (count: number): Split => {
    const taken = records.splice(0, count);
    const split = { records: taken, bytes: taken.reduce((sum, line) => sum + line.length + 1, 0), skipped };
    skipped = {};
    return split;
  };
  for await (const _ of readPieces([piece], setup)) {
    signal?.throwIfAborted();
    while (records.length >= n) yield take(n);
  }
  while (records.length > 0) yield take(n);
  if (Object.keys(skipped).length > 0) yield take(0);
}
