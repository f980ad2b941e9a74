import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { UsageError } from '../errors.ts';
import { bundleModule } from './bundle.ts';
import { moduleForm } from './form-makers.ts';
import { type Code, travelling } from './travellers.ts';

/** An export of a module that is bundled when it is sent. A page in a browser has a stand-in for this file. */
export function reference(url: URL, name: unknown): Code {
  if (url.protocol !== 'file:' || typeof name !== 'string') {
    throw new UsageError(
      `remote(url, name) takes a file URL and the name of an export, not ${url.href} and ${String(name)}`,
    );
  }
  const file = fileURLToPath(url);
  const local = async (...args: unknown[]) => (await import(url.href))[name](...args);
  return travelling(local, (code) => moduleForm(bundleModule(file, path.dirname(file)), name)(code));
}
