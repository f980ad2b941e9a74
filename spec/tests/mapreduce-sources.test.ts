/** What jobs read: the same records as a plain reader, whatever the splits; and what is wrong with files, where. */
import assert from 'node:assert/strict';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import zlib from 'node:zlib';
import fc from 'fast-check';
import { afterAll, describe, test } from 'vitest';
import {
  csv,
  files,
  fixed,
  from,
  InputError,
  jsonl,
  lines,
  nLines,
  type OnBad,
  type OnInvalid,
  pairs,
  planSplits,
  readBatches,
  readSplit,
  type Source,
  type Split,
} from '../../paradigms/mapreduce/sources/index.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'tutti-sources-'));
afterAll(() => rmSync(folder, { recursive: true }));
let made = 0;

function file(content: string | Uint8Array, name = `${made++}.txt`): string {
  const at = path.join(folder, name);
  mkdirSync(path.dirname(at), { recursive: true });
  writeFileSync(at, content);
  return at;
}

async function plan(source: Source<unknown>, splitSize = 1 << 20): Promise<Split[]> {
  const splits: Split[] = [];
  for await (const split of planSplits(source, { splitSize })) splits.push(JSON.parse(JSON.stringify(split)));
  return splits;
}

interface Got {
  records: any[];
  counters: Record<string, number>;
  files: string[];
}

async function read(splits: readonly Split[]): Promise<Got> {
  const got: Got = { records: [], counters: {}, files: [] };
  for (const split of splits) {
    await readSplit(split, (record) => got.records.push(record), {
      signal: new AbortController().signal,
      counter: (group, name, by = 1) =>
        (got.counters[`${group}/${name}`] = (got.counters[`${group}/${name}`] ?? 0) + by),
      file: (at) => got.files.push(at),
    });
  }
  return got;
}

const records = async (source: Source<unknown>, splitSize?: number): Promise<any[]> =>
  (await read(await plan(source, splitSize))).records;

const fails = (source: Source<unknown>, where: Partial<InputError>, message: RegExp, splitSize?: number) =>
  assert.rejects(records(source, splitSize), (error: InputError) => {
    assert.ok(error instanceof InputError, String(error));
    assert.match(error.message, message);
    for (const [name, value] of Object.entries(where)) assert.equal(error[name as keyof InputError], value, name);
    return true;
  });

const splitSize = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constant(1 << 20));
const ending = fc.constantFrom('\n', '\r\n');

/** Twice as large as what is read at a time, so that records lie across blocks. */
const large = (line: (i: number) => string): string => {
  let text = '';
  for (let i = 0; text.length < 2.5e6; i++) text += `${line(i)}\n`;
  return text;
};

