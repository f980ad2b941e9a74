/** Exports of Node's own modules. A page in a browser, which has none, has a stand-in for this file. */
import { builtinModules, createRequire } from 'node:module';
import type { Form } from '../wire/forms.ts';
import { isNamespace } from './globals.ts';

// Loading these prints warnings, and what they export has better names.
const SKIPPED = new Set(['punycode', 'sys', 'wasi']);

const require = createRequire(import.meta.url);
const exportsOf = new Map<unknown, Form>();
const modules = new Map<unknown, string>();
let seen = 0;

/** How a module of Node, or a function that one exports, is called, if the value is one. */
export function builtinForm(value: unknown): Form | undefined {
  learn();
  const known = exportsOf.get(value);
  if (known || typeof value !== 'object' || value === null) return known;
  const module = isNamespace(value) ? modules.get((value as { default?: unknown }).default) : undefined;
  return module ? { kind: 'builtin', module, export: null } : undefined;
}

/** Only modules that are loaded already: a function of any other cannot have been captured. */
function learn(): void {
  const loaded: readonly string[] = (process as { moduleLoadList?: string[] }).moduleLoadList ?? builtinModules;
  if (loaded.length === seen) return;
  seen = loaded.length;
  const names = new Set(loaded.map((line) => line.replace('NativeModule ', '')));
  for (const name of builtinModules) {
    if (name.startsWith('_') || !names.has(name) || SKIPPED.has(name)) continue;
    const module = `node:${name}`;
    const exported = require(module);
    if (modules.has(exported)) continue;
    modules.set(exported, module);
    exportsOf.set(exported, { kind: 'builtin', module, export: 'default' });
    for (const [key, { value }] of Object.entries(Object.getOwnPropertyDescriptors(exported))) {
      if (typeof value === 'function' && !exportsOf.has(value)) {
        exportsOf.set(value, { kind: 'builtin', module, export: key });
      }
    }
  }
}
