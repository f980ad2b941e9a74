/** What jobs write: all of the attempts that were first, nothing of others, and nothing is left behind. */
import assert from 'node:assert/strict';
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
import { tmpdir } from 'node:os';
import path from 'node:path';
import zlib from 'node:zlib';
import { afterAll, describe, test } from 'vitest';
import {
  abortOutput,
  commitOutput,
  OutputExistsError,
  type OutputOptions,
  type OutputSpec,
  openPart,
  outputTo,
  prepareOutput,
} from '../../paradigms/mapreduce/output/index.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'tutti-output-'));
afterAll(() => rmSync(folder, { recursive: true }));
let made = 0;

async function prepared(options?: OutputOptions): Promise<OutputSpec> {
  const spec = outputTo(path.join(folder, 'deep', String(made++)), options);
  await prepareOutput(spec);
  return spec;
}

const all = ({ dir }: OutputSpec): string[] =>
  readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(dir, path.join(entry.parentPath, entry.name)))
    .sort();
const text = ({ dir }: OutputSpec, name: string): string => readFileSync(path.join(dir, name), 'utf8');

/** One attempt that writes the records. */
async function attempt(spec: OutputSpec, part: number, records: [unknown, unknown, string?][]): Promise<boolean> {
  const writer = openPart(spec, { part, attempt: 1 });
  for (const record of records) {
    writer.write(...record);
    await writer.drain();
  }
  return writer.commit();
}

