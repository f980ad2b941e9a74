/** What a log costs: `npm run bench -- log`. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Cluster, cluster, type LogOptions } from 'tutti';
import { below, report } from './measure.ts';

const ROUNDS = 120;
const BATCH = 500;

export async function log(): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'tutti-bench-'));
  const [silent, warn] = await beside({ level: 'silent' }, { level: 'warn' });
  const more = (warn / silent - 1) * 100;
  report({ what: 'a no-op call without a log', value: `${silent.toFixed(1)} µs (${BATCH} under way)` });
  report({
    what: '… with the log at its default level, more',
    value: `${more.toFixed(1)} %`,
    goal: below(2, more, '%'),
  });
  const [without, debug] = await beside({ level: 'silent' }, { level: 'debug', file: path.join(folder, 'log') });
  report({ what: '… with every call logged to a file, more', value: `${(debug - without).toFixed(1)} µs` });
  rmSync(folder, { recursive: true });
}

/** µs a call, at the best of many batches: the same on two clusters that differ in their logs alone, in turn, so that a busy machine is as busy for both. */
async function beside(...logs: [LogOptions, LogOptions]): Promise<[number, number]> {
  const clients: Cluster[] = [];
  for (const options of logs) clients.push(await cluster({ engines: 1, kind: 'thread', log: options }));
  const best = clients.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < ROUNDS; round++) {
    for (let turn = 0; turn < clients.length; turn++) {
      const i = (round + turn) % clients.length; // neither always comes first
      const begun = performance.now();
      await Promise.all(Array.from({ length: BATCH }, () => clients[i]!.engine(0).push({})));
      if (round >= ROUNDS / 4) best[i] = Math.min(best[i]!, ((performance.now() - begun) * 1e3) / BATCH);
    }
  }
  for (const client of clients) await client.close();
  return best as [number, number];
}
