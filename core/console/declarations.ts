/** Declarations of the outermost scope, turned into what makes or sets properties of the global. */
import type {
  ClassDeclaration,
  Identifier,
  ImportDeclaration,
  Literal,
  ModuleDeclaration,
  Statement,
  VariableDeclaration,
} from 'acorn';
import type { Output } from './output.ts';
import { boundNames, fault } from './script.ts';

export function refuseExport(statement: Statement | ModuleDeclaration): void {
  if (!statement.type.startsWith('Export')) return;
  throw fault(
    'export has no meaning here: what a text declares is there for the next one; leave it out',
    statement.start,
  );
}

/** For code that is evaluated: `var` makes a property that can be deleted and declared again, of whatever kind it was. */
export function declareInEval(output: Output, statement: Statement | ModuleDeclaration, code: string): void {
  if (statement.type === 'ClassDeclaration') declareClass(output, statement, 'var ');
  if (statement.type !== 'VariableDeclaration' || statement.kind === 'var') return;
  output.replace(statement.start, statement.start + statement.kind.length, 'var');
  for (const { id, init } of statement.declarations) if (!init) output.replace(id.end, id.end, ' = void 0');
  terminate(output, statement, code);
}

/** For code inside a function: assignments to properties that are there already. */
export function declareGlobally(
  output: Output,
  statement: VariableDeclaration | ClassDeclaration,
  code: string,
  own: (name: string) => boolean,
): void {
  if (statement.type === 'VariableDeclaration') {
    assign(output, statement, own);
    terminate(output, statement, code);
  } else if (own(statement.id.name)) declareClass(output, statement, '');
}

/** `var x = v` as an expression. Its `void` keeps a line from being read as the arguments of a call on the line before. */
export function assign(output: Output, statement: VariableDeclaration, own: (name: string) => boolean): void {
  const { declarations, kind, start } = statement;
  if (!declarations.flatMap((d) => boundNames(d.id)).every(own)) return;
  output.replace(start, declarations[0]!.start, 'void (');
  for (const { id, init } of declarations) {
    if (init) continue;
    if (kind === 'var') output.replace(id.start, id.end, '0');
    else output.replace(id.end, id.end, ' = void 0');
  }
  const { end } = declarations.at(-1)!;
  output.replace(end, end, ')');
}

/** The end of a declaration that had no semicolon ends the assignment too, whatever the next line starts with. */
export function terminate(output: Output, { end }: Statement, code: string): void {
  if (code[end - 1] !== ';') output.replace(end, end, ';');
}

function declareClass(output: Output, { id, start, end }: ClassDeclaration, keyword: 'var ' | ''): void {
  output.replace(start, start, `${keyword}${id.name} = `);
  output.replace(end, end, ';');
}

/** `import … from` inside a function. */
export function importNatively(output: Output, statement: ImportDeclaration): void {
  const { specifiers, source, attributes, start, end } = statement;
  const name = (node: Identifier | Literal) => (node.type === 'Identifier' ? node.name : JSON.stringify(node.value));
  const wanted: string[] = [];
  let target = '';
  for (const specifier of specifiers) {
    const local = specifier.local.name;
    if (specifier.type === 'ImportNamespaceSpecifier') target = `${local} = `;
    else wanted.push(`${specifier.type === 'ImportDefaultSpecifier' ? 'default' : name(specifier.imported)}: ${local}`);
  }
  // The parser leaves them out below the version of the language that brought them.
  const pairs = ((attributes as typeof attributes | undefined) ?? []).map((a) => `${name(a.key)}: ${a.value.raw}`);
  const options = pairs.length > 0 ? `, { with: { ${pairs.join(', ')} } }` : '';
  output.replace(start, end, `void ({ ${wanted.join(', ')} } = ${target}await import(${source.raw}${options}));`);
}
