/** Stands in for `core/functions/script.ts`: there is no bundler, and no file to read. */

import { UsageError } from '../core/errors.ts';
import type { ScriptBundle } from '../core/functions/script.ts';

export function bundleScript(script: string | URL): ScriptBundle {
  throw new UsageError(
    `run bundles a script with its imports, which a browser cannot do (${script}); use execute(code) or apply(fn), or let a program in Node run it`,
  );
}
