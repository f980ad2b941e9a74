import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import { afterAll, describe, expect, test } from 'vitest';
import * as errorClasses from '../../core/errors.ts';
import { slurm } from '../../core/launch/slurm.ts';
import { replay } from './support-console.ts';
import { type Block, blocksOf, compared, Desk, missing, root, tutti } from './support-docs.ts';

/** Blocks that need the network, or a clone of the repository, and what is checked of them instead. */
const notRun: Record<string, () => void> = {
  'npm ci && npm start\nnpm ci && npm test\n': () =>
    expect(Object.keys(scripts())).toEqual(expect.arrayContaining(['start', 'test'])),
  'npm run check\nnpm run bench -- core\n': () =>
    expect(Object.keys(scripts())).toEqual(expect.arrayContaining(['check', 'bench'])),
  'npm pack\ncd ../your-project && npm install ../tutti/tutti-0.1.0.tgz\n': () => {
    const packed = JSON.parse(npm('pack', '--dry-run', '--ignore-scripts', '--json'))[0];
    expect(packed.filename).toBe('tutti-0.1.0.tgz');
    const files = packed.files.map((file: { path: string }) => file.path);
    expect(files).toEqual(
      expect.arrayContaining([
        'dist/main.js',
        'dist/main.d.ts',
        'dist/cli/main.js',
        'dist/browser.js',
        'dist/browser.d.ts',
        'README.md',
      ]),
    );
  },
};

/** It needs a Slurm, which `launcher-slurm.test.ts` has; here its template is looked at. */
const { text: onSlurm } = blocksOf(read('docs/guides/many-machines.md')).find(({ text }) => text.includes('slurm({'))!;
notRun[onSlurm] = () => expect(slurm({ template: onSlurm.split('`')[1]! }).kind).toBe('slurm');

const pages = ['README.md', ...markdownIn('docs')];
const others = ['ARCHITECTURE.md', 'CHANGELOG.md', 'examples/README.md'];
// In the repository, so that programs find the package by its own name; in dist, so that git and Biome pass it by.
const place = mkdtempSync(path.join(root, 'dist/docs-'));
// For packages that stand there: they are none of the repository's own files.
mkdirSync(path.join(place, 'node_modules'));
symlinkSync(root, path.join(place, 'node_modules/tutti'));
afterAll(() => rmSync(place, { recursive: true, force: true }));

describe.concurrent.each(pages)('%s', (page) => {
  const blocks = blocksOf(read(page));
  const files = blocks.filter((block) => fileOf(block));
  const runnable = blocks.filter((block) => !fileOf(block) && !(block.text in notRun));

  test('has only blocks that are run', () => {
    expect(
      blocks.filter((b) => !['ts', 'sh', 'console'].includes(b.language)).map((b) => `line ${b.line}: ${b.language}`),
    ).toEqual([]);
    const unused = files.filter(
      (file) => !blocks.some((block) => block !== file && block.text.includes(fileOf(file)!)),
    );
    expect(unused.map(fileOf)).toEqual([]);
  });

  for (const block of blocks.filter((b) => b.text in notRun)) test(`line ${block.line} would run`, notRun[block.text]!);

  for (const chain of chainsOf(runnable)) {
    const dir = path.join(place, page.replaceAll('/', '-'), String(chain[0]!.line));
    mkdirSync(dir, { recursive: true });
    for (const file of files) writeFileSync(path.join(dir, fileOf(file)!), file.text);
    if (chain[0]!.language === 'ts') writeFileSync(path.join(dir, 'program.ts'), chain[0]!.text);
    const without = chain.flatMap(missing);
    const why = without.length ? ` (there is no ${without.join()} here)` : '';
    test.skipIf(without.length && !process.env.TUTTI_REQUIRE_NATS)(
      `line ${chain[0]!.line}${why}`,
      ({ expect, signal }) => runChain(chain, dir, expect, signal),
    );
  }
});

test('the programs type-check', () => {
  const compilerOptions = {
    target: 'ES2022',
    module: 'NodeNext',
    lib: ['ES2023', 'ESNext.Disposable'],
    types: ['node'],
    strict: true,
    noEmit: true,
    allowImportingTsExtensions: true,
    allowJs: true,
    checkJs: false,
    skipLibCheck: true,
  };
  writeFileSync(path.join(place, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['**/*.ts'] }));
  const tsc = path.join(root, 'node_modules/.bin/tsc');
  const { output } = attempt(() => execFileSync(tsc, ['-p', place], { encoding: 'utf8', cwd: root }));
  expect(output).toBe('');
});

