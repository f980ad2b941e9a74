/** From patterns to files: each once, in the order of the patterns, those of one pattern in the order of their names. */
import { type Dirent, readdir as nodeReaddir, type Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { fileError, InputError } from './errors.ts';

export async function* matchFiles(
  { patterns, cwd }: { patterns: readonly string[]; cwd: string },
  signal?: AbortSignal,
): AsyncGenerator<string> {
  const ignore = patterns.filter((pattern) => pattern.startsWith('!')).map((pattern) => pattern.slice(1));
  const seen = new Set<string>();
  for (const pattern of patterns.filter((one) => !one.startsWith('!'))) {
    for (const file of await matchesOf(pattern, { cwd, ignore }, signal)) {
      if (seen.has(file)) continue;
      seen.add(file);
      yield file;
    }
  }
}

async function matchesOf(
  pattern: string,
  { cwd, ignore }: { cwd: string; ignore: string[] },
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const literal = path.resolve(cwd, pattern);
  const there = await statOf(literal);
  // A file may be called `a[1].txt`.
  if (there) {
    if (there.isDirectory())
      throw new InputError(
        `${literal} is a folder. Say which of its files are the input: '${path.join(pattern, '*')}', or '${path.join(pattern, '**')}' for those in folders in it, too`,
        { path: literal },
      );
    return [literal];
  }
  // Engines read only, and need not load this.
  const { glob } = await import('tinyglobby');
  const unreadable: { folder: string; error: NodeJS.ErrnoException }[] = [];
  /** As Node's, but it remembers failures, which the library passes over. */
  const readdir = (folder: string, options: any, done: (error: any, entries: Dirent[]) => void): void =>
    nodeReaddir(folder, options, (error: NodeJS.ErrnoException | null, entries: any) => {
      if (error && error.code !== 'ENOENT' && error.code !== 'ENOTDIR') unreadable.push({ folder, error });
      done(error, entries);
    });
  const found = await glob(pattern, {
    cwd,
    ignore,
    absolute: true,
    expandDirectories: false,
    fs: { readdir: readdir as typeof nodeReaddir },
    ...(signal && { signal }),
  });
  signal?.throwIfAborted();
  if (unreadable[0]) throw fileError(unreadable[0].folder, 'look for input in', unreadable[0].error);
  if (found.length === 0)
    throw new InputError(`No files match '${pattern}' in ${cwd}. Is the pattern right, and the folder?`, {
      path: literal,
    });
  return found.sort((a, b) => (a < b ? -1 : 1));
}

async function statOf(file: string): Promise<Stats | undefined> {
  try {
    return await stat(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // What can only be a glob may be too long for a name, or contain what no name can.
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG') return undefined;
    throw fileError(file, 'read', error);
  }
}
