/** Plug-ins that the working directory's package names among its dependencies. Their package.json says enough to list them. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { CommandModule } from 'yargs';
import { UsageError } from '../core/errors.ts';
import { loadPlugin } from '../core/paradigm/plugins.ts';
import { ScriptError } from './errors.ts';

export interface Discovered {
  package: string;
  version: string;
  description: string;
  /** What its command is called, if it has one. */
  command: string;
  /** Its folder. */
  where: string;
}

interface Manifest {
  name?: unknown;
  version?: unknown;
  description?: unknown;
  keywords?: unknown;
  tutti?: { command?: unknown };
  dependencies?: object;
  devDependencies?: object;
}

const KEYWORD = 'tutti-paradigm';

/** None of them is loaded. One whose package.json cannot be read is as good as not installed. */
export function discover(directory = process.cwd()): Discovered[] {
  const home = nearest(directory, 'package.json');
  if (!home) return [];
  const { dependencies, devDependencies } = home.manifest;
  const names = Object.keys({ ...dependencies, ...devDependencies });
  return names
    .flatMap((name) => {
      const found = nearest(home.folder, path.join('node_modules', name, 'package.json'));
      return found ? describe(name, found) : [];
    })
    .sort((a, b) => (a.package < b.package ? -1 : 1));
}

/** For help, all that are not built in; the one that is named is loaded, to be run. */
export async function pluginCommands(
  named: string | undefined,
  taken: readonly string[],
  directory = process.cwd(),
): Promise<CommandModule[]> {
  const plugins = discover(directory).filter(({ command }) => !taken.includes(command));
  const mine = plugins.filter(({ command }) => command === named);
  if (mine.length > 1) {
    const owners = mine.map((plugin) => `${plugin.package} (${plugin.where})`).join(' and ');
    throw new UsageError(
      `Two packages have a command '${named}': ${owners}; remove one of them from the dependencies of ${directory}`,
    );
  }
  const others = plugins.filter(({ command }) => command !== named);
  const listed = [...new Map(others.map((plugin) => [plugin.command, plugin])).values()].map(
    ({ command, description }): CommandModule => ({ command, describe: description, handler: () => {} }),
  );
  return mine[0] ? [...listed, await load(mine[0], directory)] : listed;
}

async function load(plugin: Discovered, directory: string): Promise<CommandModule> {
  const { toolsOf } = await import('./command-tools.ts');
  const because = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));
  try {
    const definitions = await loadPlugin(plugin.package, directory);
    const withCommand = definitions.filter(({ cli }) => cli);
    const { cli } = withCommand.find(({ name }) => name === plugin.command) ?? withCommand[0] ?? {};
    if (!cli) throw new Error(`none of its paradigms (${definitions.map(({ name }) => name).join(', ')}) has 'cli'`);
    const made = cli(toolsOf());
    const [usage = '', ...aliases] = [made.command].flat();
    // What was listed is what can be called, whatever the plug-in calls itself.
    const command = [usage.replace(/^\S*/, plugin.command), ...aliases];
    return { describe: plugin.description, ...made, command } as CommandModule;
  } catch (cause) {
    throw new ScriptError(
      `Command '${plugin.command}' of package ${plugin.package} (${plugin.where}) cannot be used: ${because(cause)}`,
      { cause },
    );
  }
}

function describe(name: string, { folder, manifest }: { folder: string; manifest: Manifest }): Discovered[] {
  const { version, description, keywords, tutti } = manifest;
  if (!Array.isArray(keywords) || !keywords.includes(KEYWORD)) return [];
  const own = typeof tutti?.command === 'string' && /^[a-z][\w-]*$/.test(tutti.command) ? tutti.command : undefined;
  return [
    {
      package: name,
      version: typeof version === 'string' ? version : '',
      description: typeof description === 'string' ? description : `The command of ${name}`,
      command: own ?? name.replace(/^@[^/]*\//, '').replace(/^tutti-/, ''),
      where: folder,
    },
  ];
}

/** A package.json by its path from a folder, or from the nearest one above it that has it. */
function nearest(directory: string, file: string): { folder: string; manifest: Manifest } | undefined {
  for (let folder = path.resolve(directory); ; folder = path.dirname(folder)) {
    const manifest = read(path.join(folder, file));
    if (manifest) return { folder: path.dirname(path.join(folder, file)), manifest };
    if (folder === path.dirname(folder)) return undefined;
  }
}

function read(file: string): Manifest | undefined {
  try {
    const manifest: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return typeof manifest === 'object' && manifest !== null ? manifest : undefined;
  } catch {
    return undefined;
  }
}
