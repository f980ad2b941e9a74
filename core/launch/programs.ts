/** Where the programs that run as processes or threads of their own lie: bundled, beside the compiled package. */
import { existsSync } from 'node:fs';
import { LaunchError } from '../errors.ts';

export function programUrl(name: string): URL {
  // Compiled, this file is dist/core/launch/programs.js; run from source (tests), the programs are still in dist; in an agent
  // it is among them.
  for (const base of ['./', '../../entry/', '../../dist/entry/']) {
    const url = new URL(base + name, import.meta.url);
    if (existsSync(url)) return url;
  }
  throw new LaunchError(`The program ${name} is missing beside ${import.meta.url}; run 'npm run build'`);
}