describe('lines', () => {
  test('any text, any split size: each line once, in order', async () => {
    const line = fc.stringMatching(/^[^\r\n]{0,12}$/u);
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { maxLength: 30 }),
        ending,
        fc.boolean(),
        splitSize,
        async (all, end, closed, size) => {
          const wanted = all.at(-1) === '' && !closed ? all.slice(0, -1) : all;
          const at = file(all.join(end) + (closed && all.length > 0 ? end : ''), 'any.txt');
          assert.deepEqual(await records(lines(at), size), wanted);
        },
      ),
      { numRuns: 150 },
    );
  });

  test('large files, across blocks', async () => {
    const text = large((i) => `${i} ${'x'.repeat(i % 300)}${i % 97 === 0 ? 'ä' : ''}`);
    const wanted = text.split('\n').slice(0, -1);
    const at = file(text);
    for (const size of [1 << 30, 700_000, 65_537]) assert.deepEqual(await records(lines(at), size), wanted);
  });

  test('a line longer than several blocks', async () => {
    const at = file(`a\n${'b'.repeat(3_500_000)}\nc`);
    assert.deepEqual(
      (await records(lines(at), 1_000_000)).map((line) => line.length),
      [1, 3_500_000, 1],
    );
    await fails(
      lines(at, { maxRecord: 2_000_000 }),
      { path: at, byte: 2 },
      /more than 2000000 bytes around byte 2/,
      1 << 30,
    );
    await fails(lines(at, { maxRecord: 2_000_000 }), { path: at }, /more than 2000000 bytes/, 1_000_000);
  });

  test('nothing, a newline only, a byte order mark', async () => {
    assert.deepEqual(await records(lines(file(''))), []);
    assert.deepEqual(await records(lines(file('\n'))), ['']);
    assert.deepEqual(await records(lines(file('\ufeffa\nb'))), ['a', 'b']);
    assert.deepEqual(await records(lines(file('\ufeffa\nb')), 1), ['a', 'b']);
    assert.deepEqual(await records(lines(file('\ufeff'))), []);
  });

  test('batches are the same records', async () => {
    const at = file(large((i) => `line ${i}`));
    const got: unknown[] = [];
    let batches = 0;
    for (const split of await plan(lines(at), 1 << 30)) {
      for await (const batch of readBatches(split, { signal: new AbortController().signal })) {
        got.push(...batch);
        batches++;
      }
    }
    assert.deepEqual(got, await records(lines(at)));
    assert.ok(batches > 1);
  });

  test('bytes that were read are those of the splits, compressed or not', async () => {
    const text = large((i) => `line ${i}`);
    const list = [file(text), file(zlib.gzipSync(text)), file(''), file('short')];
    for (const size of [300_000, 1 << 30]) {
      for (const split of await plan(lines(list), size)) {
        let bytes = 0;
        const signal = new AbortController().signal;
        await readSplit(split, () => {}, { signal, advance: (more) => (bytes += more) });
        assert.ok(Math.abs(bytes - split.bytes) < 20, `${bytes} of ${split.bytes}`);
      }
    }
  });

  test('what is read ends with its signal, and with an error of the one who takes the records', async () => {
    const [split] = await plan(lines(file(large((i) => `line ${i}`))), 1 << 30);
    const abort = new AbortController();
    let seen = 0;
    const stopped = readSplit(split!, () => seen++ || abort.abort(new Error('enough')), { signal: abort.signal });
    await assert.rejects(stopped, /enough/);
    const thrown = readSplit(split!, () => assert.fail('no'), { signal: new AbortController().signal });
    await assert.rejects(thrown, /^AssertionError.*no/);
  });
});

describe('pairs, and records of so many bytes', () => {
  test('keys and values, at the first separator', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.stringMatching(/^\w{0,4}$/), fc.stringMatching(/^[\w\t]{0,4}$/))),
        splitSize,
        async (all, size) => {
          const at = file(all.map(([key, value]) => `${key}\t${value}\n`).join(''), 'pairs.txt');
          assert.deepEqual(await records(pairs(at), size), all);
        },
      ),
      { numRuns: 50 },
    );
    assert.deepEqual(await records(pairs(file('a => b\nc\n'), { separator: ' => ' })), [
      ['a', 'b'],
      ['c', ''],
    ]);
  });

  test('bytes of any kind, compressed or not', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 60 }),
        fc.integer({ min: 1, max: 7 }),
        splitSize,
        async (bytes, length, size) => {
          const whole = bytes.subarray(0, bytes.length - (bytes.length % length));
          const wanted = Array.from({ length: whole.length / length }, (_, i) =>
            whole.slice(i * length, (i + 1) * length),
          );
          assert.deepEqual(await records(fixed(file(whole, 'fixed'), length, { compression: 'none' }), size), wanted);
          const packed = fixed(file(zlib.gzipSync(bytes), 'fixed.gz'), length, { bad: 'skip' });
          const { records: got, counters } = await read(await plan(packed, size));
          assert.deepEqual(got, wanted);
          assert.equal(counters['input/records: not whole'], whole.length === bytes.length ? undefined : 1);
        },
      ),
      { numRuns: 60 },
    );
    const large = file(Buffer.alloc(300_000, 'x'));
    assert.deepEqual(
      (await records(fixed(large, 100_000), 50_000)).map(({ length }) => length),
      [100_000, 100_000, 100_000],
    );
    await fails(
      fixed(file('\ufeff12345'), 3),
      { byte: 6, line: undefined as never },
      /ends with 2 bytes, and a record has 3/,
      4,
    );
  });
});

