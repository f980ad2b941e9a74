/** Rows of CSV, as objects by their header, or as arrays. */
import { CsvText, columnsFault, trimmed } from './csv-text.ts';
import { Misfit } from './errors.ts';
import type { CsvFormat, OnInvalid } from './format.ts';
import type { Parser, ParserSetup } from './parser.ts';
import { COUNTED_INVALID, decoded, invalidText } from './utf8.ts';

const LF = 10;

interface Complaint {
  what: string;
  /** Of a record that is left out. */
  counted?: string;
}

export class CsvParser implements Parser {
  readonly #setup: ParserSetup<CsvFormat>;
  readonly #csv: CsvText;
  #columns: readonly string[] | undefined;

  /** `columns`: of a header that is not in these bytes. */
  constructor(setup: ParserSetup<CsvFormat>, columns: readonly string[] | undefined) {
    const { header } = setup.format;
    this.#setup = setup;
    this.#csv = new CsvText(setup.format);
    this.#columns = columns ?? (typeof header === 'boolean' ? undefined : header);
  }

  parse(bytes: Buffer, at: number, last: boolean): number {
    const whole = last ? bytes : bytes.subarray(0, bytes.lastIndexOf(LF) + 1);
    const valid = decoded(whole);
    // Where something is not UTF-8, the fields are found among the bytes, and made text one by one.
    const text = valid ?? whole.toString('latin1');
    const csv = this.#csv;
    let from = 0;
    for (let quote = -1; from < text.length; ) {
      if (quote < from) quote = csv.nextQuote(text, from);
      const found = csv.end(text, from, quote);
      if (found === -1 && !last) break;
      const end = found === -1 ? text.length : found;
      const complaint = this.#row(trimmed(text, from, end), valid !== undefined);
      if (complaint?.counted !== undefined) this.#setup.skipped(complaint.counted);
      else if (complaint) throw new Misfit(complaint.what, { byte: at, linesOn: newlines(text, from) });
      from = end;
    }
    return text.length === whole.length ? from : Buffer.byteLength(text.slice(0, from));
  }

  #row(record: string, valid: boolean): Complaint | undefined {
    if (record === '') return undefined;
    const { header, invalid } = this.#setup.format;
    const found = this.#csv.fields(record);
    if (typeof found === 'string') return this.#bad(`bad CSV: ${found}`);
    const fields = valid ? found : found.map((field) => fromLatin1(field, invalid));
    const wrong = fields.indexOf(undefined);
    if (wrong !== -1) {
      const what = invalidText(Buffer.from(found[wrong]!, 'latin1'), this.#begun ? 1 : 0);
      return invalid === 'skip' && this.#begun ? { what, counted: COUNTED_INVALID } : { what };
    }
    const row = fields as string[];
    if (header === false) this.#setup.each(row);
    else if (!this.#columns) {
      const what = columnsFault(row);
      if (what !== undefined) return { what };
      this.#columns = row;
    } else if (row.length === this.#columns.length) this.#setup.each(named(this.#columns, row));
    else return this.#bad(`bad CSV: ${row.length} fields where the header has ${this.#columns.length}`);
    return undefined;
  }

  /** A header that is wrong is wrong for every record. */
  get #begun(): boolean {
    return this.#columns !== undefined || this.#setup.format.header === false;
  }

  #bad(what: string): Complaint {
    const { bad } = this.#setup.format;
    return bad === 'skip' && this.#begun
      ? { what, counted: 'bad CSV' }
      : { what: `${what}. Mend it, or say { bad: 'skip' }` };
  }
}

function named(columns: readonly string[], row: readonly string[]): Record<string, string> {
  const record: Record<string, string> = {};
  for (let i = 0; i < columns.length; i++) record[columns[i]!] = row[i]!;
  return record;
}

function fromLatin1(field: string, invalid: OnInvalid): string | undefined {
  const bytes = Buffer.from(field, 'latin1');
  return decoded(bytes) ?? (invalid === 'replace' ? bytes.toString() : undefined);
}

function newlines(text: string, end: number): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at !== -1 && at < end; at = text.indexOf('\n', at + 1)) count++;
  return count;
}