describe('formats', () => {
  test.each<[OutputOptions, [unknown, unknown][], string, string]>([
    [
      {},
      [
        ['a', 1],
        [['b', 2], { c: null }],
        [undefined, 'alone'],
      ],
      'part-00000.jsonl',
      '["a",1]\n[["b",2],{"c":null}]\n"alone"\n',
    ],
    [
      { format: 'text' },
      [
        ['a', 1],
        [undefined, 'line'],
        ['key', null],
        [2, [1]],
      ],
      'part-00000.txt',
      'a\t1\nline\nkey\n2\t[1]\n',
    ],
    [
      { format: 'csv' },
      [
        ['a', 1],
        ['b "x"', ['1,5', ' ']],
        [['k', 'l'], null],
        [undefined, ''],
      ],
      'part-00000.csv',
      'a,1\n"b ""x""","1,5"," "\nk,l,\n""\n',
    ],
    [
      { format: 'csv', columns: ['k', 'n', 'm'] },
      [
        ['a', { m: 2, n: 1 }],
        ['b', { n: 3 }],
        ['c', [4, 5]],
      ],
      'part-00000.csv',
      'k,n,m\na,1,2\nb,3,\nc,4,5\n',
    ],
  ])('%j', async (options, records, name, wanted) => {
    const spec = await prepared(options);
    assert.equal(await attempt(spec, 0, records), true);
    await commitOutput(spec, 1);
    assert.deepEqual(all(spec), ['_SUCCESS', name]);
    assert.equal(text(spec, name), wanted);
  });

  test('gzip, in as many members as it takes', async () => {
    const spec = await prepared({ gzip: true, format: 'text' });
    const line = 'some words '.repeat(100);
    await attempt(
      spec,
      2,
      Array.from({ length: 3000 }, (_, i) => [i, line]),
    );
    await attempt(spec, 0, []);
    await attempt(spec, 1, []);
    await commitOutput(spec, 3);
    assert.deepEqual(all(spec), ['_SUCCESS', 'part-00002.txt.gz']);
    const unpacked = zlib.gunzipSync(readFileSync(path.join(spec.dir, 'part-00002.txt.gz'))).toString();
    assert.equal(unpacked, Array.from({ length: 3000 }, (_, i) => `${i}\t${line}\n`).join(''));
  });

  test.each<[unknown, RegExp, OutputOptions?]>([
    [{ list: [1, Number.NaN] }, /JSON has no way to write NaN, which is in the output at \[1\]\.list\[1\]/],
    [new Map(), /a Map/],
    [10n, /a bigint/],
    [() => 1, /a function/],
    [{ a: 1 }, /needs { columns/, { format: 'csv' }],
    [[1, 2, 3], /3 columns, a,b,c; a record has 4 fields: k,1,2,3/, { format: 'csv', columns: ['a', 'b', 'c'] }],
  ])('%s cannot be written', async (value, message, options) => {
    const spec = await prepared(options);
    const writer = openPart(spec, { part: 0, attempt: 1 });
    assert.throws(() => writer.write('k', value), message);
    await writer.abort();
    await abortOutput(spec);
    assert.equal(existsSync(spec.dir), false);
  });

  test.each([
    [() => outputTo(''), /is a folder/],
    [() => outputTo('x', { format: 'xml' as never }), /one of jsonl, csv, text/],
    [() => outputTo('x', { columns: ['a'] }), /Only output as csv/],
    [() => outputTo('x', { format: 'csv', columns: 'a' as never }), /a list of names; got "a"/],
    [() => outputTo('x', { gzp: true } as never), /no option 'gzp'; it has: format, gzip, columns/],
  ])('%s', (make, message) => {
    assert.throws(make, message);
  });
});

describe('attempts', () => {
  test('the first one wins; the other leaves nothing', async () => {
    const spec = await prepared();
    const writers = [1, 2, 2].map((n) => openPart(spec, { part: 0, attempt: n }));
    for (const [i, writer] of writers.entries()) writer.write('written by', i);
    assert.deepEqual(await Promise.all([writers[1]!.commit()]), [true]);
    assert.deepEqual(await Promise.all([writers[0]!.commit(), writers[2]!.commit()]), [false, false]);
    assert.equal(existsSync(path.join(spec.dir, 'part-00000.jsonl')), false, 'nothing is there before all is there');
    await commitOutput(spec, 1);
    assert.deepEqual(all(spec), ['_SUCCESS', 'part-00000.jsonl']);
    assert.equal(text(spec, 'part-00000.jsonl'), '["written by",1]\n');
  });

  test('of many at once exactly one, also where none has a record', async () => {
    for (const records of [[['k', 'v']], []] as [unknown, unknown][][]) {
      const spec = await prepared();
      const won = await Promise.all(Array.from({ length: 8 }, () => attempt(spec, 0, records)));
      assert.equal(won.filter(Boolean).length, 1);
      await commitOutput(spec, 1);
      assert.deepEqual(all(spec), records.length > 0 ? ['_SUCCESS', 'part-00000.jsonl'] : ['_SUCCESS']);
    }
  });

  test('one that gives up leaves nothing, and one that is too late is told', async () => {
    const spec = await prepared();
    const given = openPart(spec, { part: 0, attempt: 1 });
    const late = openPart(spec, { part: 0, attempt: 2 });
    const later = openPart(spec, { part: 0, attempt: 3 });
    for (const writer of [given, late]) writer.write('k', 'x'.repeat(2 << 20));
    await given.abort();
    await attempt(spec, 0, [['k', 'v']]);
    await late.drain();
    await commitOutput(spec, 1);
    await assert.rejects(late.commit(), { name: 'OutputError' });
    later.write('k', 'v');
    await assert.rejects(later.commit(), /the job is over, or the folder is on a disk that this engine does not share/);
    assert.deepEqual(readdirSync(spec.dir).sort(), ['_SUCCESS', 'part-00000.jsonl']);
  });

  test('named outputs, hundreds of them, in folders too, together with the part', async () => {
    const spec = await prepared({ format: 'text' });
    const letters = Array.from({ length: 300 }, (_, i) => `n${i}/year=${i % 3}`);
    const records: [unknown, unknown, string?][] = [];
    for (let i = 0; i < 3; i++) for (const name of letters) records.push([name, i, name]);
    records.push(['main', 1], ['main', 2, 'other']);
    assert.equal(await attempt(spec, 4, records), true);
    assert.equal(await attempt(spec, 4, records), false);
    for (let part = 0; part < 4; part++) await attempt(spec, part, []);
    await commitOutput(spec, 5);
    assert.deepEqual(
      all(spec),
      [...letters.map((name) => `${name}-00004.txt`), '_SUCCESS', 'other-00004.txt', 'part-00004.txt'].sort(),
    );
    assert.equal(text(spec, 'n7/year=1-00004.txt'), [0, 1, 2].map((i) => `n7/year=1\t${i}\n`).join(''));
  });

  test.each(['', '../up', '/root', 'a/../b', '.hidden', '_x', 'part', 'a//b', 'a b'])('%j is no name', async (name) => {
    const spec = await prepared();
    const writer = openPart(spec, { part: 0, attempt: 1 });
    assert.throws(() => writer.write('k', 'v', name), /is no name for output/);
    await abortOutput(spec);
  });
});

describe('the folder', () => {
  test('is refused if something is in it, or somebody writes there', async () => {
    const dir = path.join(folder, 'full');
    mkdirSync(dir);
    await prepareOutput(outputTo(dir));
    await assert.rejects(
      prepareOutput(outputTo(dir)),
      (error: Error) => error instanceof OutputExistsError && /Another job/.test(error.message),
    );
    await commitOutput(outputTo(dir), 0);
    await assert.rejects(
      prepareOutput(outputTo(dir)),
      /not empty: there is _SUCCESS in it\. Remove it, or name another/,
    );
    writeFileSync(path.join(folder, 'file'), '');
    await assert.rejects(prepareOutput(outputTo(path.join(folder, 'file'))), { name: 'OutputError' });
  });

  test('says which part is missing', async () => {
    const spec = await prepared();
    await attempt(spec, 0, [['k', 'v']]);
    await assert.rejects(commitOutput(spec, 2), /_temporary\/1 is missing\. Is it on a disk/);
    await abortOutput(spec);
  });

  test.skipIf(!existsSync('/dev/full'))('a full disk is reported as one', async () => {
    const spec = await prepared();
    const writer = openPart(spec, { part: 0, attempt: 1 });
    writer.write('k', 'x'.repeat(2 << 20));
    const temporary = path.join(spec.dir, '_temporary');
    const [attempts] = readdirSync(temporary);
    const full = path.join(temporary, attempts!, 'full-00000.jsonl');
    symlinkSync('/dev/full', full);
    writer.write('k', 'v', 'full');
    await assert.rejects(writer.commit(), {
      name: 'OutputError',
      message: /full-00000\.jsonl: there is no space left on this disk/,
    });
    await writer.abort();
    assert.deepEqual(readdirSync(temporary), []);
    await abortOutput(spec);
  });
});
