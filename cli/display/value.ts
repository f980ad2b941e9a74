/** Values as a console shows them: what a value says of itself, tables, summaries of numbers, else as Node shows it. */
import { inspect, types } from 'node:util';
import { AsyncResult } from '../../core/client/async-result.ts';
import { offeredText } from '../../core/offered-text.ts';
import { summary } from './numbers.ts';
import { pendingText } from './pending.ts';
import { recordTable } from './record-table.ts';

export interface Look {
  colours: boolean;
  /** Columns of the terminal. */
  width: number;
}

export function display(value: unknown, look: Look): string {
  return (
    offeredText(value) ??
    (value instanceof AsyncResult ? pendingText(value) : undefined) ??
    (Array.isArray(value) ? recordTable(value, look) : undefined) ??
    (types.isTypedArray(value) ? summary(value) : undefined) ??
    plain(value, look)
  );
}

export function plain(value: unknown, { colours, width }: Look): string {
  return inspect(value, { colors: colours, breakLength: Math.max(40, width - 1) });
}
