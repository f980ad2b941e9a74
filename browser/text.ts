/** Stands in for `core/console/text.ts`: the compiler that takes types away runs in Node only. */
import { syntaxError } from '../core/console/fault.ts';
import { typedPosition } from '../core/console/position.ts';
import { fault, parse, type Script } from '../core/console/script.ts';
import type { ReadText } from '../core/console/text.ts';
import { children, type Node } from '../core/functions/syntax.ts';

export function readText(source: string): ReadText {
  const text = { script: source };
  try {
    const script = parseUntyped(source);
    return { ...text, parsed: () => script };
  } catch (error) {
    const { pos } = error as { pos?: number };
    if (!(error instanceof SyntaxError) || pos === undefined) throw error;
    const { line, column } = typedPosition(text, pos);
    const what = error.message.replace(/ \(\d+:\d+\)$/, '');
    throw syntaxError(source, `${what}; in a browser code is JavaScript (ES2024), without types`, line, column);
  }
}

function parseUntyped(source: string): Script {
  const script = parse(source);
  const call = callWithTypes(script.body as Iterable<Node>, source);
  if (call) throw fault('Type arguments', call.end);
  return script;
}

/** `f<T>(x)` is JavaScript, too: two comparisons, which nobody means. Gives the `f`. */
function callWithTypes(nodes: Iterable<Node>, source: string): Node | undefined {
  for (const node of nodes) {
    const { type, operator, left, right } = node;
    const chained = type === 'BinaryExpression' && operator === '>' && left.operator === '<';
    if (chained && /^\s*>\s*[(`]/.test(source.slice(left.end, right.start + 1))) return left.left;
    const inside = callWithTypes(children(node), source);
    if (inside) return inside;
  }
  return undefined;
}
