/** Plug-ins as only a bundler can read them: in TypeScript, on a Node that does not read it, or in packages for `import` alone. */
import { readFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { BuildOptions, Plugin } from 'esbuild';
import { bundler } from '../functions/bundle.ts';
import { cameFrom, shortHash } from '../functions/origins.ts';
import { mappedOrigin } from '../functions/source-maps.ts';
import { codeHash } from '../wire/code-hash.ts';

const SOURCE = /\.[cm]?tsx?$/;

/** What all builds here share. */
const COMMON = {
  bundle: true,
  write: false,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  keepNames: true,
  logLevel: 'silent',
  // Those of Node, so that a package is found as Node would find it; without any, esbuild adds one for bundlers.
  conditions: process.features.require_module ? ['node-addons', 'module-sync'] : ['node-addons'],
} as const satisfies BuildOptions;

/**
 * The namespace of a module, which is bundled with what it imports by path. Packages stay what they are for any other module of
 * this process, tutti above all.
 */
export async function importTypeScript(file: string): Promise<object> {
  const directory = path.dirname(file);
  const { outputFiles } = await bundler().build({
    ...COMMON,
    entryPoints: [file],
    outfile: path.join(directory, 'tutti-bundle.mjs'),
    sourcemap: 'external',
    sourcesContent: false,
    plugins: [packagesStay, ownUrls],
  });
  const output = (end: string) => outputFiles.find((made) => made.path.endsWith(end))!.text;
  const hash = codeHash(output('.mjs'));
  cameFrom(hash, mappedOrigin(output('.map'), directory));
  const text = `${output('.mjs')}\n//# sourceURL=${pathToFileURL(file).href}?bundle=${shortHash(hash)}`;
  return import(`data:text/javascript;base64,${Buffer.from(text).toString('base64')}`);
}

/** The file that an import in a module of that folder means, if there is one. */
export async function resolveImport(specifier: string, directory: string): Promise<string | undefined> {
  let file: string | undefined;
  const look: Plugin = {
    name: 'tutti-look',
    setup(build) {
      build.onStart(async () => {
        const found = await build.resolve(specifier, { kind: 'import-statement', resolveDir: directory });
        if (!found.errors.length && found.namespace === 'file') file = found.path;
      });
    },
  };
  await bundler().build({ ...COMMON, stdin: { contents: '', resolveDir: directory }, plugins: [look] });
  return file;
}

/** Imports of packages become imports of their files: a module made of data can name nothing else. */
const inner = Symbol('inner');
const packagesStay: Plugin = {
  name: 'tutti-packages',
  setup(build) {
    build.onResolve({ filter: /^[^./]/ }, async ({ path: specifier, kind, importer, resolveDir, pluginData }) => {
      if (kind === 'entry-point' || pluginData === inner || isBuiltin(specifier)) return;
      const found = await build.resolve(specifier, { kind, importer, resolveDir, pluginData: inner });
      // What a package imports as '#name' may be TypeScript, too.
      if (found.errors.length || found.external || SOURCE.test(found.path)) return found;
      return { path: pathToFileURL(found.path).href, external: true };
    });
  },
};

/** `import.meta` says where the source lies, not the bundle. */
const ownUrls: Plugin = {
  name: 'tutti-urls',
  setup(build) {
    build.onLoad({ filter: /\.[cm]?[jt]sx?$/ }, async ({ path: file }) => {
      const meta = { url: pathToFileURL(file).href, filename: file, dirname: path.dirname(file) };
      const define = Object.entries(meta).map(([name, value]) => [`import.meta.${name}`, JSON.stringify(value)]);
      const { code } = await bundler().transform(await readFile(file, 'utf8'), {
        loader: /x$/.test(file) ? 'tsx' : SOURCE.test(file) ? 'ts' : 'js',
        sourcefile: file,
        sourcemap: 'inline',
        sourcesContent: false,
        target: 'node20',
        define: Object.fromEntries(define),
      });
      return { contents: code, loader: 'js' };
    });
  },
};
