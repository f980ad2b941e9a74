/** Ranges that were cut anywhere, moved to where records begin: a line belongs to the range that its first byte lies in. */
import { InputError } from './errors.ts';
import type { Opened } from './opened.ts';
import type { Piece } from './split.ts';

const STEP = 1 << 16;
const LF = 10;

/** Ends of parts of equal size. */
export function* cuts({ size }: Piece, splitSize: number): Generator<number> {
  const count = Math.ceil(size / splitSize);
  for (let i = 1; i < count; i++) yield Math.floor((size / count) * i);
  yield size;
}

/** Parts that are cut anywhere. */
export function* ranges(piece: Piece, splitSize: number): Generator<Piece> {
  let start = 0;
  for (const end of cuts(piece, splitSize)) {
    yield { ...piece, start, end, exact: false };
    start = end;
  }
}

export async function lineRange(file: Opened, maxRecord: number): Promise<{ start: number; end: number }> {
  const { start, end, exact } = file.piece;
  if (exact) return { start, end };
  const first = await lineStart(file, start, maxRecord);
  return { start: first, end: first >= end ? first : await lineStart(file, end, maxRecord) };
}

/** Where the first line begins that does not begin before `from`. */
async function lineStart(file: Opened, from: number, maxRecord: number): Promise<number> {
  const { path, size } = file.piece;
  if (from === 0 || from >= size) return Math.min(from, size);
  for (let at = from - 1; at < size; at += STEP) {
    const found = (await file.at(at, STEP)).indexOf(LF);
    if (found !== -1) return at + found + 1;
    if (at - from > maxRecord) throw tooLong(path, from, maxRecord);
  }
  return size;
}

export function tooLong(path: string, byte: number, maxRecord: number): InputError {
  return new InputError(
    `${path} has a record of more than ${maxRecord} bytes around byte ${byte}. Is it of this format? If so, say { maxRecord: bytes }`,
    { path, byte },
  );
}
