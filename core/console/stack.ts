import type { Prepared } from './cell.ts';
import { sourceOffset } from './output.ts';
import { lineStarts, typedPosition } from './position.ts';
import { preparedAt } from './prepare.ts';

/**
 * Rewrites positions in a stack trace to the user's own lines and columns: those of this cell, and those of the earlier texts
 * of this process that are remembered, whose functions it may have called. Other frames stay as they are.
 */
export function mapStack(stack: string, prepared: Prepared): string {
  return stack.replaceAll(/(tutti:\/\/\/cell-\d+\.ts):(\d+):(\d+)/g, (whole, url, line, column) => {
    const text = url === prepared.cell.url ? prepared : preparedAt(url);
    const start = text && lineStarts(text.cell.code)[line - 1];
    if (start === undefined) return whole;
    const position = typedPosition(text!, sourceOffset(text!.pieces, start + Number(column) - 1));
    return `${url}:${position.line}:${position.column}`;
  });
}
