/** The records of a file, or of a part of it. */
import { CsvParser } from './csv-parser.ts';
import { InputError, Misfit } from './errors.ts';
import { fileParser } from './file-parser.ts';
import type { Format } from './format.ts';
import { jsonlParser, lineParser } from './line-parser.ts';
import { joined, Opened } from './opened.ts';
import type { Parser, ParserSetup } from './parser.ts';
import { lineRange, tooLong } from './range.ts';
import type { Piece } from './split.ts';
import { unpacked } from './unpack.ts';

const NOTHING = Buffer.alloc(0);

/** Calls `each` of the setup for each record, synchronously, and yields after each block: how many bytes of it were read. */
export async function* readPiece(piece: Piece, setup: ParserSetup): AsyncGenerator<number> {
  const file = await Opened.open(piece);
  try {
    const { format } = setup;
    const { maxRecord } = format;
    const { start, end } = await lineRange(file, maxRecord);
    const parser = parserFor(piece, setup);
    let rest: Buffer = NOTHING;
    let at = start;
    let begun = false;
    for await (const block of unpacked(file, start, end)) {
      let bytes = joined(rest, block);
      if (!begun && start === 0 && !(format.kind === 'files' && format.as === 'bytes')) {
        const mark = byteOrderMark(bytes);
        bytes = bytes.subarray(mark);
        at += mark;
      }
      begun = true;
      const used = await parsed(file, () => parser.parse(bytes, at, false));
      at += used;
      rest = bytes.subarray(used);
      if (rest.length > maxRecord) throw tooLong(piece.path, at, maxRecord);
      yield block.to - block.from;
    }
    // An empty file is an empty text, and no lines.
    if (rest.length > 0 || format.kind === 'files') await parsed(file, () => parser.parse(rest, at, true));
    await file.check();
  } finally {
    await file.close();
  }
}

/** Of UTF-8. A block is at least as long, or all there is. */
export function byteOrderMark(bytes: Buffer): number {
  return bytes.length >= 3 && bytes.readUIntBE(0, 3) === 0xefbbbf ? 3 : 0;
}

function parserFor(piece: Piece, setup: ParserSetup): Parser {
  const { format } = setup;
  if (is(setup, 'lines')) return lineParser(setup);
  if (is(setup, 'jsonl')) return jsonlParser(setup);
  if (is(setup, 'csv')) return new CsvParser(setup, piece.columns);
  if (is(setup, 'files')) return fileParser(setup, piece.path);
  throw new TypeError(`no format is called ${(format as Format).kind}`);
}

function is<K extends Format['kind']>(setup: ParserSetup, kind: K): setup is ParserSetup<Extract<Format, { kind: K }>> {
  return setup.format.kind === kind;
}

async function parsed(file: Opened, parse: () => number): Promise<number> {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof Misfit)) throw error;
    const { path } = file.piece;
    const { byte, linesOn, message, cause } = error;
    const line = (await newlinesBefore(file, byte)) + linesOn + 1;
    throw new InputError(`${path}:${line}: ${message}`, { path, line, byte }, { cause });
  }
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
