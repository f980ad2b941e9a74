/** What a log costs; part of `npm run bench -- core`, or alone: `-- log`. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Cluster, cluster, type LogOptions } from 'tutti';
import { below, report } from './measure.ts';

/** Of clusters, and rounds of each: two clusters that are alike differ by a percent or more, each pair in its own way. */
const PAIRS = 4;
const ROUNDS = 40;
const BATCH = 500;

export async function log(): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'tutti-bench-'));
  const atDefault = await beside({ level: 'silent' }, { level: 'warn' });
  const alike = await beside({ level: 'silent' }, { level: 'silent' });
  const more = (atDefault.ratio - 1) * 100;
  report({ what: 'a no-op call without a log', value: `${atDefault.base.toFixed(1)} µs (${BATCH} under way)` });
  report({
    what: '… with the log at its default level, more',
    value: `${more.toFixed(1)} %`,
    goal: below(2, more, '%'),
    peer: `two clusters without a log differ by ${Math.abs((alike.ratio - 1) * 100).toFixed(1)} %`,
  });
  const all = await beside({ level: 'silent' }, { level: 'debug', file: path.join(folder, 'log') });
  report({ what: '… with every call logged to a file, more', value: `${((all.ratio - 1) * all.base).toFixed(1)} µs` });
  rmSync(folder, { recursive: true });
}

/**
 * The same calls on pairs of clusters that differ in their logs alone, in turn: a busy machine is about as busy for both of a
 * pair, and the median of the ratios in all rounds is what the log makes of it. `base`: µs a call with the first log.
 */
async function beside(...logs: [LogOptions, LogOptions]): Promise<{ base: number; ratio: number }> {
  const bases: number[] = [];
  const ratios: number[] = [];
  for (let pair = 0; pair < PAIRS; pair++) {
    const clients: [Cluster?, Cluster?] = [];
    // Who comes first has another place in memory.
    for (const i of order(pair)) clients[i] = await cluster({ engines: 1, kind: 'thread', log: logs[i] });
    for (let round = 0; round < ROUNDS; round++) {
      const times = [0, 0];
      for (const i of order(round)) {
        const begun = performance.now();
        await Promise.all(Array.from({ length: BATCH }, () => clients[i]!.engine(0).push({})));
        times[i] = ((performance.now() - begun) * 1e3) / BATCH;
      }
      if (round < ROUNDS / 4) continue;
      bases.push(times[0]!);
      ratios.push(times[1]! / times[0]!);
    }
    for (const client of clients) await client!.close();
  }
  return { base: median(bases), ratio: median(ratios) };
}

const order = (n: number): readonly (0 | 1)[] => (n % 2 ? [1, 0] : [0, 1]);

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
