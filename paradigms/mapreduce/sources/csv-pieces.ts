/** Parts of a large CSV file that begin and end between records, newlines in quoted fields or not. */
import { CsvText, columnsFault, trimmed } from './csv-text.ts';
import type { CsvFormat } from './format.ts';
import { joined, Opened } from './opened.ts';
import { cuts, tooLong } from './range.ts';
import { byteOrderMark } from './read-piece.ts';
import type { Piece } from './split.ts';
import { decoded } from './utf8.ts';

export async function* csvPieces(piece: Piece, format: CsvFormat, splitSize: number): AsyncGenerator<Piece> {
  const file = await Opened.open(piece);
  try {
    const header = format.header === true ? await headerOf(file, format) : { end: 0 };
    // The one who reads it says what is wrong with the header, and where.
    if (!header) return yield piece;
    const { end: least, ...columns } = header;
    const exact = format.multiline;
    let start = 0;
    for await (const end of exact ? boundaries(file, format, splitSize) : cuts(piece, splitSize)) {
      // The header is in the first part, also behind empty lines.
      if (end < least) continue;
      yield { ...piece, start, end, exact, ...(start > 0 && columns) };
      start = end;
    }
  } finally {
    await file.close();
  }
}

/** With where it ends. */
async function headerOf(
  file: Opened,
  format: CsvFormat,
): Promise<{ columns: readonly string[]; end: number } | undefined> {
  const csv = new CsvText(format);
  let rest: Buffer = Buffer.alloc(0);
  for await (const { memory, from, to } of file.blocks(0, Math.min(file.piece.size, format.maxRecord))) {
    rest = Buffer.concat([rest, memory.subarray(from, to)]);
    const mark = byteOrderMark(rest);
    const text = rest.toString('latin1', mark);
    for (let from = 0, end = 0; from < text.length; from = end) {
      end = csv.end(text, from, csv.nextQuote(text, from));
      if (end === -1) break;
      const record = trimmed(text, from, end);
      if (record === '') continue;
      const fields = decoded(Buffer.from(record, 'latin1'));
      const columns = fields === undefined ? 'not UTF-8' : csv.fields(fields);
      if (typeof columns === 'string' || columnsFault(columns) !== undefined) return undefined;
      return { columns, end: mark + end };
    }
  }
  return undefined;
}

/** Ends of parts of about the size, the last one at the end of the file. Looks at the file once. */
async function* boundaries(file: Opened, format: CsvFormat, splitSize: number): AsyncGenerator<number> {
  const { size, path } = file.piece;
  const csv = new CsvText(format);
  let wanted = splitSize;
  let rest: Buffer = Buffer.alloc(0);
  let at = 0;
  for await (const block of file.blocks(0, size)) {
    const bytes = joined(rest, block);
    const text = bytes.toString('latin1');
    let from = at === 0 ? byteOrderMark(bytes) : 0;
    for (let quote = -1; ; ) {
      if (quote < from) quote = csv.nextQuote(text, from);
      // As long as there is no quote, each newline ends a record.
      const last = Math.min(quote, Math.max(wanted - at, 0));
      from = Math.max(from, last > 0 ? text.lastIndexOf('\n', last - 1) + 1 : 0);
      const end = csv.end(text, from, quote);
      if (end === -1) break;
      from = end;
      if (at + from < wanted || at + from === size) continue;
      yield at + from;
      wanted = at + from + splitSize;
    }
    at += from;
    rest = bytes.subarray(from);
    if (rest.length > format.maxRecord) throw tooLong(path, at, format.maxRecord);
  }
  yield size;
}
