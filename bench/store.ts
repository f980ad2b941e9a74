/** The stores' figures: `npm run bench -- store`. Beside them what the disk itself takes, in the same folder. */
import { mkdtempSync, rmSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { lmdbStores, memoryStores, type Store } from 'tutti';
import { atLeast, type Latency, latency, report, us } from './measure.ts';

const VALUE = new Uint8Array(100).fill(7);
const TOGETHER = 1_000;
const SCANNED = 200_000;

export async function store(): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'tutti-bench-'));
  const log = await open(path.join(folder, 'log'), 'a');
  try {
    const kinds = [
      ['lmdb', lmdbStores(path.join(folder, 'synced'))],
      ['lmdb, sync: false', lmdbStores(path.join(folder, 'unsynced'), { sync: false })],
      ['memory', memoryStores()],
    ] as const;
    for (const [kind, provider] of kinds) {
      await measure(kind, await provider.open('bench'), log);
      await provider.close();
    }
  } finally {
    await log.close();
    rmSync(folder, { recursive: true });
  }
}

async function measure(kind: string, store: Store, log: FileHandle): Promise<void> {
  let n = 0;
  const key = (i: number): string => `k${String(i).padStart(9, '0')}`;
  const write = (): Promise<void> => store.write([{ key: key(n++), value: VALUE }]);
  const alone = await latency(500, write);
  const floor = await latency(500, () => appended(log, VALUE));
  const synced = kind === 'lmdb';
  const beside = (l: Latency) => (synced ? { peer: `append + fdatasync ${us(l)}` } : {});
  report({ what: `${kind}: one write of 100 B at a time`, value: us(alone), ...beside(floor) });

  const many = await latency(30, () => Promise.all(Array.from({ length: TOGETHER }, write)), 5);
  const block = await latency(30, () => appended(log, new Uint8Array(TOGETHER * VALUE.length)), 5);
  const rate = (TOGETHER / many.p50) * 1e3;
  report({
    what: `${kind}: ${TOGETHER} writes at once`,
    value: `${Math.round(rate).toLocaleString('en')} writes/s (${us(many)} for all)`,
    ...(synced && { goal: atLeast(5_000, Math.round(rate), 'writes/s') }),
    ...beside(block),
  });

  const read = await latency(20_000, (i) => store.get(key((i * 7919) % n)));
  report({
    what: `${kind}: one get`,
    value: `p50 ${(read.p50 * 1e3).toFixed(1)} µs, p99 ${(read.p99 * 1e3).toFixed(1)} µs`,
  });

  while (n < SCANNED) await Promise.all(Array.from({ length: 10_000 }, write));
  let seen = 0;
  const scan = await latency(
    5,
    async () => {
      seen = 0;
      for await (const _ of store.entries()) seen++;
    },
    1,
  );
  report({
    what: `${kind}: all ${seen.toLocaleString('en')} entries, in order`,
    value: `${Math.round((seen / scan.p50) * 1e3).toLocaleString('en')} entries/s`,
  });
}

async function appended(log: FileHandle, bytes: Uint8Array): Promise<void> {
  await log.appendFile(bytes);
  await log.datasync();
}
