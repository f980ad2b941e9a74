import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, test } from 'vitest';

const fixtures = path.resolve('spec/fixtures/functions');
const expected = {
  closure: 7,
  mutual: true,
  class: [7, 0],
  loop: [0, 3, 6],
  imported: 314,
  shown: '{ a: 1 }',
  object: 8,
  builtin: '',
  npm: 2,
  traced: true,
  named: true,
};

describe('functions travel from a program', () => {
  let out: string;
  // Beside the sources, so that packages resolve.
  beforeAll(() => {
    out = mkdtempSync(path.join(fixtures, '.out-'));
  });
  afterAll(() => rmSync(out, { recursive: true, force: true }));

  const bundle = async (entry: string, options: object = {}) => {
    const outfile = path.join(out, `${path.basename(entry, '.ts')}.mjs`);
    const shared = { bundle: true, platform: 'node', format: 'esm', packages: 'external', target: 'node20' } as const;
    await build({ entryPoints: [path.join(fixtures, entry)], outfile, ...shared, ...options });
    return outfile;
  };
  const run = (args: string[], wanted: object = expected) => {
    const output = execFileSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    assert.deepEqual(JSON.parse(output), wanted);
  };

  test('under tsx', () => run(['--import', 'tsx', path.join(fixtures, 'program.ts')]));

  test('as plain modules', async () => {
    await bundle('travel.ts');
    await bundle('shapes.ts');
    const siblings = {
      name: 'siblings',
      setup: (b: any) =>
        b.onResolve({ filter: /^\.\/\w+\.ts$/ }, (a: any) => ({ path: a.path.replace(/ts$/, 'mjs'), external: true })),
    };
    run([await bundle('program.ts', { plugins: [siblings] })]);
  });

  test('in a bundle', async () => run([await bundle('program.ts')]));

  test('in a minified bundle, which keeps names', async () =>
    run([await bundle('program.ts', { minify: true, keepNames: true })]));

  test('in a minified bundle', async () =>
    run([await bundle('program.ts', { minify: true })], { ...expected, named: false }));

  test('where the inspector is forbidden, as long as nothing is captured unseen', async () => {
    const file = await bundle('forbidden.ts');
    const permission = process.allowedNodeEnvironmentFlags.has('--permission')
      ? '--permission'
      : '--experimental-permission';
    const output = execFileSync(process.execPath, [permission, '--allow-fs-read=*', file], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [plain, given, refused] = JSON.parse(output);
    assert.deepEqual([plain, given], [3, 7]);
    assert.match(
      refused,
      /cannot be read: the inspector is not available here\. Name what it needs: remote\(fn, \{ a, b \}\)/,
    );
  });
});
