import type { Format } from './format.ts';

/** Bytes in, records out. One for each piece, which it is given in order. */
export interface Parser {
  /**
   * Gives the records that end within `bytes`, and returns how many bytes they took; the rest comes again, with what follows it.
   * `at`: where in the file `bytes` begin. `last`: nothing follows. Throws Misfit.
   */
  parse(bytes: Buffer, at: number, last: boolean): number;
}

export type Each = (record: any) => void;
/** Of group `input`: `name` is what was left out. */
export type CountSkipped = (name: string) => void;
export interface ParserSetup<F extends Format = Format> {
  format: F;
  each: Each;
  skipped: CountSkipped;
}
