import { existsSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type * as esbuild from 'esbuild';
import { UsageError } from '../errors.ts';
import { codeHash } from '../wire/code-hash.ts';
import { cameFrom } from './origins.ts';
import { mappedOrigin } from './source-maps.ts';

export interface ModuleBundle {
  hash: string;
  text: string;
}

export interface BundleOptions {
  /** Packages that are there where it runs. */
  external?: readonly string[];
  /** Without comments, which say where its files lay, and spaces. */
  small?: boolean;
  /** A part of tutti: where something happens in it says nothing to users. */
  ours?: boolean;
}

// Loading it costs 40 ms and a process of its own: only clients that send a module pay.
let loaded: typeof esbuild | undefined;

/** esbuild, loaded at first use. */
export function bundler(): typeof esbuild {
  loaded ??= createRequire(import.meta.url)('esbuild') as typeof esbuild;
  return loaded;
}

export const COMMON = {
  bundle: true,
  write: false,
  platform: 'node',
  target: 'node20',
  logLevel: 'silent',
  keepNames: true,
  external: ['*.node'],
} as const satisfies esbuild.BuildOptions;

const HEAD = '(function (exports, require, module, __filename, __dirname, __url) {';
const bundles = new Map<string, ModuleBundle & { stamp: string; inputs: string[] }>();
const ready = new Map<string, ModuleBundle>();

/**
 * A module and what it imports as one CommonJS text, whose `exports.namespace` is the module's namespace. `specifier` is
 * read as an import in a file of `directory`; built again only when a local file has changed. Throws UsageError with file,
 * line and column where it cannot be built.
 */
export function bundleModule(specifier: string, directory: string, options: BundleOptions = {}): ModuleBundle {
  const { external = [], ours = false } = options;
  const key = [directory, specifier, ...external].join('\0');
  const known = bundles.get(key);
  if (known && known.stamp === stampOf(known.inputs)) return known;
  const built = build({
    ...COMMON,
    external: [...COMMON.external, ...external],
    minifyWhitespace: options.small ?? false,
    sourcemap: ours ? false : 'external',
    sourcesContent: false,
    outfile: path.join(directory, 'tutti-bundle.cjs'),
    stdin: {
      contents: `export * as namespace from ${JSON.stringify(specifier)};`,
      resolveDir: directory,
      sourcefile: path.join(directory, 'tutti-import.mjs'),
    },
    absWorkingDir: directory,
    format: 'cjs',
    metafile: true,
    define: { 'import.meta.url': '__url' },
  });
  const output = (end: string) => built.outputFiles.find((file) => file.path.endsWith(end))!.text;
  const text = runnable(output('.cjs'));
  // Installed packages do not change under a running program.
  const inputs = Object.keys(built.metafile.inputs)
    .filter((file) => !file.includes('node_modules/') && !file.endsWith('tutti-import.mjs'))
    .map((file) => path.resolve(directory, file));
  const bundle = { hash: codeHash(text), text, inputs, stamp: stampOf(inputs) };
  cameFrom(bundle.hash, ours ? () => 'ours' : mappedOrigin(output('.map'), directory, HEAD.length));
  bundles.set(key, bundle);
  return bundle;
}

/** A part of tutti that its build has bundled, if this is one: see `build.mjs`. */
export function readyBundle(file: string): ModuleBundle | undefined {
  let bundle = ready.get(file);
  if (bundle || !existsSync(file)) return bundle;
  const text = runnable(readFileSync(file, 'utf8'));
  bundle = { hash: codeHash(text), text };
  cameFrom(bundle.hash, () => 'ours');
  ready.set(file, bundle);
  return bundle;
}

function runnable(cjs: string): string {
  return `${HEAD}${cjs}\n})`;
}

function stampOf(files: string[]): string {
  return files.map((file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs).join();
}

/** Builds, and says where and why it could not. */
export function build<T extends esbuild.BuildOptions>(options: T) {
  try {
    return bundler().buildSync<T>(options as Parameters<typeof esbuild.buildSync<T>>[0]);
  } catch (cause) {
    const errors = (cause as Partial<esbuild.BuildFailure>).errors;
    if (!errors?.length) throw cause;
    throw new UsageError(errors.map(describe).join('\n'), { cause });
  }
}

function describe({ text, location }: esbuild.Message): string {
  if (!location) return text;
  const { file, line, column, lineText } = location;
  return `${file}:${line}:${column + 1}: ${text}\n  ${lineText}\n  ${lineText.slice(0, column).replace(/[^\t]/g, ' ')}^`;
}
