import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { compared, Desk, type Expectation, expectation, root, tutti } from './support-docs.ts';

const folder = path.join(root, 'examples');
const files = readdirSync(folder).filter((file) => file.endsWith('.ts'));
/** Counts are the same every time. */
const TOP =
  'which 12332, their 7867, government 7076, states 6528, should 5175, congress 5030, united 4869, these 4389, people 4168, would 3804, ' +
  'other 3685, country 3492, great 3279, those 3219, there 3172, public 3072, under 3045, american 2841, world 2567, years 2377';

/** Those that say what they print below their code say it here. */
const speeches: Record<string, { args: string[]; expected: Expectation }> = {
  'speeches.ts': {
    args: ['dist/examples/speeches.js'],
    expected: expectation(`Most frequent words of 5 letters or more in all speeches:
  ${TOP}

[0] which 4177, their 2134, states 1855, government 1621, united 1342
    longest sentence: 294 words, James Madison 1816: “…”
[1] which 4687, states 3227, government 3029, their 2814, united 2258
    longest sentence: 354 words, Millard Fillmore 1852: “…”
[2] which 2887, government 1643, their 1532, should 1512, these 1210
    longest sentence: 422 words, William H Taft 1910: “…”
[3] america 1463, their 1387, people 1380, american 1063, world 1036
    longest sentence: 587 words, Jimmy Carter 1981: “…”

What each engine did when (ms since the start):
[0] took its speeches …–…, analysed them …–…
[1] took its speeches …–…, analysed them …–…
[2] took its speeches …–…, analysed them …–…
[3] took its speeches …–…, analysed them …–…
… ms of work in … ms.`),
  },
  'speeches-execute.ts': {
    args: ['dist/examples/speeches-execute.js'],
    expected: expectation(`each engine: [
  'which their states',
  'which states government',
  'which government their',
  'america their people'
]
longest sentences, in words: [ 294, 354, 422, 587 ]
all together: ${TOP}`),
  },
  'speeches-script.ts': {
    args: [tutti, 'run', '-n', '4', 'examples/speeches-script.ts'],
    expected: expectation(
      `[0] 59 speeches: which 3044, their 1963, government 1741, states 1680, congress 1298; longest sentence 587 words
[1] 58 speeches: which 3174, their 2004, government 1722, states 1634, should 1273; longest sentence 251 words
[2] 58 speeches: which 3128, their 1861, government 1770, states 1568, should 1211; longest sentence 354 words
[3] 58 speeches: which 2986, their 2039, government 1843, states 1646, should 1430; longest sentence 216 words`,
      'any-order',
    ),
  },
};

for (const name of ['pi', 'heat', 'sort', 'matmul']) {
  const file = `mpi-${name}.ts`;
  const args = [tutti, 'mpi', '-n', '4', '--kind', 'thread', `examples/${file}`];
  speeches[file] = { args, expected: saidIn(file, name === 'sort' ? 'any-order' : undefined) };
}

test.concurrent.each(files)('%s prints what it says', async (file) => {
  const { args, expected } = speeches[file] ?? {
    args: [`dist/examples/${file.replace('.ts', '.js')}`],
    expected: saidIn(file),
  };
  const desk = new Desk();
  try {
    const { code, output } = await desk.run(process.execPath, args, root, AbortSignal.timeout(60_000));
    const result = compared(output, expected);
    expect(result.actual).toEqual(result.expected);
    expect(code).toBe(0);
  } finally {
    await desk.clear(AbortSignal.timeout(30_000));
  }
});

/** The comment at the end of an example. */
function saidIn(file: string, order?: 'any-order'): Expectation {
  const [, said] = readFileSync(path.join(folder, file), 'utf8').split('// Prints:\n');
  if (!said) throw new Error(`examples/${file} does not end with a comment that says what it prints`);
  return expectation(said.replace(/^\/\/ {0,3}/gm, ''), order);
}
