/** Plug-ins written in TypeScript, for a Node that does not read it. */
import { readFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Plugin } from 'esbuild';
import { bundler } from '../functions/bundle.ts';

const SOURCE = /\.[cm]?tsx?$/;

/**
 * The namespace of a module, which is bundled with what it imports by path. Packages stay what they are for any other module of
 * this process, tutti above all. `target` is a file, or a package's name as seen from `directory`.
 */
export async function importTypeScript(target: string, directory: string): Promise<object> {
  const { outputFiles } = await bundler().build({
    stdin: {
      contents: `export * as namespace from ${JSON.stringify(target)};`,
      resolveDir: directory,
      sourcefile: 'tutti-plugin.mjs',
    },
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    keepNames: true,
    logLevel: 'silent',
    // Those of Node, so that a package is found as Node would find it; without any, esbuild adds one for bundlers.
    conditions: process.features.require_module ? ['node-addons', 'module-sync'] : ['node-addons'],
    plugins: [packagesStay(target), ownUrls],
  });
  const name = path.isAbsolute(target) ? pathToFileURL(target).href : `tutti:///plugin/${target}`;
  const text = `${outputFiles![0]!.text}\n//# sourceURL=${name}`;
  const bundle = await import(`data:text/javascript;base64,${Buffer.from(text).toString('base64')}`);
  return bundle.namespace;
}

/** Imports of packages become imports of their files: a module made of data can name nothing else. */
function packagesStay(entry: string): Plugin {
  const inner = Symbol('inner');
  return {
    name: 'tutti-packages',
    setup(build) {
      build.onResolve({ filter: /^[^./]/ }, async ({ path: specifier, kind, importer, resolveDir, pluginData }) => {
        if (pluginData === inner || specifier === entry || isBuiltin(specifier) || /^[a-z]:\\/i.test(specifier)) return;
        const found = await build.resolve(specifier, { kind, importer, resolveDir, pluginData: inner });
        // What a package imports as '#name' is its own file.
        if (found.errors.length || found.external || SOURCE.test(found.path)) return found;
        return { path: pathToFileURL(found.path).href, external: true };
      });
    },
  };
}

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
        target: 'node20',
        define: Object.fromEntries(define),
      });
      return { contents: code, loader: 'js' };
    });
  },
};
