/** Stands in for `core/functions/module-reference.ts`: there is no bundler, and no file to read. */

import { UsageError } from '../core/errors.ts';
import type { Code } from '../core/functions/travellers.ts';

export function reference(url: URL, _name: unknown): Code {
  throw new UsageError(
    `remote(url, name) bundles a module, which a browser cannot do (${url.href}); send the function itself, with what it captures: remote(fn, { … })`,
  );
}
