import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import {
  lmdbStores,
  type Store,
  StoreCorruptError,
  StoreError,
  StoreFormatError,
  StoreFullError,
  StoreLockedError,
} from 'tutti';
import { expect, test } from 'vitest';
import { inFolder } from './support/shared.ts';

const program = path.resolve(import.meta.dirname, '../fixtures/store/writer.mjs');
const MIB = 1024 * 1024;

/** The writer as a process of its own, up and with its folder open; `acknowledged` grows as it writes. */
async function writer(folder: string, mode = 'synced', shell?: (command: string) => string) {
  const command = [process.execPath, program, folder, mode];
  const child = shell
    ? spawn('sh', ['-c', shell(`exec '${command.join("' '")}'`)], { stdio: ['ignore', 'pipe', 'inherit'] })
    : spawn(command[0]!, command.slice(1), { stdio: ['ignore', 'pipe', 'inherit'] });
  const acknowledged: number[] = [];
  const lines = createInterface({ input: child.stdout! });
  const closed = once(lines, 'close');
  await new Promise<void>((resolve, reject) => {
    lines.on('line', (line) => (line === 'ready' ? resolve() : acknowledged.push(Number(line))));
    child.once('exit', () => reject(new Error('the writer ended before it was ready')));
  });
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await Promise.all([ended(child), closed]);
  };
  return { child, acknowledged, kill };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** A folder with a closed store in it that has some of everything. */
async function filled(folder: string, entries = 2000): Promise<void> {
  const provider = lmdbStores(folder);
  const store = await provider.open('one');
  await store.write(Array.from({ length: entries }, (_, i) => put(i, i % 100 === 0 ? 20_000 : 100)));
  await store.write([put(1, 5), put(2, 5)]);
  await provider.close();
}

const put = (i: number, size: number) => ({ key: `k${i}`, value: new Uint8Array(size).fill(i) });

async function withStore<T>(folder: string, use: (store: Store) => Promise<T>, options = {}): Promise<T> {
  const provider = lmdbStores(folder, options);
  try {
    return await use(await provider.open('one'));
  } finally {
    await provider.close();
  }
}

test.each(['synced', 'unsynced'])(
  'kill -9 while writing, %s: what was acknowledged is there, nothing is there by half',
  (mode) =>
    inFolder(async (folder) => {
      for (let round = 0; round < 4; round++) {
        const { acknowledged, kill } = await writer(folder, mode);
        const enough = 1 + Math.floor(Math.random() * 600);
        await until(() => acknowledged.length >= enough);
        await kill();
        const provider = lmdbStores(folder);
        const store = await provider.open('journal');
        const there: string[][] = [];
        for (const prefix of ['a', 'b']) {
          const seen: string[] = [];
          for await (const [key, value] of store.entries({ prefix })) {
            const n = Number(key.slice(1));
            expect(value.length === n % 3000 && value.every((byte) => byte === n % 251)).toBe(true);
            seen.push(key.slice(1));
          }
          there.push(seen);
        }
        expect(there[0]).toEqual(there[1]);
        const found = new Set(there[0]!.map(Number));
        expect(acknowledged.filter((n) => !found.has(n))).toEqual([]);
        await provider.close();
      }
    }),
);

test('a folder belongs to one process, and to one provider in it', () =>
  inFolder(async (folder) => {
    const { child, kill } = await writer(folder, 'idle');
    const refused = await lmdbStores(folder)
      .open('one')
      .catch((error) => error);
    expect(refused).toBeInstanceOf(StoreLockedError);
    expect(refused).toMatchObject({ code: 'STORE_LOCKED', pid: child.pid });
    expect(refused.message).toContain(folder);
    await kill();
    const mine = lmdbStores(folder);
    await mine.open('one');
    await expect(lmdbStores(folder).open('one')).rejects.toMatchObject({ pid: process.pid });
    await mine.close();
    expect(readdirSync(folder).sort()).toEqual(['data.mdb', 'lock.mdb', 'store.json']);
    await withStore(folder, async (store) => expect(await store.get('a')).toBe(undefined));
  }));

