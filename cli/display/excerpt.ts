/** The line of the user's that an error comes from, with a caret. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { preparedAt } from '../../core/console/prepare.ts';

const PLACE = /\(?((?:file:|tutti:)?\/[^\s():]*):(\d+):(\d+)\)?$/;
/** Of a longer line, the part around the caret. */
const ROOM = 100;

/** Undefined where the source is not to be had: an engine's files need not be here. */
export function excerptOf(frame: string): string | undefined {
  const [, url, line, column] = PLACE.exec(frame.trimEnd()) ?? [];
  if (url === undefined) return undefined;
  const text = sourceOf(url)?.split('\n')[Number(line) - 1]?.replace(/\r$/, '').replaceAll('\t', ' ');
  const at = Number(column) - 1;
  if (!text?.trim() || at > text.length) return undefined;
  const from = text.length > ROOM ? Math.max(0, at - ROOM / 2) : text.search(/\S/);
  return `${text.slice(from, from + ROOM)}\n${' '.repeat(Math.max(0, at - from))}^`;
}

function sourceOf(url: string): string | undefined {
  if (url.startsWith('tutti:')) return preparedAt(url)?.source;
  try {
    return readFileSync(url.startsWith('file:') ? fileURLToPath(url) : url, 'utf8');
  } catch {
    return undefined;
  }
}
