import type { Piece } from './output.ts';

/** One text, ready to run on an engine. Plain data: it travels. */
export interface Cell {
  /** JavaScript: a program, or (`wrapped`) an expression that gives a function of `params`. */
  code: string;
  /** What stack traces call the text where it runs: `tutti:///cell-N.ts`. Where it was typed it is `cell-N.ts`. */
  url: string;
  /** Names that the text declares; the engine makes them properties of its global before running. */
  declared: string[];
  wrapped: boolean;
  async: boolean;
  params: string[];
}

export interface Position {
  /** Both count from 1. */
  line: number;
  column: number;
}

/** A text as far as it is JavaScript. */
export interface Text {
  /** The text itself, or what is left of it without its types. */
  script: string;
  /** Where a place of `script` (both from 0) stands in the text as it was typed; absent where they are the same. */
  typed?: (line: number, column: number) => Position;
}

/** A cell, and what stays behind to lead positions in it back to the text as it was typed. */
export interface Prepared extends Text {
  cell: Cell;
  source: string;
  /** They refer to `script`. */
  pieces: Piece[];
}
