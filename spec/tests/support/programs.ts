/** Programs of the system that some tests need: looked up, and where they are missing, a reason to skip. */
import { existsSync } from 'node:fs';
import path from 'node:path';

/** The path of a program, also of one for administrators. */
export function programAt(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(path.delimiter), '/usr/sbin', '/usr/local/sbin', '/sbin'];
  return folders.map((folder) => path.join(folder, name)).find((file) => existsSync(file));
}

/**
 * Why tests must be skipped that need these programs; undefined when all are there. Where the variable `required` is set, as in CI,
 * it throws instead.
 */
export function reasonToSkip(required: string, programs: readonly string[], advice: string): string | undefined {
  const missing = programs.filter((name) => !programAt(name));
  if (!missing.length) return undefined;
  const reason = `not here: ${missing.join(', ')}; ${advice}`;
  if (process.env[required]) throw new Error(`These tests may not be skipped (${required}): ${reason}`);
  return reason;
}
