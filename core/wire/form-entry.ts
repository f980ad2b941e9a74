/**
 * Forms (see forms.ts) as entries of a table:
 * `code hash name k v k v…`, `module hash export`, `builtin module export`, `need index`, `ref expression`.
 */
import type { Form } from './forms.ts';
import { malformed } from './malformed.ts';

/** Where the captures of a `code` entry begin. */
const CAPTURES = 3;

const WORDS: ReadonlySet<unknown> = new Set(['code', 'module', 'builtin', 'need', 'ref']);

export function isFormEntry(entry: readonly unknown[]): boolean {
  return WORDS.has(entry[0]);
}

/** One without captures, or what else may stand for something in the table. */
export function isLoneForm(entry: unknown): entry is readonly unknown[] {
  return Array.isArray(entry) && isFormEntry(entry) && entry.length <= CAPTURES;
}

/** The entry without the captures, which are walked. */
export function formEntry(form: Exclude<Form, { kind: 'value' }>): [string, ...unknown[]] {
  switch (form.kind) {
    case 'code':
      return [form.kind, form.hash, form.name];
    case 'module':
      return [form.kind, form.hash, form.export];
    case 'builtin':
      return [form.kind, form.module, form.export];
    case 'need':
      return [form.kind, form.index];
    case 'ref':
      return [form.kind, form.expression];
  }
}

/** The form again, without the captures in the elements that are `late`. Throws ProtocolError. */
export function entryForm(entry: readonly unknown[], late: ReadonlySet<number>): Form {
  const [kind, first, second] = entry;
  switch (kind) {
    case 'code':
      return { kind, hash: text(first), name: text(second), captures: entryCaptures(entry, late) };
    case 'module':
      return { kind, hash: text(first), export: textOrNull(second) };
    case 'builtin':
      return { kind, module: text(first), export: textOrNull(second) };
    case 'need':
      if (!Number.isInteger(first)) throw malformed('a need without its index');
      return { kind, index: first as number };
    default:
      return { kind: 'ref', expression: text(first) };
  }
}

export function entryCaptures(entry: readonly unknown[], late?: ReadonlySet<number>): Record<string, unknown> {
  const captured: Record<string, unknown> = {};
  for (let i = CAPTURES; i + 1 < entry.length; i += 2) {
    if (late?.has(i + 1)) continue;
    const field = { value: entry[i + 1], enumerable: true, configurable: true, writable: true };
    Object.defineProperty(captured, text(entry[i]), field);
  }
  return captured;
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw malformed('a form without its text');
  return value;
}

function textOrNull(value: unknown): string | null {
  return value === null ? null : text(value);
}
