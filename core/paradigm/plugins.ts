/** Loading plug-ins by name: what a controller's start list and the command line name. */
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ParadigmError } from '../errors.ts';
import { type AnyDefinition, paradigmsIn } from './paradigm.ts';
import { importTypeScript, resolveImport } from './typescript.ts';

/** How long a module may take to load, in ms: a controller that starts waits for it. */
const PATIENCE = 30_000;

/**
 * The paradigms that a module exports. `plugin` is a package's name or the path of a module, both looked up from `directory`, or a
 * file URL; the module may be TypeScript. Throws ParadigmError when it cannot be found or loaded, or exports none.
 */
export async function loadPlugin(
  plugin: string,
  directory: string,
  { patience = PATIENCE }: { patience?: number } = {},
): Promise<AnyDefinition[]> {
  const file = await locate(plugin, directory);
  let namespace: object;
  try {
    namespace = await within(patience, importModule(file));
  } catch (cause) {
    throw new ParadigmError(`Plug-in '${plugin}' (${file}) failed to load: ${describe(cause)}`, { cause });
  }
  const found = paradigmsIn(namespace);
  if (!found.length)
    throw new ParadigmError(`Plug-in '${plugin}' (${file}) exports no paradigm; export what defineParadigm returns`);
  return found;
}

async function locate(plugin: string, directory: string): Promise<string> {
  if (plugin.startsWith('file:')) return fileURLToPath(plugin);
  const isPath = /^\.{0,2}[/\\]/.test(plugin) || path.isAbsolute(plugin);
  try {
    // Paths without an extension, too, and without the cost of a bundler.
    return resolver(directory)(isPath ? path.resolve(directory, plugin) : plugin);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const found = code === 'ERR_PACKAGE_PATH_NOT_EXPORTED' ? await resolveImport(plugin, directory) : undefined;
    if (found) return found;
    throw new ParadigmError(
      `Plug-in '${plugin}' was not found from ${directory}; name an installed package, or the path of a module: ./plugin.js`,
      { cause },
    );
  }
}

/** As `require` in a file of that folder would find it: `import` differs only for packages that say so. */
function resolver(directory: string): (specifier: string) => string {
  const require = createRequire(path.resolve(directory, 'tutti-plugin.js'));
  return (specifier) => require.resolve(specifier);
}

/** The namespace of a module, which may be TypeScript. */
export async function importModule(file: string): Promise<object> {
  try {
    return await import(pathToFileURL(file).href);
  } catch (cause) {
    if (!cannotRead(cause, file)) throw cause;
    return importTypeScript(file);
  }
}

function within<T>(patience: number, loading: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`it has not loaded within ${patience} ms; what does it await?`)),
      patience,
    );
  });
  return Promise.race([loading, late]).finally(() => clearTimeout(timer));
}

/** TypeScript that this Node does not read: none of it, none in packages, or none whose imports say `.js` for `.ts`. */
function cannotRead(cause: unknown, file: string): boolean {
  const { code = '' } = cause as NodeJS.ErrnoException;
  if (code === 'ERR_UNKNOWN_FILE_EXTENSION') return /\.[cm]?tsx?\b/.test((cause as Error).message);
  if (/TYPESCRIPT|TYPE_STRIPPING/.test(code)) return true;
  return code === 'ERR_MODULE_NOT_FOUND' && /\.[cm]?tsx?$/.test(file);
}

function describe(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const missesTutti = /package 'tutti'|resolve "tutti"/.test(cause.message);
  const advice = missesTutti ? '; install tutti where the plug-in lies: npm install tutti' : '';
  return `${cause.name}: ${cause.message}${advice}`;
}
