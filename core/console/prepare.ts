import type { Cell, Prepared } from './cell.ts';
import { syntaxError } from './fault.ts';
import { typedPosition } from './position.ts';
import { rewrite } from './rewrite.ts';
import { readText } from './text.ts';

const KEPT = 256;
const kept = new Map<string, Prepared>();
// Stack traces lead to texts long after they ran, so these are remembered for longer.
const REMEMBERED = 1024;
const byUrl = new Map<string, Prepared>();
let texts = 0;

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

/** The text that stack traces call `url`, if it was prepared in this process and is still remembered. */
export function preparedAt(url: string): Prepared | undefined {
  return byUrl.get(url);
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
    const cell: Cell = { ...ready, url: `tutti:///cell-${++texts}.ts`, params };
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
