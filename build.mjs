// Builds dist/: wire code from the schema, declarations, the package and its commands in few files, programs of engines, and
// the client of pages in browsers.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { globSync } from 'tinyglobby';

const root = import.meta.dirname;
const bin = (name) => path.join(root, 'node_modules', '.bin', name);
const run = (command, ...args) => execFileSync(bin(command), args, { cwd: root, stdio: 'inherit' });

const generated = 'core/wire/generated';
mkdirSync(path.join(root, generated), { recursive: true });
run(
  'pbjs',
  '-t',
  'static-module',
  '-w',
  'esm',
  '--dependency',
  'protobufjs/minimal.js',
  '--force-number',
  '--no-verify',
  '--no-convert',
  '--no-delimited',
  '--no-typeurl',
  '--no-service',
  '-d',
  '-o',
  `${generated}/envelope.js`,
  'spec/wire/tutti.proto',
);

const dist = path.join(root, 'dist');
rmSync(dist, { recursive: true, force: true });
run('tsc', '-p', 'tsconfig.build.json');
// The compiler has made declarations of its own from the generated JavaScript; these are the generator's.
copyFileSync(path.join(root, generated, 'envelope.d.ts'), path.join(dist, generated, 'envelope.d.ts'));

const common = {
  absWorkingDir: root,
  outbase: root,
  outdir: dist,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  logLevel: 'warning',
};

/** Folders of packages of which something is in what is built: their licences want to be named. */
const packages = new Set();
async function bundle(options) {
  const result = await build({ ...common, ...options, bundle: true, metafile: true });
  for (const file of Object.keys(result.metafile.inputs)) {
    const folder = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0];
    if (folder) packages.add(folder);
  }
  return result;
}

/**
 * A module finds other files of the package from where it would lie if it were compiled alone. In what follows it lies in some part;
 * `written` puts in how far up `dist` is from there. What it writes is bundled again where a function for engines needs it, so
 * `import.meta.url` has to stand in it as such, beside no name of `core/functions/bundle.ts`.
 */
