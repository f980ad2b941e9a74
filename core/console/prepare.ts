import { registerFinder } from '../places.ts';
import type { Cell, Prepared } from './cell.ts';
import { syntaxError } from './fault.ts';
import { sourceOffset } from './output.ts';
import { lineStarts, typedPosition } from './position.ts';
import { rewrite } from './rewrite.ts';
import { readText } from './text.ts';

const KEPT = 256;
const kept = new Map<string, Prepared>();
// Stack traces lead to texts long after they ran, so these are remembered for longer.
const REMEMBERED = 4_096;
const byUrl = new Map<string, Prepared>();
const SCHEME = 'tutti:///';
let texts = 0;

registerFinder((url, line, column) => {
  const prepared = byUrl.get(url);
  const start = prepared && lineStarts(prepared.cell.code)[line - 1];
  if (!prepared || start === undefined) return undefined;
  const position = typedPosition(prepared, sourceOffset(prepared.pieces, start + column - 1));
  return { file: url.slice(SCHEME.length), ...position, text: () => prepared.source };
});

/**
 * Makes a text that a person typed (TypeScript) ready to run on engines. A repeated text gives the same object, at the cost of a
 * look-up. Throws SyntaxError with the line, a caret under the fault, and the fields `line` and `column` (from 1).
 */
export function prepare(source: string, options: { params?: string[] } = {}): Prepared {
  const params = options.params ?? [];
  const key = `${params.join()}\n${source}`;
  let prepared = kept.get(key);
  if (prepared) kept.delete(key);
  else prepared = fresh(source, params);
  keep(kept, key, prepared, KEPT);
  return prepared;
}

/** The text that stack traces here call `cell-N.ts`, if it was prepared in this process and is still remembered. */
export function preparedAs(name: string): Prepared | undefined {
  return byUrl.get(SCHEME + name);
}

// The youngest is last.
function keep(map: Map<string, Prepared>, key: string, prepared: Prepared, most: number): void {
  map.set(key, prepared);
  if (map.size > most) map.delete(map.keys().next().value!);
}

function fresh(source: string, params: string[]): Prepared {
  const text = readText(source);
  try {
    const { pieces, ...ready } = rewrite(text.parsed(), text.script, source, params);
    const cell: Cell = { ...ready, url: `${SCHEME}cell-${++texts}.ts`, params };
    const { parsed: _, ...rest } = text;
    const prepared: Prepared = { cell, source, pieces, ...rest };
    keep(byUrl, cell.url, prepared, REMEMBERED);
    return prepared;
  } catch (error) {
    const { pos } = error as { pos?: number };
    if (!(error instanceof SyntaxError) || pos === undefined) throw error;
    const { line, column } = typedPosition(text, pos);
    throw syntaxError(source, error.message.replace(/ \(\d+:\d+\)$/, ''), line, column);
  }
}
