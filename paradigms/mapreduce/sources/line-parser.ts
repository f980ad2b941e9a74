/** Lines, and lines of JSON. */
import { Misfit } from './errors.ts';
import type { JsonlFormat, LinesFormat, OnInvalid, PairsFormat } from './format.ts';
import type { CountSkipped, Parser, ParserSetup } from './parser.ts';
import { COUNTED_INVALID, decoded, firstInvalid, invalidText } from './utf8.ts';

const LF = 10;
const CR = 13;

export function lineParser({ format: { invalid }, each, skipped }: ParserSetup<LinesFormat | PairsFormat>): Parser {
  return {
    parse(bytes, at, last) {
      const whole = wholeLines(bytes, last);
      const text = decoded(whole);
      // For most there is nothing to know but the line.
      if (text !== undefined) eachLine(text, each);
      else eachInvalid(whole, at, { invalid, skipped }, each);
      return whole.length;
    },
  };
}

export function pairParser(setup: ParserSetup<PairsFormat>): Parser {
  const { separator } = setup.format;
  const each = (line: string): void => {
    const at = line.indexOf(separator);
    setup.each(at === -1 ? [line, ''] : [line.slice(0, at), line.slice(at + separator.length)]);
  };
  return lineParser({ ...setup, each });
}

export function jsonlParser({ format: { invalid, bad }, each, skipped }: ParserSetup<JsonlFormat>): Parser {
  return {
    parse(bytes, at, last) {
      const whole = wholeLines(bytes, last);
      const text = decoded(whole);
      let linesOn = 0;
      const parse = (line: string, number = linesOn++): void => {
        let value: unknown;
        try {
          value = JSON.parse(line);
        } catch (error) {
          if (line.trim() === '') return;
          if (bad === 'skip') {
            skipped('not JSON');
            return;
          }
          throw new Misfit(
            `no JSON: ${(error as Error).message}. Mend it, or say { bad: 'skip' }`,
            { byte: at, linesOn: number },
            { cause: error },
          );
        }
        each(value);
      };
      if (text !== undefined) eachLine(text, parse);
      else eachInvalid(whole, at, { invalid, skipped }, parse);
      return whole.length;
    },
  };
}

function wholeLines(bytes: Buffer, last: boolean): Buffer {
  return last ? bytes : bytes.subarray(0, bytes.lastIndexOf(LF) + 1);
}

function eachLine(text: string, each: (line: string) => void): void {
  let from = 0;
  for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', from)) {
    each(text.slice(from, end > from && text.charCodeAt(end - 1) === CR ? end - 1 : end));
    from = end + 1;
  }
  if (from < text.length) each(text.slice(from));
}

/** Line by line, since one of them is not UTF-8. */
function eachInvalid(
  bytes: Buffer,
  at: number,
  { invalid, skipped }: { invalid: OnInvalid; skipped: CountSkipped },
  each: (line: string, number: number) => void,
): void {
  for (let from = 0, number = 0; from < bytes.length; number++) {
    const found = bytes.indexOf(LF, from);
    const next = found === -1 ? bytes.length : found + 1;
    const line = bytes.subarray(
      from,
      found === -1 ? next : found > from && bytes[found - 1] === CR ? found - 1 : found,
    );
    const text = decoded(line) ?? (invalid === 'replace' ? line.toString() : undefined);
    if (text !== undefined) each(text, number);
    else if (invalid === 'skip') skipped(COUNTED_INVALID);
    else throw new Misfit(invalidText(line, at + from), { byte: at + from + firstInvalid(line), linesOn: 0 });
    from = next;
  }
}
