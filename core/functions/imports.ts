import { existsSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { scriptSource } from './scopes.ts';
import { children, type Node, statementsOf } from './syntax.ts';

/** Where a script's local name comes from. */
export interface ImportBinding {
  /** The exported name; `null`: the whole namespace. */
  name: string | null;
  specifier: string;
  builtin: boolean;
  /** By an import statement, not by a transpiler's variable. */
  declared: boolean;
  /** The folder that the specifier is resolved from. */
  directory: string;
}

const NONE: ReadonlyMap<string, ImportBinding> = new Map();
const known = new Map<string, ReadonlyMap<string, ImportBinding>>();

/** The imports of a loaded script by local name, read from its text once. */
export function importsOf(scriptId: string): ReadonlyMap<string, ImportBinding> {
  let bindings = known.get(scriptId);
  if (!bindings) {
    bindings = readImports(scriptId);
    known.set(scriptId, bindings);
  }
  return bindings;
}

function readImports(scriptId: string): ReadonlyMap<string, ImportBinding> {
  const { url, text } = scriptSource(scriptId);
  let body: Node[];
  try {
    body = statementsOf(text);
  } catch {
    // A sloppy script: it has no import statements.
    return NONE;
  }
  const directory = directoryOf(url);
  const bindings = new Map<string, ImportBinding>();
  const add = (local: string, imported: string, name: string | null, declared: boolean) => {
    const specifier = plainSpecifier(imported, directory);
    bindings.set(local, { name, specifier, builtin: isBuiltin(specifier), declared, directory });
  };
  for (const statement of body) {
    if (statement.type === 'ImportDeclaration') {
      for (const s of statement.specifiers) add(s.local.name, statement.source.value, importedName(s), true);
    } else requiredIn(statement, (local, imported) => add(local, imported, null, false));
  }
  return bindings;
}

function importedName(specifier: Node): string | null {
  if (specifier.type === 'ImportNamespaceSpecifier') return null;
  if (specifier.type === 'ImportDefaultSpecifier') return 'default';
  return specifier.imported.name ?? specifier.imported.value;
}

/** What transpilers make of imports: a variable for the namespace, set at the top of the script or of its wrapper function. */
function requiredIn(node: Node, add: (local: string, imported: string) => void): void {
  if (node.type === 'VariableDeclaration') {
    for (const { id, init } of node.declarations) {
      const specifier = init && id.type === 'Identifier' && loadedBy(init);
      if (specifier) add(id.name, specifier);
    }
  }
  const wrapper = node.type === 'ExpressionStatement' ? node.expression : null;
  if (wrapper && /Function/.test(wrapper.type) && wrapper.body.type === 'BlockStatement') requiredIn(wrapper.body, add);
  if (node.type === 'BlockStatement') for (const child of children(node)) requiredIn(child, add);
}

/** The specifier in `require('x')`, `await import('x')`, `await __vite_ssr_import__('x')`, or in one of these inside one call. */
function loadedBy(init: Node): string | undefined {
  const node = init.type === 'AwaitExpression' ? init.argument : init;
  const argument =
    node.type === 'ImportExpression' ? node.source : node.type === 'CallExpression' ? node.arguments[0] : null;
  if (!argument) return undefined;
  if (argument.type !== 'Literal') return argument.type === 'CallExpression' ? loadedBy(argument) : undefined;
  const loader = node.type === 'ImportExpression' || ['require', '__vite_ssr_import__'].includes(node.callee.name);
  return loader && typeof argument.value === 'string' ? argument.value : undefined;
}

function directoryOf(url: string): string {
  const file = url.startsWith('file:') ? fileURLToPath(url.replace(/[?#].*$/, '')) : url;
  return path.isAbsolute(file) ? path.dirname(file) : process.cwd();
}

/** Test runners write specifiers relative to the project's root, or as URLs. */
function plainSpecifier(specifier: string, directory: string): string {
  if (specifier.startsWith('file:')) return fileURLToPath(specifier.replace(/[?#].*$/, ''));
  const plain = specifier.replace(/^\/@fs\//, '/').replace(/\?.*$/, '');
  if (!plain.startsWith('/') || existsSync(plain)) return plain;
  let root = directory;
  while (!existsSync(path.join(root, plain)) && root !== path.dirname(root)) root = path.dirname(root);
  return path.join(root, plain);
}
