import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');
const application = ['core', 'transports', 'paradigms', 'cli', 'entry', ''];
/** Who may import whom; '' is the root, that is `main.ts` and `browser.ts`. Nobody but spec imports spec. */
const allowed: Record<string, string[]> = {
  core: ['core'],
  transports: ['transports', 'core'],
  paradigms: ['paradigms', 'core'],
  cli: ['cli', 'paradigms', 'core', 'transports'],
  entry: application,
  browser: ['browser', 'core'],
  '': [...application, 'browser'],
  bench: [...application, 'bench'],
  examples: [...application, 'examples'],
};
const IMPORT = /(?:\bfrom|\bimport|\bimport\s*\()\s*(['"])(\.[^'"\n]+)\1/g;

test.each(Object.entries(allowed))('%j imports only %j', (folder, targets) => {
  const files = readdirSync(path.join(root, folder), { recursive: folder !== '', encoding: 'utf8' });
  const wrong = files
    .filter((file) => /\.[mc]?[jt]sx?$/.test(file))
    .flatMap((file) =>
      [...readFileSync(path.join(root, folder, file), 'utf8').matchAll(IMPORT)]
        .map((match) => ({
          specifier: match[2]!,
          to: path.relative(root, path.resolve(root, folder, file, '..', match[2]!)),
        }))
        .filter(({ to }) => !targets.includes(to.includes(path.sep) ? to.split(path.sep)[0]! : ''))
        .map(({ specifier }) => `${path.join(folder, file)} imports ${specifier}`),
    );
  expect(wrong).toEqual([]);
});
