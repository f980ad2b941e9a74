import type { Position, Text } from './cell.ts';

/** Offsets at which the lines of a text start. */
export const lineStarts = (text: string): number[] => [0, ...[...text.matchAll(/\n/g)].map((match) => match.index + 1)];

/** Where an offset of the script (the text without its types) stands in the text as it was typed. */
export function typedPosition({ script, typed }: Text, offset: number): Position {
  const starts = lineStarts(script);
  const line = starts.findLastIndex((start) => start <= offset);
  const column = offset - starts[line]!;
  return typed?.(line, column) ?? { line: line + 1, column: column + 1 };
}
