import type { Piece } from './output.ts';

/** One text, ready to run on an engine. Plain data: it travels. */
export interface Cell {
  /** JavaScript: a program, or (`wrapped`) an expression that gives a function of `params`. */
  code: string;
  /** What stack traces call the text: `tutti:///cell-N.ts`. */
  url: string;
  /** Names that the text declares; the engine makes them properties of its global before running. */
  declared: string[];
  wrapped: boolean;
  async: boolean;
  params: string[];
}

/** A cell, and what stays behind to lead positions in it back to the text as it was typed. */
export interface Prepared {
  cell: Cell;
  source: string;
  /** The JavaScript that `pieces` refer to: `source` itself, or what is left of it without its types. */
  script: string;
  pieces: Piece[];
  /** Source map (JSON) from `script` to `source`; absent where they are the same. */
  map?: string;
  /** Lines that stood before `source` when its types were stripped. */
  lineOffset: number;
}