describe('bytes that are not UTF-8', () => {
  const bytes = Buffer.concat([Buffer.from('good\nß b'), Buffer.from([0xff]), Buffer.from('d\r\nlast � one')]);
  const at = (): string => file(bytes, 'invalid.txt');

  test.each([1, 5, 7, 1 << 20])('split size %d', async (size) => {
    await fails(
      lines(at()),
      { path: at(), line: 2, byte: 9 },
      /invalid\.txt:2: a byte that is not UTF-8.*'replace'/,
      size,
    );
    const replaced = await read(await plan(lines(at(), { invalid: 'replace' }), size));
    assert.deepEqual(replaced, { ...replaced, records: ['good', 'ß b�d', 'last � one'], counters: {} });
    const skipped = await read(await plan(lines(at(), { invalid: 'skip' }), size));
    assert.deepEqual(skipped, {
      ...skipped,
      records: ['good', 'last � one'],
      counters: { 'input/records: not UTF-8': 1 },
    });
  });

  test('UTF-16 is called by its name', () =>
    fails(lines(file(Buffer.from('\ufeffabc', 'utf16le'))), { line: 1 }, /UTF-16/));

  test('in JSON, CSV and whole files', async () => {
    const broken = Buffer.concat([Buffer.from('"a"\n"'), Buffer.from([0xc3]), Buffer.from('"\n')]);
    await fails(jsonl(file(broken)), { line: 2, byte: 5 }, /not UTF-8/);
    assert.deepEqual(await records(jsonl(file(broken), { invalid: 'skip' })), ['a']);
    assert.deepEqual(await records(jsonl(file(broken), { invalid: 'replace' })), ['a', '�']);
    await fails(csv(file(broken)), { line: 2 }, /not UTF-8/);
    assert.deepEqual(await records(csv(file(broken), { invalid: 'replace' })), [{ a: '�' }]);
    assert.deepEqual(await records(csv(file(broken), { invalid: 'skip' })), []);
    await fails(csv(file(broken.subarray(4)), { invalid: 'skip' }), { line: 1 }, /not UTF-8/);
    await fails(files(file(broken)), { line: 2, byte: 5 }, /not UTF-8/);
    assert.deepEqual(await records(files(file(broken), { invalid: 'skip' })), []);
  });
});

describe('compressed files', () => {
  const text = large((i) => `line ${i} ${(i * 2654435761) % 1e9}`);
  const wanted = text.split('\n').slice(0, -1);

  test('gzip, one member or many, by name or by what is in it: one split', async () => {
    const half = text.indexOf('\n', text.length / 2) - 3;
    const members = Buffer.concat([
      zlib.gzipSync(text.slice(0, half)),
      zlib.gzipSync(''),
      zlib.gzipSync(text.slice(half)),
    ]);
    for (const [content, name] of [
      [zlib.gzipSync(text), 'one.txt.gz'],
      [members, 'many.gz'],
      [members, 'no-name'],
    ] as const) {
      const splits = await plan(lines(file(content, name)), 1000);
      assert.equal(splits.length, 1);
      assert.deepEqual((await read(splits)).records, wanted);
    }
  });

  test('damaged, cut short, and called what it is not', async () => {
    const packed = zlib.gzipSync(text);
    await fails(
      lines(file(packed.subarray(0, packed.length / 2), 'short.gz')),
      {},
      /short\.gz is damaged, or not whole/,
    );
    const damaged = Buffer.from(packed);
    damaged.fill(0x55, 5000, 6000);
    await fails(lines(file(damaged, 'damaged.gz')), {}, /damaged\.gz is damaged/);
    await fails(lines(file('plain', 'plain.gz')), {}, /called like a gzip file and is none.*compression: 'none'/);
    assert.deepEqual(await records(lines(file('plain', 'plain.gz'), { compression: 'none' })), ['plain']);
    assert.deepEqual(await records(lines(file('', 'empty.gz'))), []);
  });

  test('where in what was packed something is wrong', async () => {
    const at = file(
      zlib.gzipSync(`${text.replace(/[0-9]/g, '1').replaceAll('line 1', '1').replace(/ .*/g, '')}no`),
      'bad.jsonl.gz',
    );
    await fails(jsonl(at), { path: at, line: wanted.length + 1 }, /no JSON/);
  });

  const zstd = zlib as unknown as { zstdCompressSync?(bytes: string): Buffer };
  const compress = zstd.zstdCompressSync;

  test.skipIf(!compress)('zstd, one frame or many, with frames to skip', async () => {
    const skip = Buffer.from([0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
    const half = text.length / 2;
    const many = Buffer.concat([
      skip,
      compress!(text.slice(0, half)),
      compress!(''),
      skip,
      compress!(text.slice(half)),
    ]);
    assert.deepEqual(await records(lines(file(compress!(text), 'one.zst'))), wanted);
    assert.deepEqual(await records(lines(file(many, 'many'))), wanted);
    for (const short of [many.length - 1, many.length - 2000, skip.length + 2, 13])
      await fails(lines(file(many.subarray(0, short), 'short.zst')), {}, /short\.zst is damaged, or not whole/);
    await fails(lines(file(Buffer.concat([many, Buffer.from('tail')]), 'tail.zst')), {}, /no frame begins at byte/);
  });

  test.skipIf(compress)('zstd needs a newer Node, and the error says so', () =>
    fails(lines(file(Buffer.from('28b52ffd0458', 'hex'), 'a.zst')), {}, /Node 22\.15 or later/),
  );
});

describe('lines of JSON', () => {
  test('values of all kinds, whatever the split size', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.jsonValue(), { maxLength: 20 }), ending, splitSize, async (values, end, size) => {
        const at = file(values.map((value) => JSON.stringify(value) + end).join(end), 'any.jsonl');
        assert.deepEqual(await records(jsonl(at), size), JSON.parse(JSON.stringify(values)));
      }),
      { numRuns: 100 },
    );
  });

  test.each([1, 9, 1 << 20])('a line that is none, split size %d', async (size) => {
    const at = file('{"a":1}\n\n{"a":\n[2]', 'bad.jsonl');
    await fails(jsonl(at), { path: at, line: 3 }, /bad\.jsonl:3: no JSON: .*Mend it, or say { bad: 'skip' }/, size);
    const { records: left, counters } = await read(await plan(jsonl(at, { bad: 'skip' }), size));
    assert.deepEqual({ left, counters }, { left: [{ a: 1 }, [2]], counters: { 'input/records: not JSON': 1 } });
  });
});

