/**
 * The folder of a job's output. While the job runs there is only `_temporary` in it: attempts write into folders of their own there, and
 * the first one to be done gives its folder the name of the part. When all parts are there they are moved to where they belong.
 */
import { mkdir, readdir, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { OutputError, OutputExistsError, outputError } from './errors.ts';
import type { OutputSpec } from './spec.ts';

const TEMPORARY = '_temporary';
/** In the folder of each part: it is never empty, and no folder can take the place of one that is not. */
export const DONE = '.done';

export const partFolder = ({ dir }: OutputSpec, part: number): string => path.join(dir, TEMPORARY, String(part));

/** Whose folder was not there before. */
const made = new WeakSet<OutputSpec>();

/** Makes the folder. Throws OutputExistsError where there is something in it. */
export async function prepareOutput(spec: OutputSpec): Promise<void> {
  const { dir } = spec;
  try {
    if (await mkdir(dir, { recursive: true })) made.add(spec);
    const [first] = (await readdir(dir)).sort();
    if (first !== undefined) throw exists(dir, first);
    await mkdir(path.join(dir, TEMPORARY)).catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'EEXIST' ? exists(dir, TEMPORARY) : error;
    });
  } catch (error) {
    throw outputError(dir, 'write to', error);
  }
}

function exists(dir: string, what: string): OutputExistsError {
  const advice =
    what === TEMPORARY
      ? 'Another job writes there, or one that was killed did. If it was killed, remove the folder'
      : 'Remove it, or name another folder';
  return new OutputExistsError(`${dir} is not empty: there is ${what} in it. ${advice}`, dir);
}

/** Moves what the `parts` attempts that won have written to its place, and then says so: `_SUCCESS`. */
export async function commitOutput(spec: OutputSpec, parts: number): Promise<void> {
  const { dir } = spec;
  try {
    for (let part = 0; part < parts; part++) await publish(partFolder(spec, part), dir);
    await remove(dir);
    await writeFile(path.join(dir, '_SUCCESS'), '');
  } catch (error) {
    throw outputError(dir, 'finish the output in', error);
  }
}

async function publish(from: string, to: string): Promise<void> {
  const entries = await readdir(from, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    throw new OutputError(`${from} is missing. Is it on a disk that this program and all engines share?`, from);
  });
  for (const entry of entries) {
    const source = path.join(from, entry.name);
    const target = path.join(to, entry.name);
    if (entry.isDirectory()) {
      await mkdir(target, { recursive: true });
      await publish(source, target);
    } else if (entry.name !== DONE) await rename(source, target);
  }
}

/** Removes what the job has written so far, and the folder, if that is all there was in it. */
export async function abortOutput(spec: OutputSpec): Promise<void> {
  const { dir } = spec;
  try {
    await remove(dir);
  } catch (error) {
    throw outputError(dir, 'remove what is left of the output in', error);
  }
  if (made.has(spec)) await rmdir(dir).catch(() => undefined);
}

/** Attempts that are being stopped may still write. */
function remove(dir: string): Promise<void> {
  return rm(path.join(dir, TEMPORARY), { recursive: true, force: true, maxRetries: 5, retryDelay: 20 });
}
