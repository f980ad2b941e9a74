import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { UsageError } from '../errors.ts';
import { codeHash } from '../wire/code-hash.ts';
import { build, COMMON } from './bundle.ts';
import { cameFrom } from './origins.ts';
import { mappedOrigin } from './source-maps.ts';
import { type Node, statementsOf } from './syntax.ts';

const INSIDE = fileURLToPath(new URL(`../engine/inside${path.extname(import.meta.url)}`, import.meta.url));

export interface ScriptBundle {
  hash: string;
  text: string;
  /** Absolute path of the script. */
  file: string;
}

/**
 * A .ts or .js script with everything it imports as one text that `FunctionStore.runScript` runs. Throws UsageError with
 * file, line, column and the line itself for a syntax error or an import that is not found.
 */
export function bundleScript(script: string | URL): ScriptBundle {
  const file = script instanceof URL ? fileURLToPath(script) : path.resolve(script);
  try {
    readFileSync(file);
  } catch (cause) {
    throw new UsageError(`Cannot read the script ${file}; give the path of a .ts or .js file`, { cause });
  }
  const { outputFiles } = build({
    ...COMMON,
    entryPoints: [file],
    absWorkingDir: path.dirname(file),
    outfile: path.join(path.dirname(file), 'script.mjs'),
    format: 'esm',
    sourcemap: 'external',
    define: { 'import.meta': '__meta' },
    // The package is there where engines run, and finds its own files from where it lies. Of code that runs on them it has a part
    // that lies nowhere.
    external: [...COMMON.external, 'tutti'],
    alias: { 'tutti/engine': INSIDE },
  });
  const output = (extension: string) => outputFiles.find((o) => o.path.endsWith(extension))!.text;
  const meta = { url: pathToFileURL(file).href, filename: file, dirname: path.dirname(file), main: true };
  const text = transformScript(output('.mjs'), meta);
  const hash = codeHash(text);
  cameFrom(hash, mappedOrigin(output('.map'), meta.dirname));
  return { hash, text, file };
}

/**
 * The body of a module as an async function of `process` and `require` that returns the module's exports. Lines stay
 * where they were, so a source map still fits.
 */
export function transformScript(module: string, meta: object = {}): string {
  const imports: string[] = [];
  const exported: string[] = [];
  let text = module;
  const blank = ({ start, end }: Node) => {
    text = text.slice(0, start) + text.slice(start, end).replace(/[^\n]/g, ' ') + text.slice(end);
  };
  for (const node of statementsOf(module)) {
    if (node.type === 'ImportDeclaration') imports.push(importOf(node));
    else if (node.type === 'ExportAllDeclaration') {
      const from = `await import(${node.source.raw})`;
      exported.push(node.exported ? `${nameOf(node.exported)}: ${from}` : `...${from}`);
    } else if (node.type === 'ExportNamedDeclaration' && !node.declaration) {
      for (const s of node.specifiers) {
        const local = node.source ? `(await import(${node.source.raw}))[${nameOf(s.local)}]` : s.local.name;
        exported.push(`${nameOf(s.exported)}: ${local}`);
      }
    } else continue;
    blank(node);
  }
  // Imports come first: a module's run before its body, whatever the order in the text.
  const start = `(async function (process, require) { "use strict"; const __meta = ${JSON.stringify(meta)}; ${imports.join('')}`;
  return `${start}${text}\nreturn { ${exported.join(', ')} };\n})`;
}

function nameOf(node: Node): string {
  return JSON.stringify(node.name ?? node.value);
}

function importOf({ specifiers, source }: Node): string {
  const from = `await import(${source.raw})`;
  if (specifiers.length === 0) return `${from}; `;
  const namespace = specifiers.find((s: Node) => s.type === 'ImportNamespaceSpecifier')?.local.name;
  const names = specifiers
    .filter((s: Node) => s.type !== 'ImportNamespaceSpecifier')
    .map((s: Node) => `${s.type === 'ImportDefaultSpecifier' ? 'default' : nameOf(s.imported)}: ${s.local.name}`);
  const whole = namespace ? `const ${namespace} = ${from}; ` : '';
  return names.length ? `${whole}const { ${names.join(', ')} } = ${namespace ?? from}; ` : whole;
}
