/** Records as text. */
import { UsageError } from '../../../core/index.ts';
import type { OutputSpec } from './spec.ts';

/** A record as one line, with its newline. */
export type EncodeRecord = (key: unknown, value: unknown) => string;

export function encoderFor({ format = 'jsonl', columns }: OutputSpec): EncodeRecord {
  if (format === 'text') return (key, value) => `${textLine(key, value)}\n`;
  if (format === 'csv') return (key, value) => csvLine(key, value, columns);
  return (key, value) => `${jsonOf(key === undefined ? value : [key, value])}\n`;
}

/** The first line of each file, if it has one. */
export function headerOf({ format, columns }: OutputSpec): string {
  return format === 'csv' && columns ? `${columns.map(quoted).join()}\n` : '';
}

/** Throws where JSON would lose something without a word. */
function jsonOf(value: unknown): string {
  checkJson(value, '');
  return JSON.stringify(value) ?? 'null';
}

function checkJson(value: unknown, path: string): void {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null || value === undefined) return;
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw unfit(String(value), path);
  } else if (typeof value !== 'object') throw unfit(`a ${typeof value}`, path);
  else if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) checkJson(value[i], `${path}[${i}]`);
  } else if (typeof (value as { toJSON?: unknown }).toJSON === 'function') return;
  else if (value instanceof Map || value instanceof Set || ArrayBuffer.isView(value))
    throw unfit(`a ${value.constructor.name}`, path);
  else for (const [name, one] of Object.entries(value)) checkJson(one, `${path}.${name}`);
}

function unfit(what: string, path: string): UsageError {
  return new UsageError(
    `JSON has no way to write ${what}, which is in the output${path && ` at ${path}`}. Emit something else: a list, a number, a string`,
  );
}

/** What is not a string is written as JSON. */
function textOf(value: unknown): string {
  return typeof value === 'string'
    ? value
    : typeof value === 'object' && value !== null
      ? jsonOf(value)
      : String(value);
}

function textLine(key: unknown, value: unknown): string {
  if (key === undefined || key === null) return textOf(value);
  return value === undefined || value === null ? textOf(key) : `${textOf(key)}\t${textOf(value)}`;
}

function csvLine(key: unknown, value: unknown, columns: readonly string[] | undefined): string {
  const first = csvFields(key, columns);
  const fields = [...first, ...csvFields(value, columns?.slice(first.length))];
  if (columns && fields.length !== columns.length)
    throw new UsageError(
      `Output as csv has ${columns.length} columns, ${columns.join()}; a record has ${fields.length} fields: ${fields.join()}`,
    );
  // One empty field has to be told from an empty line.
  return `${fields.map(quoted).join() || '""'}\n`;
}

function csvFields(value: unknown, columns: readonly string[] | undefined): string[] {
  if (value === undefined) return [];
  if (Array.isArray(value)) return value.map(csvField);
  if (typeof value !== 'object' || value === null || value instanceof Date) return [csvField(value)];
  if (!columns)
    throw new UsageError('Output as csv of values that are objects needs { columns: [...] }, or emit lists');
  return columns.map((name) => csvField((value as Record<string, unknown>)[name]));
}

function csvField(value: unknown): string {
  return value === null || value === undefined ? '' : textOf(value);
}

function quoted(field: string): string {
  return /[",\r\n]|^\s|\s$/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}
