/** What is thrown on an engine is seen with the file, the line and the column where it was written, and the line itself. */
import { execFile } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { transformSync } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Terminal } from '../fixtures/cli/terminal.ts';

const folder = path.resolve(import.meta.dirname, '../fixtures/stacks');
const tsx = path.resolve(import.meta.dirname, '../../node_modules/.bin/tsx');

interface Seen {
  what: string;
  stack: string;
}

/** Each error of a program is at the place in the file where its message stands. */
function expectPlaces(seen: readonly Seen[], ...files: string[]): void {
  expect(seen.length).toBe(11);
  for (const { what, stack } of seen) {
    const { file, line, text } = placeOf(`throws ${what}`, files);
    const place = /\(?([^\s()]+):(\d+):(\d+)\)?$/m.exec(stack.split('\n').find((one) => /^\s+at /.test(one))!)!;
    const written = what === 'in a text' ? /cell-\d+\.ts$/ : file;
    expect([what, ...place.slice(1, 3)]).toEqual([
      what,
      typeof written === 'string' ? written : expect.stringMatching(written),
      String(what === 'in a text' ? 3 : line),
    ]);
    const source = what === 'in a text' ? "for (const x of [1]) throw new Error('throws in a text ' + x)" : text;
    expect(source.slice(Number(place[3]) - 1)).toMatch(/^new \w+/);
    expect(stack).toContain(`    ${source.trim()}\n    ${' '.repeat(source.trimStart().indexOf('new '))}^\n`);
    expect(stack).not.toMatch(/tutti:|\/dist\/|\/paradigms\/|node:|<anonymous>/);
  }
}

function placeOf(message: string, files: readonly string[]): { file: string; line: number; text: string } {
  for (const file of files) {
    const lines = readFileSync(file, 'utf8').split('\n');
    const at = lines.findIndex((line) => line.includes(message) && line.includes('throw '));
    if (at >= 0) return { file, line: at + 1, text: lines[at]! };
  }
  throw new Error(`'${message}' stands in none of ${files.join(', ')}`);
}

describe.each(['process', 'thread'])('on engines that are a %s', (kind) => {
  let out: string;
  // Beside the sources, so that packages resolve.
  beforeAll(() => {
    out = mkdtempSync(path.join(folder, '.out-'));
  });
  afterAll(() => rmSync(out, { recursive: true, force: true }));
  const run = async (command: string, ...args: string[]): Promise<Seen[]> => {
    const env = { ...process.env, NODE_OPTIONS: '' };
    return JSON.parse((await promisify(execFile)(command, [...args, kind], { env })).stdout);
  };
  const compiled = (name: string, sourcemap: boolean): string => {
    const source = path.join(folder, `${name}.ts`);
    const { code, map } = transformSync(readFileSync(source, 'utf8'), {
      loader: 'ts',
      target: 'node20',
      sourcefile: source,
      sourcemap: sourcemap && 'external',
    });
    const file = path.join(out, `${name}.js`);
    const text = code.replace('./rows.ts', './rows.js');
    writeFileSync(file, sourcemap ? `${text}//# sourceMappingURL=${name}.js.map\n` : text);
    if (sourcemap) writeFileSync(`${file}.map`, map);
    return file;
  };

  test('TypeScript that tsx runs', async () => {
    const program = path.join(folder, 'program.ts');
    expectPlaces(await run(tsx, program), program, path.join(folder, 'rows.ts'));
  });

  test('JavaScript', async () => {
    const files = [compiled('program', false), compiled('rows', false)];
    expectPlaces(await run(process.execPath, files[0]!), ...files);
  });

  test('JavaScript that a compiler has made, with source maps', async () => {
    const files = [compiled('program', true), compiled('rows', true)];
    const sources = ['program', 'rows'].map((name) => path.join(folder, `${name}.ts`));
    expectPlaces(await run(process.execPath, files[0]!), ...sources);
  });
});