test('of several that want a dead process’s folder, one gets it', () =>
  inFolder(async (folder) => {
    for (let round = 0; round < 3; round++) {
      const { kill } = await writer(folder, 'idle');
      await kill();
      const contenders = await Promise.allSettled(
        Array.from({ length: 4 }, () => writer(folder, 'idle', (c) => `${c} 2>/dev/null`)),
      );
      const winners = contenders.filter((c) => c.status === 'fulfilled');
      expect(winners.length).toBe(1);
      await winners[0]!.value.kill();
    }
  }));

test('a lock is stale when its process id now belongs to another, not when it is of another host', () =>
  inFolder(async (folder) => {
    await filled(folder);
    const lock = path.join(folder, 'owner.json');
    for (const stale of [{ pid: process.pid, start: 'long ago', host: hostname(), token: 'x' }, 'half a fi']) {
      writeFileSync(lock, typeof stale === 'string' ? stale : JSON.stringify(stale));
      await withStore(folder, async (store) => expect(await store.get('k3')).toHaveLength(100));
    }
    writeFileSync(lock, JSON.stringify({ pid: 1, host: 'elsewhere', token: 'x' }));
    await expect(lmdbStores(folder).open('one')).rejects.toThrow(/elsewhere.*remove .*owner\.json/);
    expect(existsSync(lock)).toBe(true);
  }));

test('a folder that cannot be one', () =>
  inFolder(async (folder) => {
    const file = path.join(folder, 'file');
    writeFileSync(file, 'text');
    for (const place of [file, path.join(file, 'below'), '/proc/tutti']) {
      const error = await lmdbStores(place)
        .open('one')
        .catch((e) => e);
      expect(error).toBeInstanceOf(StoreError);
      expect(error.message).toContain(place);
    }
    if (process.getuid?.() !== 0) {
      chmodSync(folder, 0o500);
      await expect(lmdbStores(folder).open('one')).rejects.toThrow(/Cannot keep a store/);
      chmodSync(folder, 0o700);
    }
    for (const options of [{ maxBytes: 10 }, { maxBytes: 2.5 * MIB + 0.5 }, { sync: 'yes' as never }]) {
      expect(() => lmdbStores(folder, options)).toThrow(/maxBytes|sync/);
    }
  }));

test('a provider that could not open can later on', () =>
  inFolder(async (folder) => {
    const first = lmdbStores(folder);
    await first.open('one');
    const second = lmdbStores(folder);
    await expect(second.open('one')).rejects.toThrow(StoreLockedError);
    await first.close();
    await (await second.open('one')).write([put(1, 1)]);
    await second.close();
  }));

