/** The grammar of console texts: a sloppy script with top-level `await` and `import`, whose names may be declared again. */
import { type AnyNode, type ModuleDeclaration, Parser, type Pattern, type Program, type Statement } from 'acorn';

export interface Script {
  body: (Statement | ModuleDeclaration)[];
  /** The text is one expression that starts with `{`. */
  object: boolean;
}

const TRIVIA = String.raw`(?:\s|\/\/.*|\/\*[\s\S]*?\*\/)`;
const BRACE_FIRST = new RegExp(`^${TRIVIA}*\\{`);
const ONLY_TRIVIA = new RegExp(`^(?:;|${TRIVIA})*$`);

/** A SyntaxError at an offset of the script, like those of the parser. */
export function fault(message: string, pos: number): SyntaxError {
  return Object.assign(new SyntaxError(message), { pos });
}

const ConsoleParser = Parser.extend((Base: any): any => {
  return class extends Base {
    // The names of the outermost scope become properties of the global, so a second declaration is no conflict.
    declareName(name: string, binding: number, pos: number): void {
      if (this.scopeStack.length > 1) super.declareName(name, binding, pos);
    }
    parseImportMeta(node: AnyNode): never {
      throw fault('import.meta has no meaning here: the text is not a module; use process.cwd()', node.start);
    }
  };
}) as typeof Parser;

// 2024 is what every supported Node runs; newer syntax is left to the stripper, which lowers it.
const options = (ecmaVersion: 2024 | 'latest') =>
  ({
    ecmaVersion,
    sourceType: 'script',
    allowAwaitOutsideFunction: true,
    allowImportExportEverywhere: true,
    allowHashBang: true,
  }) as const;

/** Throws SyntaxError with the offset as `pos`. */
export function parse(text: string, ecmaVersion: 2024 | 'latest' = 2024): Script {
  return (
    parseObject(text, ecmaVersion) ?? {
      body: (ConsoleParser.parse(text, options(ecmaVersion)) as Program).body,
      object: false,
    }
  );
}

export function startsWithBrace(text: string): boolean {
  return BRACE_FIRST.test(text);
}

function parseObject(text: string, ecmaVersion: 2024 | 'latest'): Script | undefined {
  if (!startsWithBrace(text)) return undefined;
  try {
    const expression = ConsoleParser.parseExpressionAt(text, 0, options(ecmaVersion));
    if (!ONLY_TRIVIA.test(text.slice(expression.end))) return undefined;
    const { start, end } = expression;
    return { body: [{ type: 'ExpressionStatement', expression, start, end }], object: true };
  } catch {
    return undefined; // a block
  }
}

/** The names that a pattern binds. */
export function boundNames(pattern: Pattern | null, names: string[] = []): string[] {
  if (pattern?.type === 'Identifier') names.push(pattern.name);
  else if (pattern?.type === 'ObjectPattern')
    for (const p of pattern.properties) boundNames(p.type === 'Property' ? p.value : p.argument, names);
  else if (pattern?.type === 'ArrayPattern') for (const p of pattern.elements) boundNames(p, names);
  else if (pattern?.type === 'RestElement') boundNames(pattern.argument, names);
  else if (pattern?.type === 'AssignmentPattern') boundNames(pattern.left, names);
  return names;
}

/** Whether the text itself, outside of its functions, awaits or imports. */
export function isAsync(node: unknown): boolean {
  if (Array.isArray(node)) return node.some(isAsync);
  if (typeof node !== 'object' || node === null || !('type' in node)) return false;
  const { type } = node;
  if (type === 'AwaitExpression' || type === 'ImportDeclaration') return true;
  if (type === 'ForOfStatement' && (node as { await?: boolean }).await) return true;
  if (type === 'FunctionDeclaration' || type === 'FunctionExpression' || type === 'ArrowFunctionExpression')
    return false;
  return Object.values(node).some(isAsync);
}
