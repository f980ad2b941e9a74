/** What a log costs; part of `npm run bench -- core`, or alone: `-- log`. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Cluster, cluster, type LogOptions } from 'tutti';
import { below, report } from './measure.ts';

const ROUNDS = 200;
const BATCH = 500;

export async function log(): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'tutti-bench-'));
  const atDefault = await beside({ level: 'silent' }, { level: 'warn' });
  const more = (atDefault.ratio - 1) * 100;
  report({ what: 'a no-op call without a log', value: `${atDefault.base.toFixed(1)} µs (${BATCH} under way)` });
  report({
    what: '… with the log at its default level, more',
    value: `${more.toFixed(1)} %`,
    goal: below(2, more, '%'),
  });
  const all = await beside({ level: 'silent' }, { level: 'debug', file: path.join(folder, 'log') });
  report({ what: '… with every call logged to a file, more', value: `${((all.ratio - 1) * all.base).toFixed(1)} µs` });
  rmSync(folder, { recursive: true });
}

/**
 * The same calls on two clusters that differ in their logs alone, in turn: a busy machine is about as busy for both of a
 * pair, and the median of the pairs' ratios is what the log makes of it. `base`: µs a call with the first log.
 */
async function beside(...logs: [LogOptions, LogOptions]): Promise<{ base: number; ratio: number }> {
  const clients: Cluster[] = [];
  for (const options of logs) clients.push(await cluster({ engines: 1, kind: 'thread', log: options }));
  const times: number[][] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    for (const i of round % 2 ? [0, 1] : [1, 0]) {
      const begun = performance.now();
      await Promise.all(Array.from({ length: BATCH }, () => clients[i]!.engine(0).push({})));
      if (round >= ROUNDS / 4) times[i]!.push(((performance.now() - begun) * 1e3) / BATCH);
    }
  }
  for (const client of clients) await client.close();
  return { base: median(times[0]!), ratio: median(times[1]!.map((time, i) => time / times[0]![i]!)) };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
