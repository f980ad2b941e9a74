/** Loading plug-ins by name: what a controller's start list and the command line name. */
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import vm from 'node:vm';
import { ParadigmError } from '../errors.ts';
import { type AnyDefinition, paradigmsIn } from './paradigm.ts';
import { importTypeScript } from './typescript.ts';

/**
 * The paradigms that a module exports. `plugin` is a package's name or the path of a module, both looked up from `directory`, or a
 * file URL; the module may be TypeScript. Throws ParadigmError when it cannot be found or loaded, or exports none.
 */
export async function loadPlugin(plugin: string, directory: string): Promise<AnyDefinition[]> {
  const file = locate(plugin, directory);
  const where = `Plug-in '${plugin}' (${file ?? `from ${directory}`})`;
  let namespace: object;
  try {
    namespace = await importFrom(directory, file ?? plugin);
  } catch (cause) {
    if (file === undefined && isMissing(cause, plugin)) throw notFound(plugin, directory, cause);
    throw new ParadigmError(`${where} failed to load: ${describe(cause)}`, { cause });
  }
  const found = paradigmsIn(namespace);
  if (!found.length) throw new ParadigmError(`${where} exports no paradigm; export what defineParadigm returns`);
  return found;
}

/** Its file; undefined where only `import` can tell, for a package without a `require` entry. */
function locate(plugin: string, directory: string): string | undefined {
  if (plugin.startsWith('file:')) return fileURLToPath(plugin);
  const isPath = /^\.{0,2}[/\\]/.test(plugin) || path.isAbsolute(plugin);
  try {
    return createRequire(fileIn(directory)).resolve(isPath ? path.resolve(directory, plugin) : plugin);
  } catch (cause) {
    if (!isPath && (cause as NodeJS.ErrnoException).code === 'ERR_PACKAGE_PATH_NOT_EXPORTED') return undefined;
    throw notFound(plugin, directory, cause);
  }
}

/** As `import` in a module of that folder would. */
async function importFrom(directory: string, target: string): Promise<object> {
  const isFile = path.isAbsolute(target);
  try {
    return await importIn(directory)(isFile ? pathToFileURL(target).href : target);
  } catch (cause) {
    if (!cannotRead(cause, isFile ? target : '')) throw cause;
    return importTypeScript(target, directory);
  }
}

function importIn(directory: string): (specifier: string) => Promise<object> {
  return new vm.Script('(specifier) => import(specifier)', {
    filename: fileIn(directory),
    importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  }).runInThisContext();
}

/** What imports and requires from a folder are read as if they stood in. */
function fileIn(directory: string): string {
  return path.resolve(directory, 'tutti-plugin.js');
}

/** TypeScript that this Node does not read: none of it, none in packages, or none whose imports say `.js` for `.ts`. */
function cannotRead(cause: unknown, file: string): boolean {
  const { code = '' } = cause as NodeJS.ErrnoException;
  if (code === 'ERR_UNKNOWN_FILE_EXTENSION') return /\.[cm]?tsx?\b/.test((cause as Error).message);
  if (/TYPESCRIPT|TYPE_STRIPPING/.test(code)) return true;
  return code === 'ERR_MODULE_NOT_FOUND' && /\.[cm]?tsx?$/.test(file);
}

/** It is the plug-in itself that was not found, and not something that it imports. */
function isMissing(cause: unknown, plugin: string): boolean {
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === 'ERR_PACKAGE_PATH_NOT_EXPORTED') return true;
  return code === 'ERR_MODULE_NOT_FOUND' && message.includes(`'${plugin}'`) && message.includes('tutti-plugin.js');
}

function notFound(plugin: string, directory: string, cause: unknown): ParadigmError {
  return new ParadigmError(
    `Plug-in '${plugin}' was not found from ${directory}; name an installed package, or the path of a module: ./plugin.js`,
    { cause },
  );
}

function describe(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const missesTutti = /package 'tutti' imported from/.test(cause.message);
  const advice = missesTutti ? '; install tutti where the plug-in lies: npm install tutti' : '';
  return `${cause.name}: ${cause.message}${advice}`;
}
