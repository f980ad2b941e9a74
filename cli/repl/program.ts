/**
 * Statements of a console, joined to one module. In a console a name may be declared again, set though it is a constant, or set
 * without being declared; in a module such a name is declared once, at the top.
 */
import type { ModuleDeclaration, Statement } from 'acorn';
import { createOutput } from '../../core/console/output.ts';
import { boundNames, parse } from '../../core/console/script.ts';

export interface Piece {
  code: string;
  /** The console has shown the value of its last statement; so does the program. */
  shown: boolean;
}

type Outermost = Statement | ModuleDeclaration;

/** `keepsLast`: some code reads `_`, the value of the statement before. */
export function joined(pieces: readonly Piece[], keepsLast: boolean): { imports: string[]; body: string[] } {
  const parsed = pieces.map(({ code, shown }) => ({ code, shown, statements: parse(code, 'latest').body }));
  const loose = looseNames(parsed.flatMap(({ statements }) => statements));
  const imports: string[] = [];
  const body: string[] = [];
  for (const { code, shown, statements } of parsed) {
    const output = createOutput(code);
    for (const statement of statements) loosen(output.replace, statement, code, loose, imports);
    const last = statements.at(-1);
    if (shown && last?.type === 'ExpressionStatement') {
      const { start, end } = last.expression;
      output.replace(last.start, start, `console.log(${keepsLast ? '_ = ' : ''}${code.slice(last.start, start)}`);
      output.replace(end, last.end, ');');
    }
    output.copyEdited();
    if (output.code.trim()) body.push(output.code.trim());
  }
  const names = [...(keepsLast ? ['_'] : []), ...loose];
  if (names.length) body.unshift(`let ${names.join(', ')};`, '');
  return { imports, body };
}

/** Those that a module could not have as they are. */
function looseNames(statements: readonly Outermost[]): Set<string> {
  const times = new Map<string, number>();
  const constants = new Set<string>();
  const assigned = new Set<string>();
  const inner = new Set<string>();
  for (const statement of statements) {
    for (const name of declared(statement)) times.set(name, (times.get(name) ?? 0) + 1);
    if (statement.type === 'VariableDeclaration' && statement.kind === 'const')
      for (const name of declared(statement)) constants.add(name);
    collectNames(statement, assigned, inner);
  }
  const loose = new Set([...times].flatMap(([name, n]) => (n > 1 ? [name] : [])));
  const known = (name: string): boolean => times.has(name) || inner.has(name) || GIVEN.has(name) || name in globalThis;
  for (const name of assigned) if (constants.has(name) || !known(name)) loose.add(name);
  // A statement declares all of its names or none.
  for (let before = -1; before < loose.size; ) {
    before = loose.size;
    for (const statement of statements) {
      const names = declared(statement);
      if (names.some((name) => loose.has(name))) for (const name of names) loose.add(name);
    }
  }
  return loose;
}

const GIVEN = new Set(['client', 'all', 'px', 'view', 'ref', 'farm', 'tutti', '_']);

function declared(statement: Outermost): string[] {
  if (statement.type === 'VariableDeclaration') return statement.declarations.flatMap(({ id }) => boundNames(id));
  if (statement.type === 'FunctionDeclaration' || statement.type === 'ClassDeclaration') return [statement.id.name];
  if (statement.type === 'ImportDeclaration') return statement.specifiers.map(({ local }) => local.name);
  return [];
}

/** What is assigned to, and what is declared inside of functions and blocks, wherever. */
function collectNames(node: unknown, assigned: Set<string>, inner: Set<string>): void {
  if (Array.isArray(node)) for (const one of node) collectNames(one, assigned, inner);
  if (typeof node !== 'object' || node === null || !('type' in node)) return;
  const { type, left, argument, id, params } = node as Record<string, any>;
  if (type === 'AssignmentExpression') for (const name of boundNames(left)) assigned.add(name);
  if (type === 'UpdateExpression') for (const name of boundNames(argument)) assigned.add(name);
  if (type === 'VariableDeclarator') for (const name of boundNames(id)) inner.add(name);
  for (const parameter of params ?? []) for (const name of boundNames(parameter)) inner.add(name);
  for (const value of Object.values(node)) collectNames(value, assigned, inner);
}

function loosen(
  replace: (from: number, to: number, text: string) => void,
  statement: Outermost,
  code: string,
  loose: ReadonlySet<string>,
  imports: string[],
): void {
  const { start, end } = statement;
  const isLoose = declared(statement).some((name) => loose.has(name));
  if (statement.type === 'ImportDeclaration') {
    replace(start, end, isLoose ? importedAnew(statement) : '');
    if (!isLoose) imports.push(code.slice(start, end));
  } else if (!isLoose) return;
  else if (statement.type === 'VariableDeclaration') {
    // In parentheses, since a pattern of an object would be a block.
    const { declarations } = statement;
    replace(start, declarations[0]!.start, '(');
    for (const { id, init } of declarations) if (!init) replace(id.end, id.end, ' = undefined');
    replace(declarations.at(-1)!.end, end, ');');
  } else if (statement.type === 'FunctionDeclaration' || statement.type === 'ClassDeclaration') {
    replace(start, start, `${statement.id.name} = `);
    replace(end, end, ';');
  }
}

function importedAnew({ specifiers, source }: Extract<Outermost, { type: 'ImportDeclaration' }>): string {
  const from = `await import(${source.raw})`;
  return specifiers
    .map((one) => {
      if (one.type === 'ImportNamespaceSpecifier') return `${one.local.name} = ${from};`;
      const name =
        one.type === 'ImportDefaultSpecifier'
          ? 'default'
          : one.imported.type === 'Identifier'
            ? one.imported.name
            : one.imported.raw;
      return `({ ${name}: ${one.local.name} } = ${from});`;
    })
    .join(' ');
}
