/** The records of a file, or of a part of it. */
import { CsvParser } from './csv-parser.ts';
import { InputError, Misfit } from './errors.ts';
import { fileParser } from './file-parser.ts';
import { fixedParser } from './fixed-parser.ts';
import type { Format } from './format.ts';
import { jsonlParser, lineParser, pairParser } from './line-parser.ts';
import { joined, type Opened, openAhead } from './opened.ts';
import type { Parser, ParserSetup } from './parser.ts';
import { lineRange, tooLong } from './range.ts';
import type { Piece } from './split.ts';
import { unpacked } from './unpack.ts';

const NOTHING = Buffer.alloc(0);
/**
 * Made text at a time. Where there is one character that is not ASCII, the whole text takes twice the memory and more time; and records
 * that are cut out of a text keep all of it in memory.
 */
const SEGMENT = 1 << 16;

/** Calls `each` of the setup for each record, synchronously, and yields after each block: how many bytes of those on disk were read. */
export async function* readPieces(
  pieces: readonly Piece[],
  setup: ParserSetup,
  begins?: (path: string) => void,
): AsyncGenerator<number> {
  for await (const file of openAhead(pieces)) {
    begins?.(file.piece.path);
    yield* readPiece(file, setup);
  }
}

async function* readPiece(file: Opened, setup: ParserSetup): AsyncGenerator<number> {
  try {
    yield* readOpened(file, setup);
    await file.check();
  } catch (error) {
    throw error instanceof Misfit ? await located(file, error) : error;
  } finally {
    await file.close();
  }
}

async function* readOpened(file: Opened, setup: ParserSetup): AsyncGenerator<number> {
  const { piece } = file;
  const { format } = setup;
  const { start, end } = await lineRange(file, format.maxRecord);
  const parser = parserFor(piece, setup);
  const asIs = format.kind === 'fixed' || (format.kind === 'files' && format.as === 'bytes');
  let rest: Buffer = NOTHING;
  let at = start;
  let begun = start > 0 || asIs;
  for await (const block of unpacked(file, start, end)) {
    const bytes = joined(rest, block);
    let from = begun ? 0 : byteOrderMark(bytes);
    begun = true;
    for (let size = SEGMENT; ; ) {
      const used = parser.parse(bytes.subarray(from, from + size), at + from, false);
      from += used;
      if (used > 0) size = SEGMENT;
      else if (from + size < bytes.length) size *= 2;
      else break;
    }
    at += from;
    rest = bytes.subarray(from);
    if (rest.length > format.maxRecord) throw tooLong(piece.path, at, format.maxRecord);
    yield piece.compression ? file.takeRawBytes() : block.to - block.from;
  }
  // An empty file is an empty text, and no lines.
  if (rest.length > 0 || format.kind === 'files') parser.parse(rest, at, true);
  yield file.takeRawBytes();
}

/** Of UTF-8. A block is at least as long, or all there is. */
export function byteOrderMark(bytes: Buffer): number {
  return bytes.length >= 3 && bytes.readUIntBE(0, 3) === 0xefbbbf ? 3 : 0;
}

export function parserFor(piece: Pick<Piece, 'path' | 'columns'>, setup: ParserSetup): Parser {
  const { format } = setup;
  if (is(setup, 'lines')) return lineParser(setup);
  if (is(setup, 'pairs')) return pairParser(setup);
  if (is(setup, 'fixed')) return fixedParser(setup);
  if (is(setup, 'jsonl')) return jsonlParser(setup);
  if (is(setup, 'csv')) return new CsvParser(setup, piece.columns);
  if (is(setup, 'files')) return fileParser(setup, piece.path);
  throw new TypeError(`no format is called ${(format as Format).kind}`);
}

function is<K extends Format['kind']>(setup: ParserSetup, kind: K): setup is ParserSetup<Extract<Format, { kind: K }>> {
  return setup.format.kind === kind;
}

async function located(file: Opened, { byte, linesOn, message, cause }: Misfit): Promise<InputError> {
  const { path } = file.piece;
  if (linesOn === undefined) return new InputError(`${path}: ${message}`, { path, byte }, { cause });
  const line = (await newlinesBefore(file, byte)) + linesOn + 1;
  return new InputError(`${path}:${line}: ${message}`, { path, line, byte }, { cause });
}

/** Reads the file from its beginning. */
async function newlinesBefore(file: Opened, byte: number): Promise<number> {
  let count = 0;
  let at = 0;
  for await (const { memory, from, to } of unpacked(file, 0, file.piece.size)) {
    const bytes = memory.subarray(from, Math.min(to, from + byte - at));
    for (let found = bytes.indexOf(10); found !== -1; found = bytes.indexOf(10, found + 1)) count++;
    at += bytes.length;
    if (at >= byte) break;
  }
  return count;
}
