import type { FunctionDeclaration, ModuleDeclaration, Statement } from 'acorn';
import type { Cell } from './cell.ts';
import { declareGlobally, declareInEval, importNatively, refuseExport } from './declarations.ts';
import { createOutput, type Output, type Piece } from './output.ts';
import { boundNames, fault, isAsync, type Script } from './script.ts';
import { unusedName } from './tag.ts';
import { collectValue, varDeclarations } from './value.ts';

type Rewritten = Pick<Cell, 'code' | 'declared' | 'wrapped' | 'async'> & { pieces: Piece[] };

/**
 * Turns a script into code whose declarations are properties of the global. Two shapes. A plain text stays a program for an
 * indirect `eval`: its value is exact by definition, its functions are deletable globals. What cannot be one (it awaits or
 * imports, has parameters, is strict, or brought helpers that are nobody's names) becomes a function that collects its value.
 * Throws SyntaxError with the offset as `pos`.
 */
export function rewrite(script: Script, code: string, source: string, params: string[]): Rewritten {
  const { body } = script;
  for (const statement of body) refuseExport(statement);
  const words = new Set(source.match(/[\p{ID_Continue}$]+/gu));
  const names = [...new Set(body.flatMap(declaredNames))];
  // What the stripper added (helpers for `using`, decorators) must not show up among the user's names.
  const own = (name: string) => words.has(name);
  const declared = names.filter(own);
  for (const name of declared)
    if (params.includes(name)) throw fault('A value stands where a name is declared; write the name itself', 0);

  const strict = body.some((s) => s.type === 'ExpressionStatement' && s.directive === 'use strict');
  const async = isAsync(body);
  const wrapped = async || strict || params.length > 0 || declared.length < names.length;
  const output = createOutput(code);
  if (code.startsWith('#!')) output.replace(0, 2, '//');
  resetEnums(output, body, source);
  if (wrapped) wrap(output, body, { code, params, async, strict, own });
  else evaluate(output, script, code);
  return { code: output.code, pieces: output.pieces, declared, wrapped, async };
}

// The stripper writes `var E = (…)(E || {})` for an enum and `var N; (…)(N || (N = {}))` for a namespace, which would add to
// what an earlier declaration left under that name. Only those of one text belong together.
function resetEnums(output: Output, body: Script['body'], source: string): void {
  const done = new Set<string>();
  for (const statement of body) {
    if (statement.type !== 'VariableDeclaration' || statement.kind !== 'var') continue;
    const { id, init } = statement.declarations[0]!;
    if (id.type !== 'Identifier' || done.has(id.name) || (init && init.type !== 'CallExpression')) continue;
    if (!new RegExp(`\\b(?:enum|namespace)\\s+${id.name.replaceAll('$', '\\$')}\\s*[{.]`).test(source)) continue;
    done.add(id.name);
    output.replace(statement.start, statement.start, `${id.name} = void 0;`);
  }
}

function evaluate(output: Output, { body, object }: Script, code: string): void {
  for (const statement of body) {
    declareInEval(output, statement, code);
    if (object) {
      output.replace(statement.start, statement.start, '(');
      output.replace(statement.end, statement.end, ')');
    }
  }
  const last = lastStatement(body);
  if (last && isDeclaration(last)) output.replace(last.end, last.end, ';void 0;');
  output.copyEdited();
}

interface Wrapping {
  code: string;
  params: string[];
  async: boolean;
  strict: boolean;
  own: (name: string) => boolean;
}

function wrap(output: Output, body: Script['body'], { code, params, async, strict, own }: Wrapping): void {
  const value = unusedName('$result', code);
  output.text(`(${async ? 'async ' : ''}(${params.join(', ')}) => {${strict ? '"use strict";' : ''}`, 0);
  output.text(`let ${value};`, 0);
  for (const statement of body) {
    if (statement.type === 'FunctionDeclaration' && own(statement.id.name)) hoist(output, statement);
    else if (statement.type === 'ImportDeclaration') importNatively(output, statement);
    else if (statement.type === 'VariableDeclaration' || statement.type === 'ClassDeclaration')
      declareGlobally(output, statement, code, own);
    else collectValue(output, statement as Statement, code, value, own);
  }
  const last = lastStatement(body);
  if (last && isDeclaration(last)) output.replace(last.end, last.end, `;${value} = void 0;`);
  output.copyEdited();
  output.text(`\nreturn ${value};\n})`, code.length);
}

// A function goes to the front as a nameless expression: assigned, it gets its name back, and calls of its own name and of
// others find the global, where a later text may have put another function.
function hoist(output: Output, statement: FunctionDeclaration): void {
  const { id, start, end } = statement;
  output.text(`${id.name} = `, start);
  output.copy(start, id.start);
  output.copy(id.end, end);
  output.text(';', end);
  output.replace(start, end, ';');
}

function lastStatement(body: Script['body']): Script['body'][number] | undefined {
  return body.findLast((statement) => statement.type !== 'EmptyStatement');
}

function isDeclaration({ type }: Statement | ModuleDeclaration): boolean {
  return type.endsWith('Declaration');
}

function declaredNames(statement: Statement | ModuleDeclaration): string[] {
  switch (statement.type) {
    case 'FunctionDeclaration':
    case 'ClassDeclaration':
      return [statement.id.name];
    case 'ImportDeclaration':
      return statement.specifiers.map((specifier) => specifier.local.name);
    case 'VariableDeclaration':
      return statement.declarations.flatMap((d) => boundNames(d.id));
    case 'ExportNamedDeclaration':
    case 'ExportDefaultDeclaration':
    case 'ExportAllDeclaration':
      return [];
    default:
      return varDeclarations(statement).flatMap((v) => v.declarations.flatMap((d) => boundNames(d.id)));
  }
}
