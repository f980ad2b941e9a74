/** The engine half of a paradigm as a text that engines can run. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ParadigmError } from '../errors.ts';
import { bundleModule, type ModuleBundle } from '../functions/bundle.ts';
import type { AnyDefinition } from './paradigm.ts';

/** Packages that halves on engines find there, as far as engines have them: see `core/engine/library.ts`. */
export const ON_ENGINES = ['tutti', 'tutti/*'];
/** Built-in paradigms have the package by its path: for their halves it is what it is for others'. */
const CORE = fileURLToPath(new URL('../index', import.meta.url));
const CORE_REQUIRED = /\brequire\("[^"]*\/core\/index\.[jt]s"\)/g;

/** @throws ParadigmError with file, line and column where it cannot be built. */
export function bundleHalf({ name, engine, module }: AnyDefinition): ModuleBundle | undefined {
  if (engine === undefined || module === undefined) return undefined;
  if (!module.startsWith('file:'))
    throw new ParadigmError(`Paradigm '${name}': its module is ${module}, and only files can be bundled for engines`);
  const file = fileURLToPath(module);
  const specifier = typeof engine === 'string' ? engine : file;
  try {
    const external = [...ON_ENGINES, `${CORE}.js`, `${CORE}.ts`];
    const bundle = bundleModule(specifier, path.dirname(file), { external, small: true });
    return { ...bundle, text: bundle.text.replace(CORE_REQUIRED, 'require("tutti")') };
  } catch (cause) {
    throw new ParadigmError(`Paradigm '${name}': its engine half cannot be bundled: ${(cause as Error).message}`, {
      cause,
    });
  }
}