/** One character after the other, to compare with. */
function plainCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let field = '';
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (quoted) {
      if (char !== '"') field += char;
      else if (text[i + 1] === '"') field += text[++i];
      else quoted = false;
    } else if (char === '"' && field === '') quoted = true;
    else if (char === ',') {
      row.push(field);
      field = '';
    } else if (char === '\n') {
      row.push(field.replace(/\r$/, ''));
      if (row.length > 1 || row[0] !== '') rows.push(row);
      row = [];
      field = '';
    } else field += char;
  }
  row.push(field);
  if (row.length > 1 || row[0] !== '') rows.push(row);
  return rows;
}

const field = fc.oneof(fc.stringMatching(/^[a-zäß ]{0,6}$/u), fc.stringMatching(/^["a,\n€]{1,5}$/u));
const written = (value: string): string => (/[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);

describe('CSV', () => {
  test('quotes, newlines in them, any split size: as a plain reader reads it', async () => {
    const rows = fc.array(fc.tuple(field, field, field), { minLength: 1, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(rows, ending, splitSize, async (all, end, size) => {
        const text = all.map((row) => row.map(written).join()).join(end);
        const at = file(text, 'any.csv');
        assert.deepEqual(await records(csv(at, { header: false }), size), all);
        assert.deepEqual(plainCsv(text), all);
        const objects = all.map(([a, b, c]) => ({ a, 'b "x"': b, c }));
        const withHeader = file(`a,"b ""x""",c${end}${text}${end}`, 'header.csv');
        assert.deepEqual(await records(csv(withHeader), size), objects);
        assert.deepEqual(await records(csv(at, { header: ['a', 'b "x"', 'c'] }), size), objects);
      }),
      { numRuns: 150 },
    );
  });

  test('without newlines in fields files are cut anywhere', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(field, field)), splitSize, async (all, size) => {
        const wanted = all.map((row) => row.map((value) => value.replaceAll('\n', ' ')));
        const at = file(`a,b\n${wanted.map((row) => row.map(written).join()).join('\n')}`, 'lines.csv');
        const got = await records(csv(at, { multiline: false }), size);
        assert.deepEqual(
          got,
          wanted.filter((row) => row.length > 1).map(([a, b]) => ({ a, b })),
        );
      }),
      { numRuns: 50 },
    );
  });

  test('large, across blocks: with quotes and without', async () => {
    for (const cell of ['plain', 'a "word" in quotes', 'two\nlines, "both"']) {
      const text = large((i) => `${i},${written(i % 1000 === 3 ? `${cell} ${i}` : String(i))},${'y'.repeat(i % 50)}`);
      const wanted = plainCsv(text);
      const at = file(text, 'large.csv');
      for (const size of [1 << 30, 300_000]) assert.deepEqual(await records(csv(at, { header: false }), size), wanted);
    }
  });

  test('separators, no quotes at all, a byte order mark, columns that begin alike', async () => {
    const at = file("\ufeffa;b\n\"x;'1;2'\n");
    assert.deepEqual(await records(csv(at, { separator: ';', quote: "'" })), [{ a: '"x', b: '1;2' }]);
    assert.deepEqual(await records(csv(at, { separator: ';', quote: "'", header: false })), [
      ['a', 'b'],
      ['"x', '1;2'],
    ]);
    assert.deepEqual(await records(csv(file('a\tb\n"\t"\n'), { separator: '\t', quote: '' })), [{ a: '"', b: '"' }]);
    assert.deepEqual(await records(csv(file('\ufeff"a\n1"\n2\n')), 1), [{ 'a\n1': '2' }]);
    for (const multiline of [true, false])
      assert.deepEqual(await records(csv(file('\n\r\na\n2\n'), { multiline }), 1), [{ a: '2' }]);
  });

  test.each([1, 11, 1 << 20])('rows that do not fit, split size %d', async (size) => {
    const text = 'a,b\n1,"2\n2"\n3\n"x"y,4\n5,6\n';
    const at = file(text, 'bad.csv');
    await fails(csv(at), { path: at, line: 4 }, /bad\.csv:4: bad CSV: 1 fields where the header has 2.*'skip'/, size);
    const { records: left, counters } = await read(await plan(csv(at, { bad: 'skip' }), size));
    assert.deepEqual(left, [
      { a: '1', b: '2\n2' },
      { a: '5', b: '6' },
    ]);
    assert.deepEqual(counters, { 'input/records: bad CSV': 2 });
  });

  test('a quote that is never closed, a header that cannot be', async () => {
    await fails(csv(file('a\n"b\nc\n')), { line: 2 }, /never closed/);
    await fails(csv(file('a\n"b\nc\n')), { line: 2 }, /never closed/, 1);
    await fails(csv(file('a,a\n1,2\n')), { line: 1 }, /"a" twice/);
    await fails(csv(file('a,a\n1,2\n')), { line: 1 }, /"a" twice/, 2);
  });
});

describe('any bytes at all', () => {
  const bytes = fc
    .array(fc.constantFrom(...Buffer.from('"",,\n\n\r1a{}[]:\xc3\xa4\xff', 'latin1')), { maxLength: 40 })
    .map((list) => Uint8Array.from(list));
  const policy = fc.record({
    bad: fc.constantFrom<OnBad>('fail', 'skip'),
    invalid: fc.constantFrom<OnInvalid>('fail', 'skip', 'replace'),
  });
  const outcomeOf = async (source: Source<unknown>, size: number): Promise<unknown> => {
    try {
      const { records: list, counters } = await read(await plan(source, size));
      return { list, counters };
    } catch (error) {
      assert.ok(error instanceof InputError, String(error));
      return { message: error.message, line: error.line };
    }
  };

  test.each<[string, (at: string, o: { bad: OnBad; invalid: OnInvalid }) => Source<unknown>]>([
    ['lines', (at, { invalid }) => lines(at, { invalid })],
    ['jsonl', (at, o) => jsonl(at, o)],
    ['csv', (at, o) => csv(at, o)],
    ['csv, a record a line, with header', (at, o) => csv(at, { ...o, multiline: false })],
    ['csv without header', (at, o) => csv(at, { ...o, header: false })],
    ['csv, a record a line', (at, o) => csv(at, { ...o, header: false, multiline: false })],
  ])('%s: the same records, counters and errors whatever the split size', async (_, make) => {
    await fc.assert(
      fc.asyncProperty(bytes, policy, fc.integer({ min: 1, max: 20 }), async (content, options, size) => {
        const source = make(file(content, 'bytes.txt'), options);
        assert.deepEqual(await outcomeOf(source, size), await outcomeOf(source, 1 << 20));
      }),
      { numRuns: 100 },
    );
  });
});

describe('whole files, lists and numbers of lines', () => {
  test('files, packed or not, with their paths; also empty ones', async () => {
    const [b, a, c] = [
      file('b\nb', 'whole/b.txt'),
      file(zlib.gzipSync('a'), 'whole/a.txt.gz'),
      file('', 'whole/c.txt'),
    ];
    const wanted = [
      { path: a, text: 'a' },
      { path: b, text: 'b\nb' },
      { path: c, text: '' },
    ];
    const source = files(path.join(folder, 'whole/*'));
    for (const size of [1, 4, 1 << 20]) assert.deepEqual(await records(source, size), wanted);
    for (let i = 0; i < 300; i++) file('', `empty/${i}`);
    const splits = await plan(files(path.join(folder, 'empty/*')));
    assert.equal((await read(splits)).records.length, 300);
    assert.equal(splits.length, 2);
    const [first] = await records(files(b, { as: 'bytes' }));
    assert.deepEqual(first, { path: b, bytes: new Uint8Array([98, 10, 98]) });
  });

  test('n lines each', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.stringMatching(/^\w{0,5}$/)),
        fc.integer({ min: 1, max: 7 }),
        fc.boolean(),
        async (all, n, gz) => {
          const text = all.map((line) => `${line}\n`).join('');
          const at = gz ? file(zlib.gzipSync(text), 'n.txt.gz') : file(text, 'n.txt');
          const splits = await plan(nLines(at, n));
          const each = await Promise.all(splits.map(async (split) => (await read([split])).records));
          assert.deepEqual(each.flat(), all);
          assert.deepEqual(
            each.map(({ length }) => length),
            splits.map((_, i) => Math.min(n, all.length - i * n)),
          );
        },
      ),
      { numRuns: 60 },
    );
    const packed = file(zlib.gzipSync(Buffer.from([0x61, 0xff, 0x0a, 0x62])), 'n-bad.gz');
    const { records: left, counters } = await read(await plan(nLines(packed, 1, { invalid: 'skip' })));
    assert.deepEqual({ left, counters }, { left: ['b'], counters: { 'input/records: not UTF-8': 1 } });
  });

  test('lists and generators: few at first, then more', async () => {
    const sizes = async (source: Source<unknown>, size?: number) =>
      (await plan(source, size)).map((split) => ('records' in split ? split.records.length : -1));
    const numbers = Array.from({ length: 100 }, (_, i) => i);
    assert.deepEqual(await records(from(numbers)), numbers);
    assert.deepEqual(await sizes(from(numbers.slice(0, 3))), [1, 1, 1]);
    assert.deepEqual(await sizes(from(numbers, { perSplit: 40 })), [40, 40, 20]);
    const generated = async function* () {
      yield* numbers;
    };
    assert.deepEqual(await sizes(from(generated())), [16, 32, 52]);
    assert.deepEqual(
      await sizes(
        from(
          numbers.map((n) => 'x'.repeat(n)),
          { perSplit: 1000 },
        ),
        3000,
      ).then((s) => s.length > 1),
      true,
    );
    assert.deepEqual(await plan(from([])), []);
    const broken = function* () {
      yield 1;
      throw new RangeError('no more');
    };
    await assert.rejects(plan(from(broken())), /RangeError: no more/);
  });
});

