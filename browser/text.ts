/** Stands in for `core/console/text.ts`: the compiler that takes types away runs in Node only. */
import { syntaxError } from '../core/console/fault.ts';
import { typedPosition } from '../core/console/position.ts';
import { parse } from '../core/console/script.ts';
import type { ReadText } from '../core/console/text.ts';

export function readText(source: string): ReadText {
  const text = { script: source };
  try {
    const script = parse(source);
    return { ...text, parsed: () => script };
  } catch (error) {
    const { pos } = error as { pos?: number };
    if (!(error instanceof SyntaxError) || pos === undefined) throw error;
    const { line, column } = typedPosition(text, pos);
    const what = error.message.replace(/ \(\d+:\d+\)$/, '');
    throw syntaxError(source, `${what}; in a browser code is JavaScript (ES2024), without types`, line, column);
  }
}
