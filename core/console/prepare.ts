import type { Cell, Prepared } from './cell.ts';
import { syntaxError } from './fault.ts';
import { typedPosition } from './position.ts';
import { rewrite } from './rewrite.ts';
import { parse, type Script, startsWithBrace } from './script.ts';
import { strip } from './strip.ts';

const KEPT = 256;
const kept = new Map<string, Prepared>();
// Stack traces lead to texts long after they ran, so these are remembered for longer.
const REMEMBERED = 1024;
const byUrl = new Map<string, Prepared>();
let texts = 0;

// `f<T>(x)` is JavaScript too (two comparisons), so a text that has it is read as TypeScript at once.
const MAYBE_TYPES = /<[\s\S]*?(?<!=)>\s*[(`]/;

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
  const text = javascript(source) ?? typescript(source);
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

interface Text extends Pick<Prepared, 'script' | 'map' | 'lineOffset'> {
  parsed(): Script;
}

function javascript(source: string): Text | undefined {
  if (MAYBE_TYPES.test(source)) return undefined;
  try {
    const script = parse(source);
    return { script: source, lineOffset: 0, parsed: () => script };
  } catch {
    return undefined; // the stripper's message is the better one
  }
}

function typescript(source: string): Text {
  if (startsWithBrace(source)) {
    try {
      const { code, map } = strip(`(\n${source.replace(/[;\s]*$/, '')}\n)`);
      return { script: code, map, lineOffset: 1, parsed: () => parse(code, 'latest') };
    } catch {
      // a block
    }
  }
  const { code, map } = strip(source);
  return { script: code, map, lineOffset: 0, parsed: () => parse(code, 'latest') };
}
