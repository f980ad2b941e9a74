/** A whole file as one record. */
import { Misfit } from './errors.ts';
import type { FilesFormat } from './format.ts';
import type { Parser, ParserSetup } from './parser.ts';
import { COUNTED_INVALID, decoded, firstInvalid, invalidText } from './utf8.ts';

export function fileParser({ format, each, skipped }: ParserSetup<FilesFormat>, path: string): Parser {
  return {
    parse(bytes, at, last) {
      if (!last) return 0;
      // The memory is read into again.
      if (format.as === 'bytes') each({ path, bytes: new Uint8Array(bytes) });
      else {
        const text = decoded(bytes) ?? (format.invalid === 'replace' ? bytes.toString() : undefined);
        if (text !== undefined) each({ path, text });
        else if (format.invalid === 'skip') skipped(COUNTED_INVALID);
        else throw new Misfit(invalidText(bytes, at), { byte: at + firstInvalid(bytes), linesOn: 0 });
      }
      return bytes.length;
    },
  };
}
