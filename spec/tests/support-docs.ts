/** Reading the documentation: its fenced blocks, what each of them must print, and running them as a reader would. */
import { spawn } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export const root = path.resolve(import.meta.dirname, '../..');
export const tutti = path.join(root, 'dist/cli/main.js');

export interface Expectation {
  lines: string[];
  /** Engines print when they get to it: compared line by line, in any order. */
  anyOrder: boolean;
}

export interface Block {
  /** Of its first line. */
  line: number;
  language: string;
  /** What stands behind the language: `continued`, `any-order`, `file=NAME`, `needs=PROGRAM`. */
  marks: string[];
  text: string;
  expected: Expectation;
}

const SYSTEM = ['/usr/local/bin', '/usr/bin', '/bin', '/usr/sbin'];

/** Programs that the block needs and that are not here. */
export function missing({ marks }: Block): string[] {
  const needed = marks.filter((mark) => mark.startsWith('needs=')).map((mark) => mark.slice('needs='.length));
  return needed.filter((program) => !SYSTEM.some((folder) => existsSync(path.join(folder, program))));
}

const FENCE = /^```(\w*)([^\n`]*)\n([\s\S]*?)^```$/gm;

/** Every fenced block. What a block prints: the `text` block right behind it, or its own `// prints:` comments. */
export function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = [];
  let end = 0;
  for (const { 0: whole, 1: language = '', 2: marks = '', 3: text = '', index } of markdown.matchAll(FENCE)) {
    const block = {
      line: markdown.slice(0, index).split('\n').length,
      language,
      marks: marks.trim().split(/\s+/).filter(Boolean),
      text,
    };
    const before = blocks.at(-1);
    if (language === 'text' && before && !markdown.slice(end, index).trim()) before.expected = expectation(text, marks);
    else blocks.push({ ...block, expected: { lines: printed(text), anyOrder: false } });
    end = index + whole.length;
  }
  return blocks;
}

export function expectation(text: string, marks = ''): Expectation {
  return { lines: linesOf(text), anyOrder: marks.includes('any-order') };
}

function printed(program: string): string[] {
  return [...program.matchAll(/\/\/ prints: ?(.*)$/gm)].map((match) => match[1]!.trimEnd());
}

export function linesOf(text: string): string[] {
  const lines = text.split('\n').map((line) => line.trimEnd());
  while (lines.at(-1) === '') lines.pop();
  return lines;
}

/**
 * The output with every part that `…` stands for in the expected lines replaced by `…`, so that a failure shows as a
 * plain difference between two texts. `…` stands for anything within a line.
 */
export function compared(actual: string, { lines, anyOrder }: Expectation): { actual: string[]; expected: string[] } {
  const left = [...lines];
  const got = linesOf(actual).map((line, i) => {
    const at = anyOrder ? left.findIndex((wanted) => fits(line, wanted)) : fits(line, lines[i]) ? i : -1;
    if (at < 0) return line;
    return anyOrder ? left.splice(at, 1)[0]! : lines[at]!;
  });
  return anyOrder ? { actual: got.sort(), expected: [...lines].sort() } : { actual: got, expected: lines };
}

function fits(line: string, wanted: string | undefined): boolean {
  const pattern = wanted?.split('…').map((piece) => piece.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  return pattern !== undefined && new RegExp(`^${pattern.join('.*')}$`).test(line);
}

/** In place of the machines that the documentation names there is this one; `nowhere` is not known, as it would not be. */
const SSH = `#!/bin/sh
for command; do host=$last; last=$command; done
[ "$host" = nowhere ] && echo 'ssh: Could not resolve hostname nowhere' >&2 && exit 255
exec sh -c "$command"
`;

/** A home of its own for clusters, and commands `tutti` and `npx tutti` that are the ones built here. */
export class Desk {
  readonly #dir = mkdtempSync(path.join(tmpdir(), 'tutti-docs-'));
  readonly home = path.join(this.#dir, 'home');
  readonly #env: Record<string, string>;

  constructor() {
    const bin = path.join(this.#dir, 'bin');
    const temporary = path.join(this.#dir, 'tmp');
    for (const folder of [bin, temporary]) mkdirSync(folder);
    const run = `exec '${process.execPath}' '${tutti}' "$@"\n`;
    writeFileSync(path.join(bin, 'tutti'), `#!/bin/sh\n${run}`);
    writeFileSync(path.join(bin, 'npx'), `#!/bin/sh\n[ "$1" = tutti ] || exit 127\nshift\n${run}`);
    writeFileSync(path.join(bin, 'ssh'), SSH);
    for (const name of ['tutti', 'npx', 'ssh']) chmodSync(path.join(bin, name), 0o755);
    const PATH = [bin, path.dirname(process.execPath), ...SYSTEM].join(path.delimiter);
    this.#env = { PATH, HOME: this.#dir, TUTTI_HOME: this.home, TMPDIR: temporary };
  }

  get env(): Record<string, string> {
    return this.#env;
  }

  /** What it prints on stdout and stderr, in order. */
  run(
    command: string,
    args: readonly string[],
    cwd: string,
    signal: AbortSignal,
  ): Promise<{ code: number | null; output: string }> {
    const file = path.join(this.#dir, 'output');
    const output = openSync(file, 'w');
    const child = spawn(command, args, { cwd, env: this.#env, stdio: ['ignore', output, output], signal });
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code) => resolve({ code, output: readFileSync(file, 'utf8') }));
    }).finally(() => closeSync(output)) as Promise<{ code: number | null; output: string }>;
  }

  /** Stops what a failed block has left running. */
  async clear(signal: AbortSignal): Promise<void> {
    if (existsSync(this.home)) await this.run(process.execPath, [tutti, 'stop', '--all'], this.#dir, signal);
    rmSync(this.#dir, { recursive: true, force: true });
  }
}