const DIST = '<dist>/';
const HERE = '__importMetaUrl';
const whereItWas = {
  name: 'where it was',
  setup({ initialOptions, onLoad }) {
    initialOptions.define = { 'import.meta.url': '__place' };
    onLoad({ filter: /\.m?[jt]s$/ }, ({ path: file }) => {
      const text = readFileSync(file, 'utf8');
      if (!text.includes('import.meta.url')) return undefined;
      const place = JSON.stringify(DIST + path.relative(root, file).replace(/ts$/, 'js'));
      return {
        contents: text.replace(/^(#!.*\n)?/, `$1const __place = new URL(${place}, ${HERE}).href;`),
        loader: file.endsWith('.ts') ? 'ts' : 'js',
      };
    });
  },
};

function written({ outputFiles }) {
  for (const { path: file, text } of outputFiles) {
    const up = path.relative(path.dirname(file), dist);
    mkdirSync(path.dirname(file), { recursive: true });
    const code = () =>
      named(text)
        .replaceAll(DIST, up ? `${up}/` : './')
        .replaceAll(HERE, 'import.meta.url');
    writeFileSync(file, file.endsWith('.js') ? code() : text);
  }
}

/** A class that speaks of itself gets another name from esbuild, which would be seen wherever one of it is printed. */
function named(text) {
  const classes = [...text.matchAll(/^var (\w+) = class _\1\b/gm)].map(([, name]) => name);
  return classes.length ? text.replaceAll(new RegExp(`\\b_(${classes.join('|')})\\b`, 'g'), '$1') : text;
}

/** `rxjs` is 220 files, of which few are needed; they are the same classes as those of a program that imports all of it. */
const rxjs = {
  name: 'rxjs in parts',
  setup({ onResolve, onLoad }) {
    const files = {
      EmptyError: 'util/EmptyError',
      Observable: 'Observable',
      Subject: 'Subject',
      defer: 'observable/defer',
      filter: 'operators/filter',
      map: 'operators/map',
      startWith: 'operators/startWith',
    };
    const contents = Object.entries(files).map(([name, file]) => `export { ${name} } from 'rxjs/internal/${file}';`);
    onResolve({ filter: /^rxjs$/ }, ({ path: name }) => ({ path: name, namespace: 'rxjs' }));
    onLoad({ filter: /^rxjs$/, namespace: 'rxjs' }, () => ({ contents: contents.join('\n'), resolveDir: root }));
  },
};

const { dependencies, peerDependencies, devDependencies } = JSON.parse(
  readFileSync(path.join(root, 'package.json'), 'utf8'),
);
/** Yargs is forty files, and every command waits for them. */
const OTHERS = ['tutti', ...Object.keys({ ...dependencies, ...peerDependencies, ...devDependencies })]
  .filter((name) => name !== 'yargs')
  .flatMap((name) => [name, `${name}/*`]);

// The package: few files, since a program that imports it waits for each. What several of its doors lead to is in `parts`.
written(
  await bundle({
    entryPoints: [
      'main.ts',
      'paradigms/index.ts',
      'core/engine/inside.ts',
      'spec/compliance/index.ts',
      'cli/main.ts',
      'entry/controller.ts',
      'entry/store-writer.ts',
      // Of the repository alone, but they look into the package.
      'bench/main.ts',
      'bench/hosts/main.ts',
      'bench/hosts/run.ts',
      'bench/hosts/namespaced.ts',
      'bench/simulated-engines.ts',
      'bench/speeches-plain.ts',
      'spec/chaos/main.ts',
    ],
    chunkNames: 'parts/[hash]',
    splitting: true,
    external: OTHERS,
    sourcemap: true,
    write: false,
    plugins: [whereItWas, rxjs],
  }),
);
// The halves of its paradigms for engines, which have `core` already: as `core/paradigm/bundle.ts` would make them each time.
const upTo = (file) => ['../../', '../../../'].map((up) => `${up}core/${file}.ts`);
for (const half of ['farm/engine/half', 'mpi/engine', 'tuplespace/engine', 'mapreduce/engine']) {
  await bundle({
    outdir: undefined,
    outfile: `dist/paradigms/${half}.cjs`,
    stdin: { contents: `export * as namespace from './paradigms/${half}.ts';`, resolveDir: root },
    format: 'cjs',
    minifyWhitespace: true,
    keepNames: true,
    external: ['tutti', 'tutti/*', ...upTo('index'), ...upTo('engine/inside')],
  });
}
await build({ ...common, entryPoints: globSync('examples/*.ts', { cwd: root }), sourcemap: true });

// User code may replace any global of its process (`let Map = …` in the console): the engine holds on to its own.
const globals = [
  'AbortController',
  'AbortSignal',
  'AggregateError',
  'Array',
  'ArrayBuffer',
  'Atomics',
  'BigInt',
  'BigInt64Array',
  'BigUint64Array',
  'Boolean',
  'Buffer',
  'DataView',
  'Date',
  'Error',
  'EvalError',
  'FinalizationRegistry',
  'Float32Array',
  'Float64Array',
  'Int16Array',
  'Int32Array',
  'Int8Array',
  'JSON',
  'Map',
  'Math',
  'Number',
  'Object',
  'Promise',
  'Proxy',
  'RangeError',
  'ReferenceError',
  'Reflect',
  'RegExp',
  'Set',
  'SharedArrayBuffer',
  'String',
  'Symbol',
  'SyntaxError',
  'TextDecoder',
  'TextEncoder',
  'TypeError',
  'URIError',
  'URL',
  'Uint16Array',
  'Uint32Array',
  'Uint8Array',
  'Uint8ClampedArray',
  'WeakMap',
  'WeakRef',
  'WeakSet',
  'clearInterval',
  'clearTimeout',
  'parseInt',
  'performance',
  'process',
  'queueMicrotask',
  'setImmediate',
  'setInterval',
  'setTimeout',
  'structuredClone',
];
const entry = (name) => path.join(root, 'entry', `${name}.ts`);
const programs = {
  outdir: path.join(root, 'dist/entry'),
  outExtension: { '.js': '.mjs' },
  // Not the identifiers: the names of error classes travel, and stack traces are read.
  minifyWhitespace: true,
  minifySyntax: true,
  // Of the user's choice, and there only where it is used.
  external: ['@nats-io/*'],
  alias: {
    // Without the search for native code, which is not beside a bundle: it takes longer than all the rest of the codec.
    msgpackr: 'msgpackr/pack',
    // Numbers of 64 bits are numbers here; the package makes a module of WebAssembly as soon as it is there.
    long: path.join(root, 'browser/long.ts'),
  },
  banner: {
    js: `import{createRequire as $cr}from'node:module';const require=$cr(import.meta.url);const{${globals.join(',')}}=globalThis;`,
  },
};
await bundle({
  ...programs,
  entryPoints: { 'engine-supervisor': entry('engine-supervisor'), 'engine-lifeline': entry('engine-lifeline') },
  splitting: true,
  chunkNames: 'supervisor-part-[hash]',
});
await bundle({
  ...programs,
  // What stands on the stack when user code is looked into is in small modules: of a thread that is paused V8 lists all variables of
  // each frame's module. And decoding nests deep.
  entryPoints: {
    'engine-process': entry('engine-process'),
    'engine-thread': entry('engine-thread'),
    // What starts engines on other machines: all of these files go there.
    agent: entry('agent'),
    'engine-codec': path.join(root, 'core/wire/codec.ts'),
    'engine-turns': path.join(root, 'core/engine/turns.ts'),
    'engine-door': path.join(root, 'core/engine/door.ts'),
    'engine-operations': path.join(root, 'core/engine/operations.ts'),
    'engine-supplies': path.join(root, 'core/engine/supplies.ts'),
  },
  splitting: true,
  chunkNames: 'engine-part-[hash]',
});

// What a page in a browser has in place of Node.
const standIns = {
  'core/client/program.ts': 'browser/program.ts',
  'core/console/text.ts': 'browser/text.ts',
  'core/deferred/context.ts': 'browser/context.ts',
  'core/functions/builtins.ts': 'browser/builtins.ts',
  'core/functions/captures.ts': 'browser/captures.ts',
  'core/functions/module-reference.ts': 'browser/module-reference.ts',
  'core/functions/script.ts': 'browser/script.ts',
  'core/functions/whereabouts.ts': 'browser/whereabouts.ts',
  'core/paradigm/bundle.ts': 'browser/paradigm-bundle.ts',
  'core/wire/bytes.ts': 'browser/bytes.ts',
  'core/wire/code-hash.ts': 'browser/code-hash.ts',
  'core/wire/secrets.ts': 'browser/secrets.ts',
};
const standIn = {
  name: 'stand-in',
  setup({ onResolve }) {
    onResolve({ filter: /^\.{1,2}\/.*\.ts$/ }, ({ path: specifier, resolveDir }) => {
      const file = path.relative(root, path.resolve(resolveDir, specifier));
      return standIns[file] && { path: path.join(root, standIns[file]) };
    });
  },
};
const page = path.join(root, 'dist/browser.js');
await bundle({
  entryPoints: [path.join(root, 'browser.ts')],
  outdir: undefined,
  outfile: page,
  minify: true,
  platform: 'browser',
  // rxjs as it was written, without helpers for old browsers.
  conditions: ['es2015'],
  target: 'es2022',
  plugins: [standIn],
  alias: { long: path.join(root, 'browser/long.ts') },
  inject: [path.join(root, 'browser/timers.ts')],
});
const kB = (bytes) => `${(bytes / 1000).toFixed(0)} kB`;
console.log(`dist/browser.js: ${kB(statSync(page).size)}, ${kB(gzipSync(readFileSync(page)).length)} by gzip`);

const licences = [...packages].sort().map((folder) => {
  const { name, version, license } = JSON.parse(readFileSync(path.join(root, folder, 'package.json'), 'utf8'));
  const files = globSync('licen[cs]e*', { cwd: path.join(root, folder), caseSensitiveMatch: false, absolute: true });
  return [`# ${name} ${version} (${license})`, ...files.map((file) => readFileSync(file, 'utf8').trim())].join('\n\n');
});
writeFileSync(path.join(dist, 'LICENCES.md'), `${[...new Set(licences)].join('\n\n')}\n`);

// `npx tutti` inside the repository then runs this build, like any installed program.
const program = path.join(root, 'dist/cli/main.js');
chmodSync(program, 0o755);
const link = path.join(root, 'node_modules/.bin/tutti');
rmSync(link, { force: true });
symlinkSync(path.relative(path.dirname(link), program), link);
