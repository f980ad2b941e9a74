/** Loading plug-ins by name: what a controller's start list and the command line name. */
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ParadigmError } from '../errors.ts';
import { type AnyDefinition, paradigmsIn } from './paradigm.ts';

/**
 * The paradigms that a module exports. `plugin` is a package's name or the path of a module, both looked up from `directory`, or a
 * file URL. Throws ParadigmError when it cannot be found or loaded, or exports none.
 */
export async function loadPlugin(plugin: string, directory: string): Promise<AnyDefinition[]> {
  const file = locate(plugin, directory);
  let namespace: object;
  try {
    namespace = await import(pathToFileURL(file).href);
  } catch (cause) {
    throw new ParadigmError(`Plug-in '${plugin}' (${file}) failed to load: ${describe(cause)}`, { cause });
  }
  const found = paradigmsIn(namespace);
  if (!found.length)
    throw new ParadigmError(`Plug-in '${plugin}' (${file}) exports no paradigm; export what defineParadigm returns`);
  return found;
}

function locate(plugin: string, directory: string): string {
  if (plugin.startsWith('file:')) return fileURLToPath(plugin);
  const named = /^[./]/.test(plugin) || path.isAbsolute(plugin) ? path.resolve(directory, plugin) : plugin;
  try {
    return resolver(directory)(named);
  } catch (cause) {
    throw new ParadigmError(
      `Plug-in '${plugin}' was not found from ${directory}; name an installed package, or the path of a module: ./plugin.js`,
      { cause },
    );
  }
}

/** As `import` in a file of that folder would find it. */
function resolver(directory: string): (specifier: string) => string {
  const require = createRequire(path.join(directory, 'tutti-plugin.js'));
  return (specifier) => require.resolve(specifier);
}

function describe(cause: unknown): string {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code;
  if (code === 'ERR_UNKNOWN_FILE_EXTENSION')
    return 'this Node reads no TypeScript; build it to JavaScript, or start the program with tsx';
  return cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
}
