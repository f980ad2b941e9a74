/** The line of the user's that an error comes from, with a caret. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { preparedAs } from '../../core/console/prepare.ts';
import { excerptAt } from '../../core/places.ts';

const PLACE = /\(?((?:file:\/\/)?\/[^\s():]*|cell-\d+\.ts):(\d+):(\d+)\)?$/;

/** Undefined where the source is not to be had: an engine's files need not be here. */
export function excerptOf(frame: string): string | undefined {
  const [, file, line, column] = PLACE.exec(frame.trimEnd()) ?? [];
  const text = file === undefined ? undefined : sourceOf(file);
  return text === undefined ? undefined : excerptAt(text, Number(line), Number(column));
}

function sourceOf(file: string): string | undefined {
  const typed = preparedAs(file);
  if (typed) return typed.source;
  try {
    return readFileSync(file.startsWith('file:') ? fileURLToPath(file) : file, 'utf8');
  } catch {
    return undefined;
  }
}