/** Writes until there is no room; then reads, and removals one by one, go on, and make room. */
async function fill(store: Store): Promise<void> {
  let last = 0;
  const error = await (async () => {
    for (; ; last++) await store.write([put(last, 700)]);
  })().catch((e) => e);
  expect(error).toBeInstanceOf(StoreFullError);
  expect(error.code).toBe('STORE_FULL');
  expect(last).toBeGreaterThan(100);
  const pending = await Promise.allSettled([
    store.write([put(last, 700)]),
    store.write([{ key: 'k0', value: undefined }]),
  ]);
  expect(pending.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
  expect(await store.get(`k${last - 1}`)).toHaveLength(700);
  for (let i = 1; i < last; i++) await store.write([{ key: `k${i}`, value: undefined }]);
  for await (const entry of store.entries()) expect(entry).toBe('nothing left');
  for (let i = 0; i < last / 2; i++) await store.write([put(i, 700)]);
  expect(await store.get('k50')).toHaveLength(700);
}

test('maxBytes: writes are refused, reads and removals go on, and then there is room again', () =>
  inFolder((folder) =>
    withStore(
      folder,
      async (store) => {
        await expect(store.write([put(1, 3 * MIB)])).rejects.toThrow(/no room: maxBytes \(2097152\) is reached/);
        await fill(store);
        expect(statSync(path.join(folder, 'data.mdb')).size).toBeLessThan(3 * MIB);
      },
      { maxBytes: 2 * MIB, sync: false },
    ),
  ));

test('a full disk: the same', () =>
  inFolder(async (folder) => {
    // The limit of a process's file size stands for the disk's end: it is met in the same calls.
    const script = path.resolve(import.meta.dirname, '../fixtures/store/fill.mjs');
    const child = spawn('sh', ['-c', `ulimit -f 4096; exec '${process.execPath}' '${script}' '${folder}'`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    await once(child, 'close');
    expect(JSON.parse(output)).toEqual({ code: 'STORE_FULL', readable: true, removed: true, again: true });
    await withStore(folder, async (store) => expect(await store.get('k1')).toHaveLength(700));
  }));

const damages: Record<string, (file: string, bytes: Buffer) => void> = {
  'cut off': (file, bytes) => truncateSync(file, Math.floor(bytes.length / 8)),
  'cut off by a page of its first two': (file) => truncateSync(file, 4096),
  empty: (file) => truncateSync(file, 0),
  missing: (file) => rmSync(file),
  'garbage at its beginning': (file, bytes) =>
    writeFileSync(file, Buffer.concat([Buffer.alloc(100, 0xa5), bytes.subarray(100)])),
  'garbage all over': (file, bytes) => writeFileSync(file, Buffer.alloc(bytes.length, 0xa5)),
  'zeros behind its heads': (file, bytes) => writeFileSync(file, bytes.fill(0, 8192)),
  'garbage behind its heads': (file, bytes) => writeFileSync(file, bytes.fill(0xff, 8192)),
};

test.each(Object.entries(damages))('a damaged file is refused: %s', (_, damage) =>
  inFolder(async (folder) => {
    await filled(folder);
    const file = path.join(folder, 'data.mdb');
    damage(file, readFileSync(file));
    const error = await lmdbStores(folder)
      .open('one')
      .catch((e) => e);
    expect(error).toBeInstanceOf(StoreCorruptError);
    expect(error.code).toBe('STORE_CORRUPT');
    expect(error.message).toContain(folder);
    expect(existsSync(path.join(folder, 'owner.json'))).toBe(false);
  }),
);

test('damage anywhere: the file is refused, or the value, or nothing that counts is hit; never the process', () =>
  inFolder(async (folder) => {
    await filled(folder, 300);
    const file = path.join(folder, 'data.mdb');
    const whole = readFileSync(file);
    const used = whole.findLastIndex((byte) => byte !== 0); // behind it is room that was made ahead
    let noticed = 0;
    for (let round = 0; round < 30; round++) {
      const at = Math.floor(Math.random() * used);
      const bytes = Buffer.from(whole);
      bytes.fill(round % 2 ? 0xff : Math.floor(Math.random() * 256), at, at + 64);
      writeFileSync(file, bytes);
      try {
        await withStore(folder, async (store) => {
          for await (const [key, value] of store.entries()) {
            expect(value.every((byte) => byte === Number(key.slice(1)) % 256)).toBe(true);
          }
        });
      } catch (error) {
        expect(error).toBeInstanceOf(StoreCorruptError);
        noticed++;
      }
    }
    expect(noticed).toBeGreaterThan(0);
  }));

test('files that are not ours, and a format of the future', () =>
  inFolder(async (folder) => {
    await filled(folder);
    const record = path.join(folder, 'store.json');
    const text = readFileSync(record, 'utf8');
    writeFileSync(record, text.replace('"version":1', '"version":2'));
    await expect(lmdbStores(folder).open('one')).rejects.toThrow(StoreFormatError);
    for (const wrong of ['{"name":"else"}', 'no JSON', 'null']) {
      writeFileSync(record, wrong);
      await expect(lmdbStores(folder).open('one')).rejects.toThrow(StoreCorruptError);
    }
    rmSync(record);
    await expect(lmdbStores(folder).open('one')).rejects.toThrow(/no store has made/);
  }));

test('lmdb is loaded by the first store that is opened, not before', () =>
  inFolder(async (folder) => {
    const script = `
      import { readFileSync } from 'node:fs';
      import { lmdbStores } from 'tutti';
      const loaded = () => readFileSync('/proc/self/maps', 'utf8').includes('lmdb');
      const provider = lmdbStores(process.argv[1]);
      const before = loaded();
      await provider.open('one');
      console.log(before, loaded());`;
    const root = path.resolve(import.meta.dirname, '../..');
    // It does not close its store: one that is idle keeps no program alive.
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, folder], { cwd: root });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    await once(child, 'close');
    expect(output).toBe('false true\n');
  }));