describe('which files', () => {
  test('globs, lists and URLs: each once, in order; small ones share a split', async () => {
    for (const name of ['p/2.txt', 'p/1.txt', 'p/10.txt', 'p/q/3.txt', 'p/x.log']) file(`${name}\n`, `glob/${name}`);
    const at = (pattern: string) => path.join(folder, 'glob', pattern);
    const all = async (patterns: Parameters<typeof lines>[0]) => (await records(lines(patterns))).join(' ');
    assert.equal(await all(at('p/*.txt')), 'p/1.txt p/10.txt p/2.txt');
    assert.equal(await all(at('p/**/*.{txt,log}')), 'p/1.txt p/10.txt p/2.txt p/q/3.txt p/x.log');
    assert.equal(await all([at('p/2.txt'), at('p/*'), `!${at('p/*.log')}`]), 'p/2.txt p/1.txt p/10.txt');
    assert.equal(await all([pathToFileURL(at('p/x.log'))]), 'p/x.log');
    assert.deepEqual(await records(lines('*.log', { cwd: at('p') })), ['p/x.log']);
    assert.deepEqual((await plan(lines(at('p/**')))).length, 1);
    assert.deepEqual((await plan(lines(at('p/**')), 18)).length, 4);
    assert.deepEqual((await read(await plan(lines([at('p/2.txt'), at('p/1.txt')])))).files, [
      at('p/2.txt'),
      at('p/1.txt'),
    ]);
  });

  test('a file whose name looks like a glob, a link to a file', async () => {
    const odd = file('odd', 'odd[1]{a}.txt');
    assert.deepEqual(await records(lines(odd)), ['odd']);
    symlinkSync(odd, path.join(folder, 'link.txt'));
    assert.deepEqual(await records(lines(path.join(folder, 'link.txt'))), ['odd']);
  });

  test('nothing matches, a folder, a file that vanishes or changes', async () => {
    await fails(lines(path.join(folder, 'none*.txt')), {}, /No files match '.*none\*\.txt' in/);
    await fails(lines(path.join(folder, 'none.txt')), {}, /No files match/);
    await fails(lines([file('a'), path.join(folder, 'none.txt')]), {}, /No files match/);
    await fails(lines(folder), { path: folder }, /is a folder.*\*'/);
    symlinkSync(path.join(folder, 'nowhere'), path.join(folder, 'dangling.lnk'));
    await fails(lines(path.join(folder, '*.lnk')), {}, /dangling\.lnk|No files match/);

    const change = async (how: (at: string) => void, message: RegExp) => {
      const at = file('one\ntwo\n');
      const splits = await plan(lines(at));
      how(at);
      await assert.rejects(
        read(splits),
        (error: InputError) => error instanceof InputError && message.test(error.message) && error.path === at,
      );
    };
    await change((at) => rmSync(at), /it is not there \(any more\)/);
    await change((at) => appendFileSync(at, 'x'), /has changed since the job began: 8 bytes, now 9/);
    await change((at) => truncateSync(at, 3), /has changed/);
    await change((at) => utimesSync(at, 1, 1), /has changed since the job began: its time/);
  });

  test.skipIf(!existsSync('/proc/self/mem'))('what looks like a file and is none', async () => {
    await fails(lines('/dev/null'), { path: '/dev/null' }, /no file that can be read in parts/);
    await fails(lines('/proc/cpuinfo'), { path: '/proc/cpuinfo' }, /no file that can be read in parts/);
    await fails(lines('/proc/self/mem'), { path: '/proc/self/mem' }, /Cannot read \/proc\/self\/mem: EIO/);
  });

  test.skipIf(process.getuid?.() === 0)('without permission', async () => {
    const secret = file('secret', 'locked/secret.txt');
    chmodSync(secret, 0);
    await fails(lines(secret), { path: secret }, /no permission/);
    chmodSync(path.dirname(secret), 0);
    await fails(lines(path.join(folder, 'l*/*.txt')), {}, /Cannot look for input in .*locked: no permission/);
    chmodSync(path.dirname(secret), 0o700);
  });

  test.each([
    [() => lines(''), /takes a path, a glob/],
    [() => lines([]), /takes a path, a glob/],
    [() => lines([3 as never]), /got 3/],
    [() => lines('a', { invalid: 'ignore' as never }), /invalid is one of fail, replace, skip/],
    [() => jsonl('a', { bad: 'replace' as never }), /bad is one of fail, skip/],
    [() => csv('a', { separator: ',,' }), /separator is one ASCII character/],
    [() => csv('a', { separator: '"' }), /separator and quote are both/],
    [() => csv('a', { header: ['x', 'x'] }), /"x" twice/],
    [() => nLines('a', 0), /1 or more; got 0/],
    [
      () => lines('a', { invlid: 'skip' } as never),
      /lines has no option 'invlid'; it has: cwd, compression, invalid, maxRecord/,
    ],
    [() => pairs('a', { separator: '' }), /the separator is a string; got ""/],
    [() => fixed('a', 0), /bytes of a record, 1 or more; got 0/],
    [() => fixed('a', 1, { invalid: 'skip' } as never), /fixed has no option 'invalid'/],
    [() => from(3 as never), /something iterable; got number/],
    [() => from([], { perSplit: 0.5 }), /perSplit/],
    [() => lines('a', { maxRecord: -1 }), /maxRecord/],
    [() => lines('a', { compression: 'bzip2' as never }), /compression is one of auto, none, gzip, zstd/],
  ])('%s', (make, message) => {
    assert.throws(make, (error: Error) => error.name === 'UsageError' && message.test(error.message));
  });
});
