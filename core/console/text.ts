/** What of a typed text is JavaScript. A page in a browser has a stand-in for this file, since it has no TypeScript. */
import { SourceMap } from 'node:module';
import type { Position, Text } from './cell.ts';
import { parse, type Script, startsWithBrace } from './script.ts';
import { strip } from './strip.ts';

// `f<T>(x)` is JavaScript too (two comparisons), so a text that has it is read as TypeScript at once.
const MAYBE_TYPES = /<[\s\S]*?(?<!=)>\s*[(`]/;

export interface ReadText extends Text {
  /** Throws SyntaxError with the offset in the script as `pos`. */
  parsed(): Script;
}

/** Throws SyntaxError that points into `source`. */
export function readText(source: string): ReadText {
  return javascript(source) ?? typescript(source);
}

function javascript(source: string): ReadText | undefined {
  if (MAYBE_TYPES.test(source)) return undefined;
  try {
    const script = parse(source);
    return { script: source, parsed: () => script };
  } catch {
    return undefined; // the stripper's message is the better one
  }
}

function typescript(source: string): ReadText {
  if (startsWithBrace(source)) {
    try {
      return stripped(`(\n${source.replace(/[;\s]*$/, '')}\n)`, 1);
    } catch {
      // a block
    }
  }
  return stripped(source, 0);
}

/** `linesBefore`: lines of `source` that nobody has typed. */
function stripped(source: string, linesBefore: number): ReadText {
  const { code, map } = strip(source);
  let sourceMap: SourceMap | undefined;
  return {
    script: code,
    parsed: () => parse(code, 'latest'),
    typed(line, column): Position {
      sourceMap ??= new SourceMap(JSON.parse(map));
      const entry = sourceMap.findEntry(line, column);
      if (!('originalLine' in entry)) return { line: 1, column: 1 };
      return { line: Math.max(1, entry.originalLine + 1 - linesBefore), column: entry.originalColumn + 1 };
    },
  };
}
