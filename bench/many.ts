/** 128 engines on one machine; part of `npm run bench -- core`, or alone: `-- many`. */
import { readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { cluster } from 'tutti';
import { below, latency, ms, report } from './measure.ts';

const ENGINES = 128;

export async function many(): Promise<void> {
  console.log(`  load average before: ${loadavg()[0]!.toFixed(1)} (figures of a busy machine say little)`);
  for (const kind of ['process', 'thread'] as const) {
    const begun = performance.now();
    const client = await cluster({ engines: ENGINES, kind });
    const ready = (performance.now() - begun) / 1e3;
    const goal = kind === 'process';
    report({
      what: `${ENGINES} ${kind} engines ready`,
      value: `${ready.toFixed(1)} s`,
      ...(goal && { goal: below(30, ready, 's') }),
    });
    const l = await latency(200, () => client.all.execute('1 + 1'), 40);
    report({ what: '… execute on all', value: ms(l), ...(goal && { goal: below(60, l.p50, 'ms at p50') }) });
    const pids = [...new Set(client.engines.map(({ pid }) => pid))];
    const memory = pids.reduce((sum, pid) => sum + memoryOf(pid), 0);
    report({ what: '… memory in all: resident', value: `${(memory / 1e3).toFixed(2)} GB` });
    const idle = await idleLoad(pids);
    report({ what: '… idle, of one core', value: `${(idle * 100).toFixed(1)} %` });
    const closing = performance.now();
    await client.close();
    report({ what: '… closed', value: `${((performance.now() - closing) / 1e3).toFixed(2)} s` });
  }
}

/** MB. */
function memoryOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1e3;
}

/** What heartbeats cost, over five seconds. */
async function idleLoad(pids: readonly number[]): Promise<number> {
  const before = pids.map(cpuOf).reduce((a, b) => a + b, 0);
  const begun = performance.now();
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  const used = pids.map(cpuOf).reduce((a, b) => a + b, 0) - before;
  return used / (performance.now() - begun);
}

/** ms of processor time, in steps of 10. */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
