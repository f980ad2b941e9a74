/** Measuring, and a table of what was measured. */
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';

export interface Row {
  what: string;
  /** Ours. */
  value: string;
  /** The goal in words, and whether it was reached; absent for figures that are only reported. */
  goal?: { text: string; reached: boolean };
  /** Others, measured in the same run. */
  peer?: string;
}

export interface Latency {
  p50: number;
  p99: number;
  mean: number;
}

/** Runs `work` again and again; milliseconds a run. */
export async function latency(
  runs: number,
  work: (i: number) => unknown,
  warmup = Math.ceil(runs / 5),
): Promise<Latency> {
  for (let i = 0; i < warmup; i++) await work(i);
  const times: number[] = [];
  for (let i = 0; i < runs; i++) {
    const start = performance.now();
    await work(i);
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  const at = (q: number): number => times[Math.min(times.length - 1, Math.floor(times.length * q))]!;
  return { p50: at(0.5), p99: at(0.99), mean: times.reduce((a, b) => a + b, 0) / times.length };
}

export const ms = ({ p50, p99 }: Latency): string => `p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms`;
export const us = ({ p50, p99 }: Latency): string =>
  `p50 ${(p50 * 1e3).toFixed(0)} µs, p99 ${(p99 * 1e3).toFixed(0)} µs`;
/** Throughput at the median (and the best) of several runs. */
export const rate = (bytes: number, { p50 }: Latency): number => bytes / 1e6 / p50;
export const gigabytes = (bytes: number, l: Latency): string => `${rate(bytes, l).toFixed(2)} GB/s (${ms(l)})`;

export const atLeast = (goal: number, got: number, unit: string): NonNullable<Row['goal']> => ({
  text: `≥ ${goal} ${unit}`,
  reached: got >= goal,
});
export const below = (goal: number, got: number, unit: string): NonNullable<Row['goal']> => ({
  text: `< ${goal} ${unit}`,
  reached: got < goal,
});

export function report(row: Row): void {
  const mark = row.goal ? (row.goal.reached ? '✓' : '✗') : ' ';
  console.log(`${mark} ${row.what.padEnd(58)} ${row.value}${row.goal ? `   [goal ${row.goal.text}]` : ''}`);
  if (row.peer) console.log(`  ${''.padEnd(58)} beside it: ${row.peer}`);
}

export function machine(): string {
  return `${cpus()[0]?.model ?? 'unknown'}, ${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}, ${process.platform}`;
}

/** MB of memory that a process has of the machine's. */
export function rssOf(pid: number): number {
  const [, kB] = /Rss:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')) ?? [];
  return (Number(kB) * 1024) / 1e6;
}
