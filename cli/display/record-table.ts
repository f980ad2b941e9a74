/** Lists of records as tables. */
import { inspect } from 'node:util';
import { cells } from './cells.ts';
import type { Look } from './value.ts';

const FEWEST_ROWS = 2;
const MOST_ROWS = 20;
const MOST_COLUMNS = 16;
const WIDEST_CELL = 40;

type Row = Record<string, unknown>;

/** Undefined where the list is none of records, or the table would not fit. */
export function recordTable(list: readonly unknown[], { width, colours }: Look): string | undefined {
  if (list.length < FEWEST_ROWS || !list.every(isRecord)) return undefined;
  const shown = list.length > MOST_ROWS ? list.slice(0, MOST_ROWS - 1) : list;
  const columns = [...new Set(shown.flatMap((row) => Object.keys(row)))];
  if (!columns.length || columns.length > MOST_COLUMNS) return undefined;
  const rows = shown.map((row, i) => [i, ...columns.map((column) => cell(row, column))]);
  const lines = cells(['', ...columns], rows, colours);
  if (lines.width > width - 1) return undefined;
  const more = list.length - shown.length;
  return [...lines.lines, ...(more ? [`… and ${more} rows more`] : [])].join('\n');
}

function isRecord(value: unknown): value is Row {
  if (typeof value !== 'object' || value === null) return false;
  const parent = Object.getPrototypeOf(value);
  return (parent === Object.prototype || parent === null) && Object.keys(value).length > 0;
}

function cell(row: Row, column: string): string | number {
  if (!Object.hasOwn(row, column)) return '';
  const value = row[column];
  if (typeof value === 'number') return value;
  const text = typeof value === 'string' ? value : inspect(value, { depth: 0, breakLength: Number.POSITIVE_INFINITY });
  const line = text.replaceAll('\n', '⏎');
  return line.length > WIDEST_CELL ? `${line.slice(0, WIDEST_CELL - 1)}…` : line;
}
