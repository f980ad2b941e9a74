/** Records of so many bytes each. */
import { Misfit } from './errors.ts';
import type { FixedFormat } from './format.ts';
import type { Parser, ParserSetup } from './parser.ts';
import type { Piece } from './split.ts';

export function fixedParser({ format: { length, bad }, each, skipped }: ParserSetup<FixedFormat>): Parser {
  return {
    parse(bytes, at, last) {
      const whole = bytes.length - (bytes.length % length);
      // The memory is read into again.
      for (let from = 0; from < whole; from += length) each(new Uint8Array(bytes.subarray(from, from + length)));
      const left = bytes.length - whole;
      if (!last || left === 0) return whole;
      if (bad === 'fail')
        throw new Misfit(
          `it ends with ${left} bytes, and a record has ${length}. Is it whole? If so, say { bad: 'skip' }`,
          {
            byte: at + whole,
          },
        );
      skipped('not whole');
      return bytes.length;
    },
  };
}

/** Parts of whole records. */
export function* fixedPieces(piece: Piece, length: number, splitSize: number): Generator<Piece> {
  const step = Math.max(1, Math.floor(splitSize / length)) * length;
  for (let start = 0; start < piece.size; start += step)
    yield { ...piece, start, end: Math.min(start + step, piece.size) };
}
