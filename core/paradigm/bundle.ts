/** The engine half of a paradigm as a text that engines can run. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ParadigmError } from '../errors.ts';
import { bundleModule, type ModuleBundle, readyBundle } from '../functions/bundle.ts';
import { isOurs } from '../places.ts';
import { ON_ENGINES } from './on-engines.ts';
import type { AnyDefinition } from './paradigm.ts';

/** @throws ParadigmError with file, line and column where it cannot be built. */
export function bundleHalf({ name, engine, module }: AnyDefinition): ModuleBundle | undefined {
  if (engine === undefined || module === undefined) return undefined;
  if (!module.startsWith('file:'))
    throw new ParadigmError(`Paradigm '${name}': its module is ${module}, and only files can be bundled for engines`);
  const file = fileURLToPath(module);
  const specifier = typeof engine === 'string' ? engine : file;
  const folder = path.dirname(file);
  const ours = isOurs(module);
  try {
    return (
      (ours && readyBundle(path.resolve(folder, `${specifier}.cjs`))) ||
      bundleModule(specifier, folder, { external: ON_ENGINES, small: true, ours })
    );
  } catch (cause) {
    throw new ParadigmError(`Paradigm '${name}': its engine half cannot be bundled: ${(cause as Error).message}`, {
      cause,
    });
  }
}
