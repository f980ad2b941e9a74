import { type Options, parse } from 'acorn';

/** A syntax node, as loosely as a generic walk over it needs it. */
export interface Node {
  type: string;
  start: number;
  end: number;
  [key: string]: any;
}

const OPTIONS: Options = {
  ecmaVersion: 'latest',
  sourceType: 'module',
  allowAwaitOutsideFunction: true,
  allowSuperOutsideMethod: true,
};

/** The statements of a text; throws acorn's SyntaxError. */
export function statementsOf(text: string): Node[] {
  return parse(text, OPTIONS).body as unknown as Node[];
}

// Inside a function, since the text may be one that was: `new.target` is an error elsewhere.
const BEFORE = 'async function f() { (';

/** How far the positions in `expressionOf`'s nodes are ahead of those in its text. */
export const SHIFT = BEFORE.length;

/** The one expression that a text is; throws acorn's SyntaxError. */
export function expressionOf(text: string): Node {
  const [statement, more] = statementsOf(`${BEFORE}${text}\n) }`)[0]!.body.body;
  if (more) throw new SyntaxError('more than an expression');
  return statement.expression;
}

/** The nodes directly below a node, in source order. */
export function* children(node: Node): Generator<Node> {
  for (const key in node) {
    const value = node[key];
    if (Array.isArray(value)) {
      for (const item of value) if (isNode(item)) yield item;
    } else if (isNode(value)) yield value;
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';
}

/** The names that a pattern binds, and the expressions inside it (defaults, computed keys), which are only read. */
export function patternParts(pattern: Node | null, names: string[] = [], read: Node[] = []) {
  switch (pattern?.type) {
    case 'Identifier':
      names.push(pattern.name);
      break;
    case 'ObjectPattern':
      for (const p of pattern.properties) {
        if (p.computed) read.push(p.key);
        patternParts(p.value ?? p.argument, names, read);
      }
      break;
    case 'ArrayPattern':
      for (const p of pattern.elements) patternParts(p, names, read);
      break;
    case 'AssignmentPattern':
      read.push(pattern.right);
      patternParts(pattern.left, names, read);
      break;
    case 'RestElement':
      patternParts(pattern.argument, names, read);
  }
  return { names, read };
}