describe('commands', () => {
  const terminal = new Terminal();
  afterAll(() => terminal.close());
  const inWork = (name: string): string => path.join(terminal.cwd, name);
  const shown = (text: string, prefix: string): string =>
    text
      .split('\n')
      .map((line) => `${prefix}${line}\n`)
      .join('');
  beforeAll(() => {
    copyFileSync(path.join(folder, 'rows.ts'), inWork('rows.ts'));
    writeFileSync(inWork('in.txt'), 'a\nlonger\n');
    writeFileSync(
      inWork('job.ts'),
      `import { lengthOf, type Row } from './rows.ts';

export default {
  map(text: string, ctx: any) {
    const row: Row = { text };
    ctx.emit(lengthOf(row), 1);
  },
  attempts: 1,
};
`,
    );
    writeFileSync(
      inWork('task.ts'),
      `import { lengthOf, type Row } from './rows.ts';

export default (text: string) => {
  const row: Row = { text };
  return lengthOf(row);
};
`,
    );
    writeFileSync(
      inWork('main.ts'),
      `interface Comm {
  rank: number;
}
export default async function main({ rank }: Comm) {
  if (rank === 1) throw new Error('in rank 1');
}
`,
    );
    writeFileSync(inWork('script.ts'), `import { lengthOf } from './rows.ts';\n\nlengthOf({ text: 'longer' });\n`);
  });
  const line = `    ${readFileSync(path.join(folder, 'rows.ts'), 'utf8').split('\n')[5]!.trim()}\n`;
  const inRows = () => `${line}${' '.repeat(35)}^\n    at lengthOf (${inWork('rows.ts')}:6:34)\n`;
  const failure = 'RangeError: throws in an import: longer';

  test.each([[['--inline']], [['-n', '1']]])('tutti mapreduce %j', async (how) => {
    const { code, stderr } = await terminal.run(['mapreduce', 'job.ts', '--input', 'in.txt', ...how]);
    expect(code).toBe(1);
    const text = `MapReduceError: map of step 0 failed at record 2 of task 0, in ${inWork('in.txt')}: ${failure}
${inRows()}    at map (${inWork('job.ts')}:6:14)`;
    // Where Node reads TypeScript itself, it names the file by its URL.
    expect(stderr.replaceAll('file://', '')).toBe(how[0] === '-n' ? shown(text, '[0] ') : `${text}\n`);
  });

  test('tutti farm', async () => {
    const { code, stdout, stderr } = await terminal.run(['farm', '-n', '1', 'task.ts', '--input', 'in.txt']);
    expect([code, stdout]).toEqual([1, '1\n']);
    expect(stderr).toMatch(`${failure}\n${inRows()}`);
    expect(stderr.split('\n').slice(4)).toEqual([expect.stringContaining(`(${inWork('task.ts')}:5:10)`), '']);
  });

  test('tutti mpi', async () => {
    const { code, stderr } = await terminal.run(['mpi', '-n', '2', 'main.ts']);
    expect(code).toBe(1);
    const text = `Error: in rank 1
    if (rank === 1) throw new Error('in rank 1');
                          ^
    at main (${inWork('main.ts')}:5:25)`;
    expect(stderr.slice(0, shown(text, '[1] ').length)).toBe(shown(text, '[1] '));
  });

  test('tutti run', async () => {
    const { code, stderr } = await terminal.run(['run', '-n', '2', 'script.ts']);
    expect(code).toBe(1);
    expect(stderr).toBe(shown(`${failure}\n${inRows()}    at ${inWork('script.ts')}:3:1`, '[0,1] '));
  });

  test('tutti exec', async () => {
    const { code, stderr } = await terminal.run(['exec', '-n', '1', "let n: number = 1;\nthrow new Error('no ' + n)"]);
    expect([code, stderr]).toEqual([1, shown("Error: no 1\n    throw new Error('no ' + n)\n          ^", '[0] ')]);
  });

  test.each([
    ['await farm.map([1, 2, 3], bad)', '[0] '],
    ['await farm.submit((x) => bad(x), 3)', '[0] '],
    ['await all.apply(bad, 3)', '[0] '],
    ['bad(3)', ''],
  ])('the console: %s', async (call, label) => {
    const input = `const limit: number = 2;\nconst bad = (x: number): number => {\n  if (x > limit) throw new Error('too big');\n  return x;\n}\n${call}\n`;
    const { code, stderr } = await terminal.run(['repl', '-n', '1'], { input });
    expect(code).toBe(1);
    const indent = ' '.repeat(label.length);
    const text = `${label}Error: too big
${indent}    if (x > limit) throw new Error('too big');
${indent}                         ^
${indent}    at bad (cell-2.ts:2:24)`;
    expect(stderr.slice(0, text.length)).toBe(text);
    expect(stderr).not.toMatch(/tutti:|\/dist\/|node:|<anonymous>/);
  });
});