test.each([...pages, ...others])('the links of %s lead somewhere', (page) => {
  const targets = [...read(page).matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map((match) => match[1]!);
  const broken = targets.filter((t) => !/^https?:/.test(t) && !existsSync(path.resolve(root, page, '..', t)));
  expect(broken).toEqual([]);
});

test('the reference names every export, every error code and every option of the command line', async () => {
  const packages = await Promise.all(['tutti', 'tutti/browser'].map((name) => import(name)));
  const exported = packages.flatMap((one) => Object.keys(one));
  expect(
    exported.filter(
      (e) => !new RegExp(`\\b${e}\\b`).test(read('docs/reference/api.md') + read('docs/reference/errors.md')),
    ),
  ).toEqual([]);

  const codes = readFileSync(path.join(root, 'core/errors.ts'), 'utf8').matchAll(/code: string = '(\w+)'/g);
  const errors = read('docs/reference/errors.md');
  expect([...codes].map((match) => match[1]!).filter((code) => !errors.includes(`\`${code}\``))).toEqual([]);
  expect(Object.keys(errorClasses).filter((error) => !errors.includes(`\`${error}\``))).toEqual([]);

  const cli = read('docs/reference/cli.md');
  const help = (...command: string[]): string =>
    execFileSync(process.execPath, [tutti, ...command, '--help'], { encoding: 'utf8' });
  const commands = [...help().matchAll(/^ {2}tutti (\w+)/gm)].map((match) => match[1]!);
  for (const command of commands) {
    const section = new RegExp(`^### tutti ${command}\\n([\\s\\S]*?)(?=^#|(?![\\s\\S]))`, 'm').exec(cli)?.[1] ?? '';
    expect(section, `tutti ${command} in docs/reference/cli.md`).not.toBe('');
    const options = [...help(command).matchAll(/^ +(?:-\w, )?(--[a-z-]+)/gm)].map((match) => match[1]!);
    expect(
      options.filter((o) => !['--help', '--version'].includes(o) && !section.includes(o)),
      command,
    ).toEqual([]);
  }
}, 60_000);

type Expect = typeof expect;

async function runChain(chain: Block[], dir: string, expect: Expect, signal: AbortSignal): Promise<void> {
  const desk = new Desk();
  try {
    for (const block of chain) {
      if (block.language === 'console') {
        await replay(block.text, dir, desk.env, expect);
        continue;
      }
      const args = block.language === 'ts' ? [await compiled(dir)] : ['-ec', block.text];
      const { code, output } = await desk.run(block.language === 'ts' ? process.execPath : 'bash', args, dir, signal);
      const { actual, expected } = compared(output, block.expected);
      expect(actual, `printed by the block at line ${block.line}, which exits with ${code}`).toEqual(expected);
      expect(code, 'exit code').toBe(0);
    }
    expect(existsSync(desk.home), 'clusters are left running').toBe(false);
  } finally {
    await desk.clear(AbortSignal.timeout(30_000));
  }
}

async function compiled(dir: string): Promise<string> {
  const outfile = path.join(dir, 'program.mjs');
  await build({
    entryPoints: [path.join(dir, 'program.ts')],
    outfile,
    bundle: true,
    packages: 'external',
    // Modules that are there as they are: halves of paradigms know their own file.
    external: ['./*.mjs'],
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'silent',
  });
  return outfile;
}

/** Each block is on its own, but for shell blocks that are marked `continued`: they go on where the one before them ended. */
function chainsOf(blocks: Block[]): Block[][] {
  const chains: Block[][] = [];
  for (const block of blocks) {
    if (block.marks.includes('continued')) chains.at(-1)!.push(block);
    else chains.push([block]);
  }
  return chains;
}

function fileOf({ marks }: Block): string | undefined {
  return marks.find((mark) => mark.startsWith('file='))?.slice('file='.length);
}

function attempt(run: () => string): { output: string } {
  try {
    return { output: run() };
  } catch (error) {
    return { output: (error as { stdout: string }).stdout };
  }
}

function markdownIn(folder: string): string[] {
  const found = readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' });
  return found
    .filter((file) => file.endsWith('.md'))
    .map((file) => path.join(folder, file))
    .sort();
}

function read(page: string): string {
  return readFileSync(path.join(root, page), 'utf8');
}

function scripts(): Record<string, string> {
  return JSON.parse(read('package.json')).scripts;
}

function npm(...args: string[]): string {
  return execFileSync('npm', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
}
