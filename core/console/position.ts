import { SourceMap } from 'node:module';
import type { Prepared } from './cell.ts';

export interface Position {
  /** Both count from 1. */
  line: number;
  column: number;
}

/** Offsets at which the lines of a text start. */
export const lineStarts = (text: string): number[] => [0, ...[...text.matchAll(/\n/g)].map((match) => match.index + 1)];

/** Where an offset of the script (the text without its types) stands in the text as it was typed. */
export function typedPosition(from: Pick<Prepared, 'script' | 'map' | 'lineOffset'>, offset: number): Position {
  const starts = lineStarts(from.script);
  const line = starts.findLastIndex((start) => start <= offset);
  const column = offset - starts[line]!;
  if (from.map === undefined) return { line: line + 1, column: column + 1 };
  const entry = new SourceMap(JSON.parse(from.map)).findEntry(line, column);
  if (!('originalLine' in entry)) return { line: 1, column: 1 };
  return { line: Math.max(1, entry.originalLine + 1 - from.lineOffset), column: entry.originalColumn + 1 };
}
