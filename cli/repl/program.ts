/**
 * Statements of a console, joined to one module. In a console a name may be declared again, set though it is a constant, or set
 * without being declared; in a module such a name is declared once, at the top.
 */
import type { ModuleDeclaration, Statement } from 'acorn';
import { createOutput } from '../../core/console/output.ts';
import { boundNames, parse } from '../../core/console/script.ts';
import { freeNames } from '../../core/functions/free-names.ts';

export interface Piece {
  /** JavaScript. */
  code: string;
  /** The console has shown the value of its last statement; so does the program. */
  shown: boolean;
}

export interface Joined {
  imports: string[];
  body: string[];
  /** Names that the statements use, and none of them declares. */
  free: ReadonlySet<string>;
}

type Outermost = Statement | ModuleDeclaration;

/** `given`: names that the program has from the start. */
export function joined(pieces: readonly Piece[], given: ReadonlySet<string>): Joined {
  const parsed = pieces.map(({ code, shown }) => ({ code, shown, statements: parse(code, 'latest').body }));
  const all = parsed.flatMap(({ statements }) => statements);
  const free = freeIn(all);
  const loose = looseNames(all, (name) => free.has(name) && !given.has(name) && !(name in globalThis));
  const keepsLast = free.has('_');
  const imports: string[] = [];
  const body = parsed.flatMap(({ code, shown, statements }) => {
    const output = createOutput(code);
    for (const statement of statements) {
      loosen(output.replace, statement, code, loose);
      if (statement.type !== 'ImportDeclaration' || isLoose(statement, loose)) continue;
      imports.push(ended(code.slice(statement.start, statement.end)));
      output.replace(statement.start, statement.end, '');
    }
    const last = statements.at(-1);
    if (shown && last?.type === 'ExpressionStatement') {
      const { start, end } = last.expression;
      output.replace(last.start, start, `console.log(${keepsLast ? '_ = ' : ''}${code.slice(last.start, start)}`);
      output.replace(end, last.end, ');');
    }
    output.copyEdited();
    const text = output.code.trim();
    return text ? [last?.type.match(/^(Expression|Variable|Import)/) ? ended(text) : text] : [];
  });
  const names = [...(keepsLast ? ['_'] : []), ...loose];
  if (names.length) body.unshift(`let ${names.join(', ')};`, '');
  return { imports, body, free };
}

/** The next statement must not be taken for the arguments of a call. */
function ended(text: string): string {
  return text.endsWith(';') ? text : `${text};`;
}

function freeIn(statements: readonly Outermost[]): ReadonlySet<string> {
  const body = statements.filter(({ type }) => type !== 'ImportDeclaration');
  const { names } = freeNames({ type: 'BlockStatement', start: 0, end: 0, body });
  for (const name of statements.flatMap(declared)) names.delete(name);
  return new Set(names.keys());
}

/** Those that a module could not have as they are. */
function looseNames(statements: readonly Outermost[], isNobodys: (name: string) => boolean): ReadonlySet<string> {
  const times = new Map<string, number>();
  for (const name of statements.flatMap(declared)) times.set(name, (times.get(name) ?? 0) + 1);
  const constants = new Set(
    statements.flatMap((s) => (s.type === 'VariableDeclaration' && s.kind === 'const' ? declared(s) : [])),
  );
  const assigned = new Set<string>();
  for (const statement of statements) collectAssigned(statement, assigned);
  const loose = new Set([...times].flatMap(([name, n]) => (n > 1 ? [name] : [])));
  for (const name of assigned) {
    if (constants.has(name) || isNobodys(name)) loose.add(name);
  }
  // A statement declares all of its names or none.
  for (let before = -1; before < loose.size; ) {
    before = loose.size;
    for (const names of statements.map(declared)) {
      if (names.some((name) => loose.has(name))) for (const name of names) loose.add(name);
    }
  }
  return loose;
}

function declared(statement: Outermost): string[] {
  if (statement.type === 'VariableDeclaration') return statement.declarations.flatMap(({ id }) => boundNames(id));
  if (statement.type === 'FunctionDeclaration' || statement.type === 'ClassDeclaration') return [statement.id.name];
  if (statement.type === 'ImportDeclaration') return statement.specifiers.map(({ local }) => local.name);
  return [];
}

function isLoose(statement: Outermost, loose: ReadonlySet<string>): boolean {
  return declared(statement).some((name) => loose.has(name));
}

/** Every name that is assigned to, wherever. */
function collectAssigned(node: unknown, names: Set<string>): void {
  if (Array.isArray(node)) for (const one of node) collectAssigned(one, names);
  if (typeof node !== 'object' || node === null || !('type' in node)) return;
  const { type, left, argument } = node as Record<string, any>;
  if (type === 'AssignmentExpression') for (const name of boundNames(left)) names.add(name);
  if (type === 'UpdateExpression') for (const name of boundNames(argument)) names.add(name);
  for (const value of Object.values(node)) collectAssigned(value, names);
}

/** Makes a declaration an assignment. */
function loosen(
  replace: (from: number, to: number, text: string) => void,
  statement: Outermost,
  code: string,
  loose: ReadonlySet<string>,
): void {
  const { start, end } = statement;
  if (!isLoose(statement, loose)) return;
  if (statement.type === 'ImportDeclaration') replace(start, end, importedAnew(statement));
  else if (statement.type === 'VariableDeclaration') {
    const { declarations } = statement;
    // A pattern of an object would be a block.
    const pattern = code[declarations[0]!.start] === '{';
    replace(start, declarations[0]!.start, pattern ? '(' : '');
    for (const { id, init } of declarations) if (!init) replace(id.end, id.end, ' = undefined');
    replace(declarations.at(-1)!.end, end, pattern ? ');' : ';');
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
      const { imported } = one as { imported?: { type: string; name: string; raw: string } };
      const name = !imported ? 'default' : imported.type === 'Identifier' ? imported.name : imported.raw;
      return `({ ${name}: ${one.local.name} } = ${from});`;
    })
    .join(' ');
}
